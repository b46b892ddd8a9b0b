#include "support/foreign_pem.hpp"
#include "unit/crypto/refusal.hpp"

#include <asiortc/certificate.hpp>

#include <doctest/doctest.h>

#include <type_traits>

using namespace asiortc;
using test::thrown_by;
using namespace std::chrono_literals;

namespace {

using std::chrono::system_clock;

const system_clock::time_point start{1'750'000'000s};

system_clock::time_point end_of(const std::string& not_after) {
  test::foreign_pem made;
  made.not_after = not_after;
  return certificate::from_pem(made.make()).expires();
}

}  // namespace

TEST_CASE("a certificate lives for 30 days unless asked otherwise") {
  CHECK(certificate::generate(certificate_options(start)).expires() == start + 24h * 30);
  certificate_options options(start);
  options.validity = 1h;
  options.key = certificate_key::rsa_2048;
  CHECK(certificate::generate(options).expires() == start + 1h);
}

TEST_CASE("a validity outside a second to a year is a type error") {
  for (const auto validity : {0s, -1s, std::chrono::seconds(24h * 365) + 1s}) {
    certificate_options options(start);
    options.validity = validity;
    CHECK(thrown_by([&] { (void)certificate::generate(options); }) == errc::type_error);
  }
}

TEST_CASE("a certificate survives PEM and shows three fingerprints") {
  const auto made = certificate::generate(certificate_options(start));
  const auto read = certificate::from_pem(made.to_pem());
  CHECK(read.fingerprints() == made.fingerprints());
  CHECK(read.expires() == made.expires());
  CHECK(read == made);
  CHECK(read != certificate::generate(certificate_options(start)));
  REQUIRE(made.fingerprints().size() == 3);
  CHECK(made.fingerprints()[0].algorithm == "sha-256");
  CHECK(made.fingerprints()[0].value.size() == 32 * 3 - 1);
  CHECK(made.fingerprints()[1].algorithm == "sha-384");
  CHECK(made.fingerprints()[2].algorithm == "sha-512");
  CHECK(made.fingerprints()[2].value.size() == 64 * 3 - 1);
}

TEST_CASE("a copy of a certificate is the same certificate") {
  static_assert(std::is_nothrow_move_constructible_v<certificate>);
  const auto made = certificate::generate(certificate_options(start));
  const certificate copy = made;
  CHECK(copy == made);
  CHECK(copy.native_handle() == made.native_handle());
}

TEST_CASE("PEM that cannot be read throws a syntax error that says why") {
  CHECK(thrown_by([] { (void)certificate::from_pem("nonsense"); }) == errc::syntax_error);
}

TEST_CASE("a certificate that outlives the clock expires when the clock ends") {
  static_assert(std::is_same_v<system_clock::duration, std::chrono::nanoseconds>);
  CHECK(end_of("21991231235959Z") == system_clock::time_point(7'258'118'399s));
  CHECK(end_of("22620411234716Z") ==
        std::chrono::floor<std::chrono::seconds>(system_clock::time_point::max()));
  CHECK(end_of("22620411234717Z") == system_clock::time_point::max());
  CHECK(end_of("23000101000000Z") == system_clock::time_point::max());
  CHECK(end_of(test::no_expiry) == system_clock::time_point::max());
  CHECK(end_of("19600101000000Z") == system_clock::time_point(-315'619'200s));
  CHECK(end_of("16000101000000Z") == system_clock::time_point::min());
}

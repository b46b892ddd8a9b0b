#include <asiortc/error.hpp>
#include <asiortc/turn_rest_credentials.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <string>

using namespace asiortc;

namespace {

constexpr std::chrono::system_clock::time_point new_year(std::chrono::seconds(1735689600));

errc refusal(std::string_view secret, std::string_view user,
             std::chrono::system_clock::time_point expires = new_year) {
  try {
    (void)make_turn_rest_credentials(secret, user, expires);
  } catch (const error& refused) {
    return static_cast<errc>(refused.code().value());
  }
  return errc{};
}

}  // namespace

TEST_CASE("credentials that expire are what openssl makes of them") {
  // printf %s 1735689600:anna | openssl dgst -sha1 -hmac "a shared secret" -binary | base64
  const auto named = make_turn_rest_credentials("a shared secret", "anna", new_year);
  CHECK(named.username == "1735689600:anna");
  CHECK(named.credential == "6RVM5jOGZThD8P+LOnRTnfbppAE=");
  const auto nameless =
      make_turn_rest_credentials("a shared secret", "", new_year + std::chrono::milliseconds(999));
  CHECK(nameless.username == "1735689600");
  CHECK(nameless.credential == "jDUNlb4p3EZRGOVTyTuX8z/gPpo=");
}

TEST_CASE("credentials that no server would take are not made") {
  CHECK(refusal("", "anna") == errc::type_error);
  CHECK(refusal("s", "anna", std::chrono::system_clock::time_point(std::chrono::seconds(-1))) ==
        errc::type_error);
  CHECK(refusal("s", std::string(498, 'u')) == errc::type_error);
  CHECK(refusal("s", std::string(497, 'u')) == errc{});
}

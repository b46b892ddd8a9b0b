#include "crypto/identity.hpp"
#include "unit/crypto/refusal.hpp"

#include <doctest/doctest.h>

#include <cctype>
#include <string>

using namespace asiortc;
using crypto::fingerprint;
using crypto::hash_algorithm;

namespace {

// The SHA-256 of "abc".
const std::string abc256 =
    "sha-256 BA:78:16:BF:8F:01:CF:EA:41:41:40:DE:5D:AE:22:23:B0:03:61:A3:96:17:7A:9C:B4:10:FF:61:"
    "F2:00:15:AD";

boost::system::error_code refusal(std::string_view text) {
  return test::thrown_by([&] { (void)fingerprint::parse(text).value(); });
}

std::string lower(std::string text) {
  for (char& letter : text) letter = static_cast<char>(std::tolower(letter));
  return text;
}

}  // namespace

TEST_CASE("a fingerprint is written in upper case") {
  const auto made = crypto::fingerprint_of(base::as_bytes("abc"), hash_algorithm::sha256);
  CHECK(made.to_string() == abc256);
}

TEST_CASE("a fingerprint of each algorithm survives writing and parsing") {
  for (const auto algorithm :
       {hash_algorithm::sha256, hash_algorithm::sha384, hash_algorithm::sha512}) {
    const auto made = crypto::fingerprint_of(base::as_bytes("certificate"), algorithm);
    const auto parsed = fingerprint::parse(made.to_string());
    REQUIRE(parsed.has_value());
    CHECK(*parsed == made);
  }
}

TEST_CASE("a fingerprint is parsed whatever its case") {
  const auto upper = fingerprint::parse(abc256);
  const auto small = fingerprint::parse(lower(abc256));
  REQUIRE(upper.has_value());
  REQUIRE(small.has_value());
  CHECK(*upper == *small);
  CHECK(fingerprint::parse("SHA-256" + abc256.substr(7)).has_value());
}

TEST_CASE("an unknown algorithm is not supported") {
  CHECK(refusal("sha-1 AB:CD") == errc::not_supported);
  CHECK(refusal("md5 AB") == errc::not_supported);
  CHECK(refusal(" AB") == errc::not_supported);
}

TEST_CASE("a malformed fingerprint is a syntax error") {
  CHECK(refusal("") == errc::syntax_error);
  CHECK(refusal("sha-256") == errc::syntax_error);
  CHECK(refusal("sha-256 ") == errc::syntax_error);
  CHECK(refusal("sha-256 AB:CD") == errc::syntax_error);
  CHECK(refusal(abc256 + ":00") == errc::syntax_error);
  CHECK(refusal(abc256.substr(0, abc256.size() - 1)) == errc::syntax_error);
  CHECK(refusal("sha-384" + abc256.substr(7)) == errc::syntax_error);
  for (std::size_t at = 8; at < abc256.size(); ++at) {
    std::string broken = abc256;
    broken[at] = 'g';
    CHECK(refusal(broken) == errc::syntax_error);
  }
}

#include "crypto/hash.hpp"

#include "crypto/random.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

using namespace asiortc;
using base::as_bytes;

namespace {

std::string hex(base::byte_span data) {
  std::string text;
  for (const std::uint8_t octet : data) {
    text.push_back("0123456789abcdef"[octet >> 4]);
    text.push_back("0123456789abcdef"[octet & 15]);
  }
  return text;
}

}  // namespace

TEST_CASE("md5 gives the digests of RFC 1321 A.5") {
  CHECK(hex(crypto::md5({})) == "d41d8cd98f00b204e9800998ecf8427e");
  CHECK(hex(crypto::md5(as_bytes("abc"))) == "900150983cd24fb0d6963f7d28e17f72");
}

TEST_CASE("sha256 gives the digest of FIPS 180's example") {
  CHECK(hex(crypto::sha256(as_bytes("abc"))) ==
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST_CASE("hmac_sha1 gives the digests of RFC 2202 3") {
  CHECK(hex(crypto::hmac_sha1(base::bytes(20, 0x0b), as_bytes("Hi There"))) ==
        "b617318655057264e28bc0b6fb378c8ef146be00");
  CHECK(hex(crypto::hmac_sha1(as_bytes("Jefe"), as_bytes("what do ya want for nothing?"))) ==
        "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
  CHECK(
      hex(crypto::hmac_sha1(base::bytes(80, 0xaa),
                            as_bytes("Test Using Larger Than Block-Size Key - Hash Key First"))) ==
      "aa4ae5e15272d00e95705637ce8a3b55ed402112");
}

TEST_CASE("hmac_sha256 gives the digest of RFC 4231 4.3") {
  CHECK(hex(crypto::hmac_sha256(as_bytes("Jefe"), as_bytes("what do ya want for nothing?"))) ==
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

TEST_CASE("hmac takes an empty key and empty data") {
  CHECK(hex(crypto::hmac_sha1({}, {})) == "fbdb1d1b18aa6c08324b7d64b71fb76370690e1d");
}

TEST_CASE("constant_time_equal compares lengths and content") {
  CHECK(crypto::constant_time_equal(as_bytes("same"), as_bytes("same")));
  CHECK_FALSE(crypto::constant_time_equal(as_bytes("same"), as_bytes("sane")));
  CHECK_FALSE(crypto::constant_time_equal(as_bytes("same"), as_bytes("sam")));
  CHECK(crypto::constant_time_equal({}, {}));
}

TEST_CASE("the system's random source gives different bytes each time") {
  base::bytes first(32);
  base::bytes second(32);
  crypto::system_random().fill(first);
  crypto::system_random().fill(second);
  CHECK(first != second);
  CHECK(std::count(first.begin(), first.end(), 0) < 16);
  crypto::system_random().fill({});
}

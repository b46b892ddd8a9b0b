#include "crypto/base64.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace asiortc;

TEST_CASE("base64 gives the words of RFC 4648 10") {
  const auto encode = [](std::string_view text) { return crypto::base64(base::as_bytes(text)); };
  CHECK(encode("") == "");
  CHECK(encode("f") == "Zg==");
  CHECK(encode("fo") == "Zm8=");
  CHECK(encode("foo") == "Zm9v");
  CHECK(encode("foob") == "Zm9vYg==");
  CHECK(encode("fooba") == "Zm9vYmE=");
  CHECK(encode("foobar") == "Zm9vYmFy");
  CHECK(encode("\xfb\xff") == "+/8=");
}

// The messages of RFC 5769, read and verified.
#include "crypto/hash.hpp"
#include "hex.hpp"
#include "stun/message_view.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace asiortc;
using stun::attribute_type;
using stun::message_view;
using test::from_hex;

namespace {

const auto short_term_key = base::as_bytes("VOkJxbRl1RmTxUk/WvJxBt");

const base::bytes request = from_hex(
    "00 01 00 58 21 12 a4 42 b7 e7 a7 01 bc 34 d6 86 fa 87 df ae"
    "80 22 00 10 53 54 55 4e 20 74 65 73 74 20 63 6c 69 65 6e 74"
    "00 24 00 04 6e 00 01 ff 80 29 00 08 93 2f f9 b1 51 26 3b 36"
    "00 06 00 09 65 76 74 6a 3a 68 36 76 59 20 20 20"
    "00 08 00 14 9a ea a7 0c bf d8 cb 56 78 1e f2 b5 b2 d3 f2 49 c1 b5 71 a2"
    "80 28 00 04 e5 7a 3b cf");

const base::bytes response_v4 = from_hex(
    "01 01 00 3c 21 12 a4 42 b7 e7 a7 01 bc 34 d6 86 fa 87 df ae"
    "80 22 00 0b 74 65 73 74 20 76 65 63 74 6f 72 20 00 20 00 08 00 01 a1 47 e1 12 a6 43"
    "00 08 00 14 2b 91 f5 99 fd 9e 90 c3 8c 74 89 f9 2a f9 ba 53 f0 6b e7 d7"
    "80 28 00 04 c0 7d 4c 96");

const base::bytes response_v6 = from_hex(
    "01 01 00 48 21 12 a4 42 b7 e7 a7 01 bc 34 d6 86 fa 87 df ae"
    "80 22 00 0b 74 65 73 74 20 76 65 63 74 6f 72 20"
    "00 20 00 14 00 02 a1 47 01 13 a9 fa a5 d3 f1 79 bc 25 f4 b5 be d2 b9 d9"
    "00 08 00 14 a3 82 95 4e 4b e6 7b f1 17 84 c9 7c 82 92 c2 75 bf e3 ed 41"
    "80 28 00 04 c8 fb 0b 4c");

const base::bytes long_term_request = from_hex(
    "00 01 00 60 21 12 a4 42 78 ad 34 33 c6 ad 72 c0 29 da 41 2e"
    "00 06 00 12 e3 83 9e e3 83 88 e3 83 aa e3 83 83 e3 82 af e3 82 b9 00 00"
    "00 15 00 1c 66 2f 2f 34 39 39 6b 39 35 34 64 36 4f 4c 33 34 6f 4c 39 46 53 54 76 79 36 34"
    "73 41 00 14 00 0b 65 78 61 6d 70 6c 65 2e 6f 72 67 00"
    "00 08 00 14 f6 70 24 65 6d d6 4a 3e 02 b8 e0 71 2e 85 c9 a2 8c a8 96 66");

}  // namespace

TEST_CASE("RFC 5769 2.1: the sample request is read and verified") {
  const auto message = message_view::parse(request);
  REQUIRE(message);
  CHECK(message->kind() == stun::message_class::request);
  CHECK(message->method() == stun::method::binding);
  CHECK(message->find_text(attribute_type::software) == "STUN test client");
  CHECK(message->find_text(attribute_type::username) == "evtj:h6vY");
  CHECK(message->find_u32(attribute_type::priority) == 0x6e0001ffU);
  CHECK(message->find_u64(attribute_type::ice_controlled) == 0x932ff9b151263b36U);
  CHECK(message->has_fingerprint());
  CHECK(message->verify_integrity(short_term_key));
  CHECK_FALSE(message->verify_integrity(base::as_bytes("VOkJxbRl1RmTxUk/WvJxBu")));
  CHECK(message->unknown_required().count == 0);
}

TEST_CASE("RFC 5769 2.2: the sample IPv4 response is read and verified") {
  const auto message = message_view::parse(response_v4);
  REQUIRE(message);
  CHECK(message->kind() == stun::message_class::success);
  CHECK(message->find_text(attribute_type::software) == "test vector");
  CHECK(message->mapped_address() == base::endpoint::parse("192.0.2.1:32853"));
  CHECK(message->verify_integrity(short_term_key));
}

TEST_CASE("RFC 5769 2.3: the sample IPv6 response is read and verified") {
  const auto message = message_view::parse(response_v6);
  REQUIRE(message);
  CHECK(message->mapped_address() ==
        base::endpoint::parse("[2001:db8:1234:5678:11:2233:4455:6677]:32853"));
  CHECK(message->verify_integrity(short_term_key));
}

TEST_CASE("RFC 5769 2.4: the sample request with long-term authentication is verified") {
  const auto message = message_view::parse(long_term_request);
  REQUIRE(message);
  CHECK_FALSE(message->has_fingerprint());
  CHECK(message->find_text(attribute_type::realm) == "example.org");
  CHECK(message->find_text(attribute_type::nonce) == "f//499k954d6OL34oL9FSTvy64sA");
  const std::string user(*message->find_text(attribute_type::username));
  const auto key = crypto::md5(base::as_bytes(user + ":example.org:TheMatrIX"));
  CHECK(message->verify_integrity(key));
}

TEST_CASE("a flipped bit anywhere in a sample message is noticed") {
  for (std::size_t bit = 0; bit < request.size() * 8; ++bit) {
    base::bytes damaged = request;
    damaged[bit / 8] = static_cast<std::uint8_t>(damaged[bit / 8] ^ 1U << bit % 8);
    const auto message = message_view::parse(damaged);
    CAPTURE(bit);
    CHECK_FALSE(
        (message && message->has_fingerprint() && message->verify_integrity(short_term_key)));
  }
}

TEST_CASE("a sample message cut anywhere is refused") {
  for (std::size_t size = 0; size < request.size(); ++size) {
    CHECK_FALSE(message_view::parse(base::byte_span(request).first(size)));
  }
}

#include "stun/message_view.hpp"

#include "hex.hpp"
#include "stun/integrity.hpp"
#include "stun/message_builder.hpp"

#include <doctest/doctest.h>

using namespace asiortc;
using stun::attribute_type;
using stun::message_builder;
using stun::message_class;
using stun::message_view;
using test::from_hex;

namespace {

constexpr stun::transaction_id zero_id{};
const auto short_key = base::as_bytes("key");

/// A binding request with these attributes behind its header.
base::bytes request_with(base::byte_span attributes) {
  message_builder builder(message_class::request, stun::method::binding, zero_id);
  base::bytes message = std::move(builder).take();
  message.insert(message.end(), attributes.begin(), attributes.end());
  base::byte_writer(message).patch_u16(2, static_cast<std::uint16_t>(attributes.size()));
  return message;
}

bool reads(std::string_view attributes) {
  return message_view::parse(request_with(from_hex(attributes))).has_value();
}

}  // namespace

TEST_CASE("headers that are not STUN's are refused") {
  const base::bytes good = request_with({});
  REQUIRE(message_view::parse(good));
  auto bad = good;
  SUBCASE("the first two bits") { bad[0] = 0x40; }
  SUBCASE("the cookie") { bad[4] ^= 1; }
  SUBCASE("a length that is no multiple of four") {
    bad[3] = 2;
    bad.resize(22);
  }
  SUBCASE("a length past the end") { bad[3] = 4; }
  SUBCASE("a tail") { bad.resize(24); }
  CHECK_FALSE(message_view::parse(bad));
}

TEST_CASE("attributes must lie within the message") {
  CHECK(reads("80 22 00 00"));
  CHECK(reads("80 22 00 01 41 00 00 00"));
  CHECK_FALSE(reads("80 22 00 05 41 00 00 00"));
  CHECK_FALSE(reads("80 22 ff ff 41 00 00 00"));
  CHECK_FALSE(reads("80 22 00 04"));
}

TEST_CASE("a fingerprint must be right and last") {
  message_builder builder(message_class::request, stun::method::binding, zero_id);
  builder.add_fingerprint();
  REQUIRE(message_view::parse(builder.bytes()));
  builder.add_flag(attribute_type::use_candidate);
  CHECK_FALSE(message_view::parse(builder.bytes()));
  CHECK_FALSE(reads("80 28 00 04 00 00 00 00"));
  CHECK_FALSE(reads("80 28 00 00"));
  CHECK_FALSE(reads("80 28 00 08 00 00 00 00 00 00 00 00"));
}

TEST_CASE("what stands behind the integrity attribute is not believed") {
  message_builder builder(message_class::request, stun::method::binding, zero_id);
  builder.add_u32(attribute_type::priority, 1)
      .add_integrity(short_key)
      .add_flag(attribute_type::use_candidate)
      .add_u32(attribute_type::priority, 2);
  const auto message = message_view::parse(builder.bytes());
  REQUIRE(message);
  CHECK(message->verify_integrity(short_key));
  CHECK_FALSE(message->has(attribute_type::use_candidate));
  CHECK(message->find_u32(attribute_type::priority) == 1U);
}

TEST_CASE("the first of several attributes of one type counts") {
  message_builder builder(message_class::request, stun::method::binding, zero_id);
  builder.add_u32(attribute_type::priority, 1).add_u32(attribute_type::priority, 2);
  CHECK(message_view::parse(builder.bytes())->find_u32(attribute_type::priority) == 1U);
}

TEST_CASE("an attribute of another size than its type has is not there") {
  const auto bytes = request_with(from_hex("00 24 00 02 00 01 00 00 80 2a 00 04 00 00 00 01"));
  const auto message = message_view::parse(bytes);
  REQUIRE(message);
  CHECK_FALSE(message->find_u32(attribute_type::priority));
  CHECK_FALSE(message->find_u64(attribute_type::ice_controlling));
}

TEST_CASE("a malformed address is not there") {
  for (const auto* attribute : {"00 20 00 08 00 03 00 00 00 00 00 00", "00 20 00 04 00 01 00 00",
                                "00 20 00 08 00 02 00 00 00 00 00 00", "00 20 00 00"}) {
    CAPTURE(attribute);
    const auto bytes = request_with(from_hex(attribute));
    REQUIRE(message_view::parse(bytes));
    CHECK_FALSE(message_view::parse(bytes)->mapped_address());
  }
}

TEST_CASE("a malformed error code is not there") {
  for (const auto* attribute : {"00 09 00 04 00 00 02 00", "00 09 00 04 00 00 07 00",
                                "00 09 00 04 00 00 04 64", "00 09 00 03 00 00 04 00"}) {
    CAPTURE(attribute);
    const auto bytes = request_with(from_hex(attribute));
    REQUIRE(message_view::parse(bytes));
    CHECK_FALSE(message_view::parse(bytes)->error());
  }
  CHECK_FALSE(message_view::parse(request_with({}))->error());
}

TEST_CASE("unknown required attributes are listed up to a bound, others are not") {
  base::bytes attributes;
  base::byte_writer writer(attributes);
  for (std::uint16_t i = 0; i < 100; ++i) {
    writer.u16(static_cast<std::uint16_t>(0x7000 + i));
    writer.u16(0);
  }
  const auto many = request_with(attributes);
  CHECK(message_view::parse(many)->unknown_required().count == 16);
  const auto optional = request_with(from_hex("ff 00 00 00"));
  CHECK(message_view::parse(optional)->unknown_required().list().empty());
}

TEST_CASE("an integrity attribute of an odd size never verifies") {
  for (const auto* attribute : {"00 08 00 00", "00 08 00 04 00 00 00 00", "00 1c 00 00",
                                "00 1c 00 0c 00 00 00 00 00 00 00 00 00 00 00 00"}) {
    CAPTURE(attribute);
    const auto bytes = request_with(from_hex(attribute));
    REQUIRE(message_view::parse(bytes));
    CHECK(message_view::parse(bytes)->has_integrity());
    CHECK_FALSE(message_view::parse(bytes)->verify_integrity(short_key));
  }
  CHECK_FALSE(message_view::parse(request_with({}))->verify_integrity(short_key));
}

TEST_CASE("a truncated SHA256 verifies over its own length") {
  const base::bytes before = request_with({});
  const auto hash = stun::integrity_sha256(short_key, before, 16);
  message_builder builder(message_class::request, stun::method::binding, zero_id);
  builder.add(attribute_type::message_integrity_sha256, base::byte_span(hash).first(16));
  CHECK(message_view::parse(builder.bytes())->verify_integrity(short_key));
}

TEST_CASE("a first byte of 0 to 3 is STUN's") {
  CHECK(stun::looks_like_stun(from_hex("00")));
  CHECK(stun::looks_like_stun(from_hex("03")));
  CHECK_FALSE(stun::looks_like_stun(from_hex("04")));
  CHECK_FALSE(stun::looks_like_stun({}));
}

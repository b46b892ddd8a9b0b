#include "stun/message_builder.hpp"

#include "stun/message_view.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace asiortc;
using stun::attribute_type;
using stun::message_builder;
using stun::message_class;
using stun::message_view;

namespace {

constexpr stun::transaction_id sample_id{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
const auto sample_key = base::as_bytes("a password");

}  // namespace

TEST_CASE("what the builder writes, the view reads") {
  const auto v4 = *base::endpoint::parse("10.1.2.3:456");
  const auto v6 = *base::endpoint::parse("[2001:db8::7]:65535");
  message_builder builder(message_class::success, stun::method::binding, sample_id);
  builder.add_address(attribute_type::alternate_server, v6)
      .add_xor_address(attribute_type::xor_mapped_address, v4)
      .add_text(attribute_type::software, "abcde")
      .add_u32(attribute_type::priority, 77)
      .add_u64(attribute_type::ice_controlling, 0x1122334455667788U)
      .add_flag(attribute_type::use_candidate)
      .add_integrity(sample_key)
      .add_fingerprint();
  const auto message = message_view::parse(builder.bytes());
  REQUIRE(message);
  CHECK(message->kind() == message_class::success);
  CHECK(message->transaction() == sample_id);
  CHECK(message->mapped_address() == v4);
  CHECK(message->find_text(attribute_type::software) == "abcde");
  CHECK(message->find_u32(attribute_type::priority) == 77U);
  CHECK(message->find_u64(attribute_type::ice_controlling) == 0x1122334455667788U);
  CHECK(message->has(attribute_type::use_candidate));
  CHECK_FALSE(message->has(attribute_type::username));
  CHECK(message->has_fingerprint());
  CHECK(message->verify_integrity(sample_key));
}

TEST_CASE("each class and method survives the bit shuffle of the header") {
  for (unsigned number = 0; number < 0x1000; ++number) {
    for (unsigned bits = 0; bits < 4; ++bits) {
      const auto kind = static_cast<message_class>(bits);
      const message_builder builder(kind, static_cast<stun::method>(number), sample_id);
      const auto message = message_view::parse(builder.bytes());
      REQUIRE(message);
      REQUIRE(message->kind() == kind);
      REQUIRE(static_cast<unsigned>(message->method()) == number);
    }
  }
}

TEST_CASE("MAPPED-ADDRESS of an old server is read where there is no XOR-MAPPED-ADDRESS") {
  const auto address = *base::endpoint::parse("198.51.100.4:99");
  message_builder builder(message_class::success, stun::method::binding, sample_id);
  builder.add_address(attribute_type::mapped_address, address);
  CHECK(message_view::parse(builder.bytes())->mapped_address() == address);
}

TEST_CASE("an error carries its code, its reason and the unknown types") {
  const std::uint16_t types[] = {0x7001, 0x7002, 0x7003};
  message_builder builder(message_class::error, stun::method::binding, sample_id);
  builder.add_error(stun::error_unknown_attribute, "Unknown").add_unknown_attributes(types);
  const auto message = message_view::parse(builder.bytes());
  REQUIRE(message);
  REQUIRE(message->error());
  CHECK(message->error()->code == 420);
  CHECK(message->error()->reason == "Unknown");
  CHECK(message->find(attribute_type::unknown_attributes)->size() == 6);
}

TEST_CASE("MESSAGE-INTEGRITY-SHA256 is written, read and preferred to SHA1") {
  message_builder builder(message_class::request, stun::method::binding, sample_id);
  builder.add_text(attribute_type::username, "user")
      .add_integrity(base::as_bytes("wrong"))
      .add_integrity_sha256(sample_key)
      .add_fingerprint();
  const auto message = message_view::parse(builder.bytes());
  REQUIRE(message);
  CHECK(message->verify_integrity(sample_key));
  CHECK_FALSE(message->verify_integrity(base::as_bytes("wrong")));
}

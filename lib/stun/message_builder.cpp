#include "stun/message_builder.hpp"

#include "stun/address_codec.hpp"
#include "stun/crc32.hpp"
#include "stun/integrity.hpp"

#include <cassert>

namespace asiortc::stun {
namespace {

// A connectivity check with its user name fits, so that one allocation makes a message.
constexpr std::size_t usual_size = 160;

// RFC 8489 5, figure 3: M11..M7 C1 M6..M4 C0 M3..M0.
std::uint16_t type_of(message_class kind, method method) {
  const auto number = static_cast<unsigned>(method);
  const auto bits = static_cast<unsigned>(kind);
  return static_cast<std::uint16_t>((number & 0x000F) | (number & 0x0070) << 1 |
                                    (number & 0x0F80) << 2 | (bits & 1) << 4 | (bits & 2) << 7);
}

std::size_t address_size(const base::endpoint& address) { return address.address.is_v4() ? 8 : 20; }

}  // namespace

message_builder::message_builder(message_class kind, method method, const transaction_id& id)
    : id_(id) {
  message_.reserve(usual_size);
  base::byte_writer out(message_);
  out.u16(type_of(kind, method));
  out.u16(0);
  out.u32(magic_cookie);
  out.append(id);
}

void message_builder::set_length(std::size_t body_size) {
  assert(body_size <= 0xFFFF);
  base::byte_writer(message_).patch_u16(2, static_cast<std::uint16_t>(body_size));
}

void message_builder::begin_attribute(attribute_type type, std::size_t length) {
  base::byte_writer out(message_);
  set_length(message_.size() - header_size + attribute_header_size + padded(length));
  out.u16(static_cast<std::uint16_t>(type));
  out.u16(static_cast<std::uint16_t>(length));
}

message_builder& message_builder::add(attribute_type type, base::byte_span value) {
  begin_attribute(type, value.size());
  base::byte_writer out(message_);
  out.append(value);
  out.zeros(padded(value.size()) - value.size());
  return *this;
}

message_builder& message_builder::add_u32(attribute_type type, std::uint32_t value) {
  begin_attribute(type, 4);
  base::byte_writer(message_).u32(value);
  return *this;
}

message_builder& message_builder::add_u64(attribute_type type, std::uint64_t value) {
  begin_attribute(type, 8);
  base::byte_writer(message_).u64(value);
  return *this;
}

message_builder& message_builder::add_address(attribute_type type, const base::endpoint& address) {
  begin_attribute(type, address_size(address));
  base::byte_writer out(message_);
  write_address(out, address);
  return *this;
}

message_builder& message_builder::add_xor_address(attribute_type type,
                                                  const base::endpoint& address) {
  begin_attribute(type, address_size(address));
  base::byte_writer out(message_);
  write_xor_address(out, address, id_);
  return *this;
}

message_builder& message_builder::add_error(std::uint16_t code, std::string_view reason) {
  assert(code >= 300 && code <= 699);
  begin_attribute(attribute_type::error_code, 4 + reason.size());
  base::byte_writer out(message_);
  out.u16(0);
  out.u8(static_cast<std::uint8_t>(code / 100));
  out.u8(static_cast<std::uint8_t>(code % 100));
  out.append(base::as_bytes(reason));
  out.zeros(padded(reason.size()) - reason.size());
  return *this;
}

message_builder& message_builder::add_unknown_attributes(std::span<const std::uint16_t> types) {
  begin_attribute(attribute_type::unknown_attributes, types.size() * 2);
  base::byte_writer out(message_);
  for (const std::uint16_t type : types) out.u16(type);
  out.zeros(padded(types.size() * 2) - types.size() * 2);
  return *this;
}

message_builder& message_builder::add_integrity(base::byte_span key) {
  return add(attribute_type::message_integrity, integrity_sha1(key, message_));
}

message_builder& message_builder::add_integrity_sha256(base::byte_span key) {
  return add(attribute_type::message_integrity_sha256,
             integrity_sha256(key, message_, sha256_size));
}

message_builder& message_builder::add_fingerprint() {
  // RFC 8489 14.7: the length counts the attribute before the CRC is taken.
  set_length(message_.size() - header_size + attribute_header_size + 4);
  return add_u32(attribute_type::fingerprint, fingerprint_of(message_));
}

}  // namespace asiortc::stun

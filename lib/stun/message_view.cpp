#include "stun/message_view.hpp"

#include "crypto/hash.hpp"
#include "stun/address_codec.hpp"
#include "stun/crc32.hpp"
#include "stun/integrity.hpp"

#include <algorithm>

namespace asiortc::stun {
namespace {

// RFC 8489 5, figure 3: M11..M7 C1 M6..M4 C0 M3..M0.
message_class class_of(std::uint16_t type) {
  return static_cast<message_class>((type >> 7 & 2) | (type >> 4 & 1));
}

method method_of(std::uint16_t type) {
  return static_cast<method>((type & 0x000F) | (type >> 1 & 0x0070) | (type >> 2 & 0x0F80));
}

}  // namespace

std::optional<message_view> message_view::parse(base::byte_span datagram) {
  base::byte_reader reader(datagram);
  const std::uint16_t type = reader.u16();
  const std::uint16_t length = reader.u16();
  const std::uint32_t cookie = reader.u32();
  const base::byte_span id = reader.take(transaction_id{}.size());
  // RFC 8489 5: "The most significant 2 bits of every STUN message MUST be zeroes" and "the last 2
  // bits of this field are always zero".
  if (!reader.ok() || (type & 0xC000) != 0 || cookie != magic_cookie || length % 4 != 0 ||
      length != reader.remaining()) {
    return std::nullopt;
  }
  message_view view;
  view.datagram_ = datagram;
  view.body_ = reader.rest();
  view.kind_ = class_of(type);
  view.method_ = method_of(type);
  std::copy(id.begin(), id.end(), view.transaction_.begin());
  if (!view.scan()) return std::nullopt;
  return view;
}

std::optional<attribute_view> message_view::next(base::byte_reader& reader) {
  if (reader.remaining() == 0) return std::nullopt;
  attribute_view attribute;
  attribute.type = reader.u16();
  const std::uint16_t length = reader.u16();
  attribute.value = reader.take(length);
  reader.take(padded(length) - length);
  if (!reader.ok()) return std::nullopt;
  return attribute;
}

bool message_view::scan() {
  covered_ = body_.size();
  base::byte_reader reader(body_);
  while (reader.remaining() != 0) {
    const std::size_t offset = body_.size() - reader.remaining();
    const auto attribute = next(reader);
    if (!attribute || has_fingerprint_ || !note(*attribute, offset)) return false;
  }
  return true;
}

bool message_view::note(const attribute_view& attribute, std::size_t offset) {
  switch (static_cast<attribute_type>(attribute.type)) {
    case attribute_type::message_integrity:
      // One behind MESSAGE-INTEGRITY-SHA256 is ignored like all else that stands there.
      if (sha1_ || sha256_) return true;
      sha1_ = offset;
      break;
    case attribute_type::message_integrity_sha256:
      if (sha256_) return true;
      sha256_ = offset;
      break;
    case attribute_type::fingerprint: {
      base::byte_reader value(attribute.value);
      const std::uint32_t crc = value.u32();
      if (!value.ok() || value.remaining() != 0) return false;
      has_fingerprint_ = true;
      covered_ = std::min(covered_, offset);
      return crc == fingerprint_of(before(offset));
    }
    default:
      return true;
  }
  covered_ = std::min(covered_, offset);
  return true;
}

std::optional<base::byte_span> message_view::find(attribute_type type) const {
  base::byte_reader reader(body_.first(covered_));
  while (const auto attribute = next(reader)) {
    if (attribute->type == static_cast<std::uint16_t>(type)) return attribute->value;
  }
  return std::nullopt;
}

std::optional<std::uint32_t> message_view::find_u32(attribute_type type) const {
  const auto value = find(type);
  if (!value || value->size() != 4) return std::nullopt;
  return base::byte_reader(*value).u32();
}

std::optional<std::uint64_t> message_view::find_u64(attribute_type type) const {
  const auto value = find(type);
  if (!value || value->size() != 8) return std::nullopt;
  return base::byte_reader(*value).u64();
}

std::optional<std::string_view> message_view::find_text(attribute_type type) const {
  const auto value = find(type);
  if (!value) return std::nullopt;
  return base::as_text(*value);
}

std::optional<error_view> message_view::error() const {
  const auto value = find(attribute_type::error_code);
  if (!value) return std::nullopt;
  base::byte_reader reader(*value);
  reader.u16();
  // RFC 8489 14.8: "The Class represents the hundreds digit of the error code".
  const auto hundreds = static_cast<std::uint16_t>(reader.u8() & 7);
  const std::uint16_t number = reader.u8();
  if (!reader.ok() || hundreds < 3 || hundreds > 6 || number > 99) return std::nullopt;
  return error_view{static_cast<std::uint16_t>(hundreds * 100 + number),
                    base::as_text(reader.rest())};
}

std::optional<base::endpoint> message_view::mapped_address() const {
  if (const auto value = find(attribute_type::xor_mapped_address)) {
    return read_xor_address(*value, transaction_);
  }
  if (const auto value = find(attribute_type::mapped_address)) return read_address(*value);
  return std::nullopt;
}

unknown_types message_view::unknown_required() const {
  unknown_types unknown;
  for_each([&](const attribute_view& attribute) {
    if (!comprehension_required(attribute.type) || is_named(attribute.type)) return;
    if (unknown.count < unknown.types.size()) unknown.types[unknown.count++] = attribute.type;
  });
  return unknown;
}

bool message_view::verify_integrity(base::byte_span key) const {
  const auto value_at = [this](std::size_t offset) {
    base::byte_reader reader(body_.subspan(offset));
    return next(reader)->value;
  };
  // RFC 8489 9.1.3: with both present, only MESSAGE-INTEGRITY-SHA256 counts.
  if (sha256_) {
    const base::byte_span value = value_at(*sha256_);
    if (value.size() < sha256_least_size || value.size() > sha256_size || value.size() % 4 != 0) {
      return false;
    }
    const auto expected = integrity_sha256(key, before(*sha256_), value.size());
    return crypto::constant_time_equal(value, base::byte_span(expected).first(value.size()));
  }
  if (!sha1_) return false;
  const base::byte_span value = value_at(*sha1_);
  return value.size() == sha1_size &&
         crypto::constant_time_equal(value, integrity_sha1(key, before(*sha1_)));
}

}  // namespace asiortc::stun

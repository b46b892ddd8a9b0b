// Writes a STUN message (RFC 8489 5, 14).
#pragma once

#include "base/bytes.hpp"
#include "base/endpoint.hpp"
#include "stun/types.hpp"

#include <span>
#include <string_view>

namespace asiortc::stun {

/// Attributes are added in order, then the integrity, then the fingerprint; the header's length is
/// right after each call. A message must stay below 64 KiB.
class message_builder {
 public:
  message_builder(message_class kind, method method, const transaction_id& id);

  message_builder& add(attribute_type type, base::byte_span value);
  message_builder& add_text(attribute_type type, std::string_view text) {
    return add(type, base::as_bytes(text));
  }
  message_builder& add_flag(attribute_type type) { return add(type, {}); }
  message_builder& add_u32(attribute_type type, std::uint32_t value);
  message_builder& add_u64(attribute_type type, std::uint64_t value);
  message_builder& add_address(attribute_type type, const base::endpoint& address);
  message_builder& add_xor_address(attribute_type type, const base::endpoint& address);
  message_builder& add_error(std::uint16_t code, std::string_view reason);
  message_builder& add_unknown_attributes(std::span<const std::uint16_t> types);

  /// MESSAGE-INTEGRITY over what has been added.
  message_builder& add_integrity(base::byte_span key);
  /// MESSAGE-INTEGRITY-SHA256 over what has been added.
  message_builder& add_integrity_sha256(base::byte_span key);
  /// FINGERPRINT; nothing may follow it.
  message_builder& add_fingerprint();

  [[nodiscard]] base::byte_span bytes() const { return message_; }
  [[nodiscard]] base::bytes take() && { return std::move(message_); }

 private:
  void begin_attribute(attribute_type type, std::size_t length);
  void set_length(std::size_t body_size);

  base::bytes message_;
  transaction_id id_;
};

}  // namespace asiortc::stun

// Reads a STUN message in place (RFC 8489 5, 14). Nothing is copied and nothing is allocated.
#pragma once

#include "base/bytes.hpp"
#include "base/endpoint.hpp"
#include "stun/types.hpp"

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

namespace asiortc::stun {

struct attribute_view {
  std::uint16_t type = 0;
  base::byte_span value;
};

struct error_view {
  std::uint16_t code = 0;
  std::string_view reason;
};

/// Types that a 420 answer lists, as many as fit.
struct unknown_types {
  std::array<std::uint16_t, 16> types{};
  std::size_t count = 0;

  [[nodiscard]] std::span<const std::uint16_t> list() const {
    return std::span(types).first(count);
  }
};

/// Valid while the datagram's bytes are. Attributes that stand behind the first integrity
/// attribute are not covered by it and do not exist for a reader (RFC 8489 14.5).
class message_view {
 public:
  /// Nothing unless the datagram is one well-formed message, whole and without a tail, and its
  /// FINGERPRINT, if any, is its last attribute and right.
  static std::optional<message_view> parse(base::byte_span datagram);

  [[nodiscard]] message_class kind() const { return kind_; }
  [[nodiscard]] stun::method method() const { return method_; }
  [[nodiscard]] const transaction_id& transaction() const { return transaction_; }

  /// The value of the first attribute of the type: RFC 8489 14: "only the first occurrence of the
  /// attribute needs to be processed".
  [[nodiscard]] std::optional<base::byte_span> find(attribute_type type) const;
  [[nodiscard]] bool has(attribute_type type) const { return find(type).has_value(); }

  [[nodiscard]] std::optional<std::uint32_t> find_u32(attribute_type type) const;
  [[nodiscard]] std::optional<std::uint64_t> find_u64(attribute_type type) const;
  [[nodiscard]] std::optional<std::string_view> find_text(attribute_type type) const;
  [[nodiscard]] std::optional<error_view> error() const;
  /// XOR-MAPPED-ADDRESS, or what an old server gives instead of it.
  [[nodiscard]] std::optional<base::endpoint> mapped_address() const;

  /// Calls `visit(attribute_view)` for each attribute that counts, in order.
  template <class Visit>
  void for_each(Visit visit) const {
    base::byte_reader reader(body_.first(covered_));
    while (const auto attribute = next(reader)) visit(*attribute);
  }

  /// Comprehension-required attributes that the codec does not name (RFC 8489 6.3.1).
  [[nodiscard]] unknown_types unknown_required() const;

  [[nodiscard]] bool has_integrity() const { return sha1_ || sha256_; }
  [[nodiscard]] bool has_fingerprint() const { return has_fingerprint_; }
  /// True if the message carries an integrity attribute and the strongest one that it carries is
  /// right for the key.
  [[nodiscard]] bool verify_integrity(base::byte_span key) const;

 private:
  message_view() = default;

  static std::optional<attribute_view> next(base::byte_reader& reader);
  bool scan();
  bool note(const attribute_view& attribute, std::size_t offset);
  [[nodiscard]] base::byte_span before(std::size_t body_offset) const {
    return datagram_.first(header_size + body_offset);
  }

  base::byte_span datagram_;
  base::byte_span body_;
  std::size_t covered_ = 0;  ///< how much of the body stands before the first integrity attribute
  message_class kind_ = message_class::request;
  stun::method method_ = stun::method::binding;
  transaction_id transaction_{};
  std::optional<std::size_t> sha1_;  ///< where in the body the attribute starts
  std::optional<std::size_t> sha256_;
  bool has_fingerprint_ = false;
};

/// RFC 7983 7: a first byte of 0 to 3 is STUN.
inline bool looks_like_stun(base::byte_span datagram) {
  return !datagram.empty() && datagram[0] <= 3;
}

}  // namespace asiortc::stun

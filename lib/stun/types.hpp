// The words of a STUN header and its attributes (RFC 8489 5, 18; RFC 8445 16.1; RFC 8656 17, 18).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace asiortc::stun {

// RFC 8489 5: "The Magic Cookie field MUST contain the fixed value 0x2112A442".
inline constexpr std::uint32_t magic_cookie = 0x2112A442;
inline constexpr std::size_t header_size = 20;
inline constexpr std::size_t attribute_header_size = 4;

/// RFC 8489 5: "The transaction ID is a 96-bit identifier".
using transaction_id = std::array<std::uint8_t, 12>;

/// RFC 8489 5: the class bits C1 and C0.
enum class message_class : std::uint8_t { request, indication, success, error };

/// RFC 8489 18.2, RFC 8656 17. A method that is not named here is a value without a name, up to
/// 0xFFF.
enum class method : std::uint16_t {
  binding = 0x001,
  allocate = 0x003,
  refresh = 0x004,
  send = 0x006,
  data = 0x007,
  create_permission = 0x008,
  channel_bind = 0x009,
};

/// RFC 8489 18.3, RFC 8445 20.1, RFC 8656 18, RFC 5780 7. Below 0x8000 comprehension is required.
enum class attribute_type : std::uint16_t {
  mapped_address = 0x0001,
  change_request = 0x0003,
  username = 0x0006,
  message_integrity = 0x0008,
  error_code = 0x0009,
  unknown_attributes = 0x000A,
  channel_number = 0x000C,
  lifetime = 0x000D,
  xor_peer_address = 0x0012,
  data = 0x0013,
  realm = 0x0014,
  nonce = 0x0015,
  xor_relayed_address = 0x0016,
  requested_address_family = 0x0017,
  requested_transport = 0x0019,
  message_integrity_sha256 = 0x001C,
  password_algorithm = 0x001D,
  userhash = 0x001E,
  xor_mapped_address = 0x0020,
  priority = 0x0024,
  use_candidate = 0x0025,
  password_algorithms = 0x8002,
  alternate_domain = 0x8003,
  software = 0x8022,
  alternate_server = 0x8023,
  fingerprint = 0x8028,
  ice_controlled = 0x8029,
  ice_controlling = 0x802A,
  response_origin = 0x802B,
  other_address = 0x802C,
};

// RFC 8489 14.8 and RFC 8445 7.3.1.1.
inline constexpr std::uint16_t error_try_alternate = 300;
inline constexpr std::uint16_t error_bad_request = 400;
inline constexpr std::uint16_t error_unauthenticated = 401;
inline constexpr std::uint16_t error_unknown_attribute = 420;
inline constexpr std::uint16_t error_stale_nonce = 438;
inline constexpr std::uint16_t error_role_conflict = 487;

/// RFC 8489 14: "Attribute types between 0x0000 and 0x7FFF are comprehension-required".
constexpr bool comprehension_required(std::uint16_t type) { return type < 0x8000; }

/// RFC 8489 14: values are padded "so that its value contains a multiple of 4 bytes".
constexpr std::size_t padded(std::size_t length) { return (length + 3) & ~std::size_t{3}; }

/// Whether the codec gives the attribute a meaning outside TURN, so that it is no ground for a 420.
constexpr bool is_named(std::uint16_t type) {
  switch (static_cast<attribute_type>(type)) {
    case attribute_type::mapped_address:
    case attribute_type::username:
    case attribute_type::message_integrity:
    case attribute_type::error_code:
    case attribute_type::unknown_attributes:
    case attribute_type::realm:
    case attribute_type::nonce:
    case attribute_type::message_integrity_sha256:
    case attribute_type::password_algorithm:
    case attribute_type::userhash:
    case attribute_type::xor_mapped_address:
    case attribute_type::priority:
    case attribute_type::use_candidate:
      return true;
    default:
      return false;
  }
}

}  // namespace asiortc::stun

// The keyed hash over a message that ends with its own integrity attribute (RFC 8489 14.5, 14.6).
#pragma once

#include "base/bytes.hpp"
#include "stun/types.hpp"

#include <cstddef>

namespace asiortc::stun {

inline constexpr std::size_t sha1_size = 20;
inline constexpr std::size_t sha256_size = 32;
// RFC 8489 14.6: "The value ... MUST be at least 16 bytes and a multiple of 4 bytes".
inline constexpr std::size_t sha256_least_size = 16;

/// `before` is the message up to the attribute, its header included. The hash is taken with the
/// header's length set to end with an attribute whose value has `value_size` bytes.
std::array<std::uint8_t, sha1_size> integrity_sha1(base::byte_span key, base::byte_span before);
std::array<std::uint8_t, sha256_size> integrity_sha256(base::byte_span key, base::byte_span before,
                                                       std::size_t value_size);

}  // namespace asiortc::stun

// The CRC of FINGERPRINT.
#pragma once

#include "base/bytes.hpp"

#include <cstdint>

namespace asiortc::stun {

/// ITU V.42's CRC-32, as RFC 8489 14.7 asks.
std::uint32_t crc32(base::byte_span data);

/// RFC 8489 14.7: the CRC "XOR'ed with the 32-bit value 0x5354554e".
inline std::uint32_t fingerprint_of(base::byte_span message_before) {
  return crc32(message_before) ^ 0x5354554eU;
}

}  // namespace asiortc::stun

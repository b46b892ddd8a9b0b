// Hashes and keyed hashes.
#pragma once

#include "base/bytes.hpp"

#include <array>
#include <cstdint>

namespace asiortc::crypto {

using sha1_digest = std::array<std::uint8_t, 20>;

/// HMAC-SHA1 (RFC 2104), as STUN's MESSAGE-INTEGRITY uses it.
sha1_digest hmac_sha1(base::byte_span key, base::byte_span data);

/// HMAC-SHA256, as STUN's MESSAGE-INTEGRITY-SHA256 uses it.
std::array<std::uint8_t, 32> hmac_sha256(base::byte_span key, base::byte_span data);

/// Compares in a time that does not depend on where the two differ.
bool constant_time_equal(base::byte_span a, base::byte_span b);

}  // namespace asiortc::crypto

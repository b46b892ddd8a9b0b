// Hashes and keyed hashes.
#pragma once

#include "base/bytes.hpp"

#include <array>
#include <cstdint>

namespace asiortc::crypto {

using md5_digest = std::array<std::uint8_t, 16>;
using sha1_digest = std::array<std::uint8_t, 20>;
using sha256_digest = std::array<std::uint8_t, 32>;

/// MD5, only as the key of STUN's long-term credentials (RFC 8489 9.2.2).
md5_digest md5(base::byte_span data);

/// SHA-256, as the key under PASSWORD-ALGORITHMS (RFC 8489 18.5.1.2).
sha256_digest sha256(base::byte_span data);

/// HMAC-SHA1 (RFC 2104), as STUN's MESSAGE-INTEGRITY uses it.
sha1_digest hmac_sha1(base::byte_span key, base::byte_span data);

/// HMAC-SHA256, as STUN's MESSAGE-INTEGRITY-SHA256 uses it.
sha256_digest hmac_sha256(base::byte_span key, base::byte_span data);

/// Compares in a time that does not depend on where the two differ.
bool constant_time_equal(base::byte_span a, base::byte_span b);

}  // namespace asiortc::crypto

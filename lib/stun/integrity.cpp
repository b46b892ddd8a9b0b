#include "stun/integrity.hpp"

#include "crypto/hash.hpp"

namespace asiortc::stun {
namespace {

base::bytes with_adjusted_length(base::byte_span before, std::size_t value_size) {
  base::bytes copy(before.begin(), before.end());
  const std::size_t length = before.size() - header_size + attribute_header_size + value_size;
  base::byte_writer(copy).patch_u16(2, static_cast<std::uint16_t>(length));
  return copy;
}

}  // namespace

std::array<std::uint8_t, sha1_size> integrity_sha1(base::byte_span key, base::byte_span before) {
  return crypto::hmac_sha1(key, with_adjusted_length(before, sha1_size));
}

std::array<std::uint8_t, sha256_size> integrity_sha256(base::byte_span key, base::byte_span before,
                                                       std::size_t value_size) {
  return crypto::hmac_sha256(key, with_adjusted_length(before, value_size));
}

}  // namespace asiortc::stun

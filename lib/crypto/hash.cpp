#include "crypto/hash.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <cassert>

namespace asiortc::crypto {
namespace {

template <std::size_t Size>
std::array<std::uint8_t, Size> hmac(const EVP_MD* hash, base::byte_span key, base::byte_span data) {
  // HMAC() takes a null key for "the one of before", so an empty key still needs an address.
  static const std::uint8_t no_key = 0;
  std::array<std::uint8_t, Size> digest{};
  unsigned int length = 0;
  [[maybe_unused]] const unsigned char* done =
      HMAC(hash, key.empty() ? &no_key : key.data(), static_cast<int>(key.size()), data.data(),
           data.size(), digest.data(), &length);
  assert(done != nullptr && length == Size);
  return digest;
}

}  // namespace

sha1_digest hmac_sha1(base::byte_span key, base::byte_span data) {
  return hmac<20>(EVP_sha1(), key, data);
}

std::array<std::uint8_t, 32> hmac_sha256(base::byte_span key, base::byte_span data) {
  return hmac<32>(EVP_sha256(), key, data);
}

bool constant_time_equal(base::byte_span a, base::byte_span b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace asiortc::crypto

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
  std::array<std::uint8_t, Size> out{};
  unsigned int length = 0;
  [[maybe_unused]] const unsigned char* done =
      HMAC(hash, key.empty() ? &no_key : key.data(), static_cast<int>(key.size()), data.data(),
           data.size(), out.data(), &length);
  assert(done != nullptr && length == Size);
  return out;
}

template <std::size_t Size>
std::array<std::uint8_t, Size> digest(const EVP_MD* hash, base::byte_span data) {
  std::array<std::uint8_t, Size> out{};
  unsigned int length = 0;
  [[maybe_unused]] const int done =
      EVP_Digest(data.data(), data.size(), out.data(), &length, hash, nullptr);
  assert(done == 1 && length == Size);
  return out;
}

}  // namespace

md5_digest md5(base::byte_span data) { return digest<16>(EVP_md5(), data); }

sha256_digest sha256(base::byte_span data) { return digest<32>(EVP_sha256(), data); }

sha1_digest hmac_sha1(base::byte_span key, base::byte_span data) {
  return hmac<20>(EVP_sha1(), key, data);
}

sha256_digest hmac_sha256(base::byte_span key, base::byte_span data) {
  return hmac<32>(EVP_sha256(), key, data);
}

bool constant_time_equal(base::byte_span a, base::byte_span b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace asiortc::crypto

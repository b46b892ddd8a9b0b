#include "dtls/record_cipher.hpp"

#include <openssl/core_names.h>
#include <openssl/objects.h>
#include <openssl/params.h>

#include <algorithm>
#include <cassert>

namespace asiortc::dtls {
namespace {

using cipher_ptr = crypto::openssl_ptr<EVP_CIPHER, EVP_CIPHER_free>;

/// Fetched once: a fetch walks OpenSSL's tables under a lock.
const EVP_CIPHER* fetched(aead kind) {
  static const cipher_ptr aes_128(EVP_CIPHER_fetch(nullptr, "AES-128-GCM", nullptr));
  static const cipher_ptr aes_256(EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr));
  static const cipher_ptr chacha(EVP_CIPHER_fetch(nullptr, "ChaCha20-Poly1305", nullptr));
  switch (kind) {
    case aead::aes_128_gcm:
      return aes_128.get();
    case aead::aes_256_gcm:
      return aes_256.get();
    case aead::chacha20_poly1305:
      break;
  }
  return chacha.get();
}

int as_int(std::size_t size) { return static_cast<int>(size); }

std::uint64_t number_in(base::byte_span header) {
  return base::byte_reader(header.subspan(3)).u64();
}

void put_u64(base::mutable_byte_span out, std::uint64_t value) {
  for (unsigned int i = 0; i < 8; ++i) out[i] = static_cast<std::uint8_t>(value >> (56 - 8 * i));
}

}  // namespace

std::optional<aead> aead_of(int nid) {
  switch (nid) {
    case NID_aes_128_gcm:
      return aead::aes_128_gcm;
    case NID_aes_256_gcm:
      return aead::aes_256_gcm;
    case NID_chacha20_poly1305:
      return aead::chacha20_poly1305;
    default:
      return std::nullopt;
  }
}

std::size_t key_size(aead kind) { return kind == aead::aes_128_gcm ? 16 : 32; }

std::size_t fixed_iv_size(aead kind) { return kind == aead::chacha20_poly1305 ? 12 : 4; }

std::size_t explicit_nonce_size(aead kind) { return kind == aead::chacha20_poly1305 ? 0 : 8; }

direction_keys::~direction_keys() {
  OPENSSL_cleanse(key.data(), key.size());
  OPENSSL_cleanse(fixed_iv.data(), fixed_iv.size());
}

record_cipher::record_cipher(context_ptr context, aead kind, const direction_keys& keys)
    : context_(std::move(context)),
      explicit_size_(explicit_nonce_size(kind)),
      fixed_iv_(keys.fixed_iv) {}

std::optional<record_cipher> record_cipher::make(aead kind, const direction_keys& keys,
                                                 direction direction) {
  context_ptr context(EVP_CIPHER_CTX_new());
  const EVP_CIPHER* cipher = fetched(kind);
  if (!context || cipher == nullptr ||
      EVP_CipherInit_ex2(context.get(), cipher, keys.key.data(), nullptr,
                         direction == direction::seal ? 1 : 0, nullptr) != 1) {
    return std::nullopt;
  }
  return record_cipher(std::move(context), kind, keys);
}

record_cipher::nonce record_cipher::nonce_of(base::byte_span header,
                                             base::byte_span explicit_part) const {
  nonce made = fixed_iv_;
  if (!explicit_part.empty()) {
    // RFC 5288 3: a salt of the key block, then what the record carries.
    std::copy(explicit_part.begin(), explicit_part.end(), made.begin() + 4);
    return made;
  }
  // RFC 7905 2: the record's number, "padded on the left with four 0x00 bytes", XORed with the IV.
  for (std::size_t i = 0; i < 8; ++i) made[4 + i] ^= header[3 + i];
  return made;
}

/// RFC 5246 6.2.3.3: additional_data = seq_num + type + version + length of the content, where
/// RFC 6347 4.1.2.1 takes epoch and sequence number for seq_num.
bool record_cipher::add_header(base::byte_span header, std::size_t plain_size) {
  std::array<std::uint8_t, 13> additional{};
  const auto after_number = std::copy_n(header.begin() + 3, 8, additional.begin());
  std::copy_n(header.begin(), 3, after_number);
  additional[11] = static_cast<std::uint8_t>(plain_size >> 8);
  additional[12] = static_cast<std::uint8_t>(plain_size);
  int written = 0;
  return EVP_CipherUpdate(context_.get(), nullptr, &written, additional.data(),
                          as_int(additional.size())) == 1;
}

bool record_cipher::seal(base::byte_span header, base::byte_span plain,
                         base::mutable_byte_span body, std::uint64_t nonce_offset) {
  assert(body.size() == plain.size() + overhead());
  const auto explicit_part = body.first(explicit_size_);
  if (explicit_size_ != 0) put_u64(explicit_part, number_in(header) + nonce_offset);
  const nonce iv = nonce_of(header, explicit_part);
  const auto sealed = body.subspan(explicit_size_, plain.size());
  std::array<OSSL_PARAM, 2> tag = {
      OSSL_PARAM_construct_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG, body.last(tag_size).data(),
                                        tag_size),
      OSSL_PARAM_construct_end()};
  EVP_CIPHER_CTX* context = context_.get();
  int written = 0;
  return EVP_EncryptInit_ex2(context, nullptr, nullptr, iv.data(), nullptr) == 1 &&
         add_header(header, plain.size()) &&
         EVP_EncryptUpdate(context, sealed.data(), &written, plain.data(), as_int(plain.size())) ==
             1 &&
         EVP_EncryptFinal_ex(context, body.last(tag_size).data(), &written) == 1 &&
         EVP_CIPHER_CTX_get_params(context, tag.data()) == 1;
}

bool record_cipher::open(base::byte_span header, base::byte_span body,
                         base::mutable_byte_span plain) {
  assert(body.size() == plain.size() + overhead());
  const nonce iv = nonce_of(header, body.first(explicit_size_));
  const auto sealed = body.subspan(explicit_size_, plain.size());
  std::array<std::uint8_t, tag_size> expected{};
  std::copy_n(body.last(tag_size).begin(), tag_size, expected.begin());
  const std::array<OSSL_PARAM, 2> tag = {
      OSSL_PARAM_construct_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG, expected.data(), tag_size),
      OSSL_PARAM_construct_end()};
  EVP_CIPHER_CTX* context = context_.get();
  int written = 0;
  return EVP_DecryptInit_ex2(context, nullptr, nullptr, iv.data(), tag.data()) == 1 &&
         add_header(header, plain.size()) &&
         EVP_DecryptUpdate(context, plain.data(), &written, sealed.data(), as_int(sealed.size())) ==
             1 &&
         EVP_DecryptFinal_ex(context, expected.data(), &written) == 1;
}

}  // namespace asiortc::dtls

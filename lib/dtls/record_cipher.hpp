// The authenticated encryption of records, one direction of one epoch.
#pragma once

#include "base/bytes.hpp"
#include "crypto/openssl.hpp"

#include <array>
#include <cstdint>
#include <optional>

namespace asiortc::dtls {

/// RFC 5288 3 and RFC 7905 2.
enum class aead : std::uint8_t { aes_128_gcm, aes_256_gcm, chacha20_poly1305 };

/// The AEAD that OpenSSL names by this number (NID); nothing for any other cipher.
std::optional<aead> aead_of(int nid);

std::size_t key_size(aead kind);
/// The bytes of the nonce that come from the key block and not from the record: 4 or all 12.
std::size_t fixed_iv_size(aead kind);
/// The bytes of the nonce that a record carries: 8 or none.
std::size_t explicit_nonce_size(aead kind);

/// The keys of one direction; forgotten when it goes.
struct direction_keys {
  direction_keys() = default;
  direction_keys(const direction_keys&) = delete;
  direction_keys& operator=(const direction_keys&) = delete;
  ~direction_keys();

  std::array<std::uint8_t, 32> key{};
  std::array<std::uint8_t, 12> fixed_iv{};
};

class record_cipher {
 public:
  enum class direction { seal, open };

  /// Nothing when OpenSSL cannot.
  static std::optional<record_cipher> make(aead kind, const direction_keys& keys,
                                           direction direction);

  /// What a record's body is longer than its content.
  [[nodiscard]] std::size_t overhead() const { return explicit_size_ + tag_size; }

  /// Fills `body`, which is longer than `plain` by the overhead. An explicit nonce is the record's
  /// number plus `nonce_offset`.
  bool seal(base::byte_span header, base::byte_span plain, base::mutable_byte_span body,
            std::uint64_t nonce_offset);

  /// Fills `plain`, which is shorter than `body` by the overhead. False for a forgery; what is in
  /// `plain` then means nothing.
  bool open(base::byte_span header, base::byte_span body, base::mutable_byte_span plain);

 private:
  using context_ptr = crypto::openssl_ptr<EVP_CIPHER_CTX, EVP_CIPHER_CTX_free>;
  using nonce = std::array<std::uint8_t, 12>;
  static constexpr std::size_t tag_size = 16;  // RFC 5116 5.1, RFC 8439 2.8

  record_cipher(context_ptr context, aead kind, const direction_keys& keys);
  [[nodiscard]] nonce nonce_of(base::byte_span header, base::byte_span explicit_part) const;
  bool add_header(base::byte_span header, std::size_t plain_size);

  context_ptr context_;
  std::size_t explicit_size_;
  std::array<std::uint8_t, 12> fixed_iv_;
};

}  // namespace asiortc::dtls

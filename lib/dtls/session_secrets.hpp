// What a handshake leaves behind: the secrets from which everything else is computed.
#pragma once

#include "base/bytes.hpp"
#include "dtls/record_cipher.hpp"

#include <openssl/ssl.h>

#include <array>
#include <memory>
#include <string_view>

namespace asiortc::dtls {

/// The keys of both directions, RFC 5246 6.3. There are no MAC keys: all suites are AEAD.
struct key_block {
  aead kind = aead::aes_128_gcm;
  direction_keys client_write;
  direction_keys server_write;
};

/// The master secret, the randoms and the hash of the suite's PRF; forgotten when it goes.
class session_secrets {
 public:
  session_secrets(const session_secrets&) = delete;
  session_secrets& operator=(const session_secrets&) = delete;
  ~session_secrets();

  /// From an SSL whose handshake is done; null when its suite is none that is known here.
  static std::unique_ptr<const session_secrets> of(SSL* ssl);

  bool derive(key_block& keys) const;

  /// RFC 5705 4, without a context. False when the label is one of TLS's own.
  bool export_material(std::string_view label, base::mutable_byte_span out) const;

 private:
  session_secrets() = default;
  bool take(SSL* ssl);
  bool prf(std::string_view label, base::byte_span first_seed, base::byte_span second_seed,
           base::mutable_byte_span out) const;

  aead kind_ = aead::aes_128_gcm;
  const EVP_MD* hash_ = nullptr;
  std::array<std::uint8_t, 48> master_secret_{};  // RFC 5246 8.1
  std::array<std::uint8_t, 32> client_random_{};
  std::array<std::uint8_t, 32> server_random_{};
};

}  // namespace asiortc::dtls

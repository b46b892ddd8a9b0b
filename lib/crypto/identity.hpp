// A key pair with its self-signed certificate, and certificate fingerprints (RFC 8122).
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

typedef struct evp_pkey_st EVP_PKEY;
typedef struct x509_st X509;

namespace asiortc::crypto {

enum class hash_algorithm { sha256, sha384, sha512 };

/// One `a=fingerprint` value: the algorithm and the digest of the DER certificate.
struct fingerprint {
  hash_algorithm algorithm = hash_algorithm::sha256;
  base::bytes digest;

  /// `sha-256 AB:CD:…`, upper case as RFC 8122 5 has it.
  [[nodiscard]] std::string to_string() const;
  /// Case-insensitive. An unknown algorithm is `not_supported`, anything else `syntax_error`.
  static base::result<fingerprint> parse(std::string_view text);

  bool operator==(const fingerprint&) const = default;
};

/// The SDP name of an algorithm, e.g. `sha-256`.
std::string_view to_string(hash_algorithm algorithm);

/// The digest of a certificate in DER form.
fingerprint fingerprint_of(base::byte_span der, hash_algorithm algorithm);

enum class key_type { ecdsa_p256, rsa_2048 };

/// Immutable, shared between peers and threads.
class identity {
 public:
  /// `now` and `expires` are wall-clock seconds since 1970.
  static base::result<std::shared_ptr<const identity>> generate(key_type type, std::int64_t now,
                                                                std::int64_t expires);
  /// A private key and a certificate in PEM, in any order. `syntax_error` says which is wrong,
  /// `not_supported` why DTLS could not use them.
  static base::result<std::shared_ptr<const identity>> from_pem(std::string_view pem);

  ~identity();
  identity(const identity&) = delete;
  identity& operator=(const identity&) = delete;

  [[nodiscard]] std::string to_pem() const;
  /// The certificate alone.
  [[nodiscard]] base::bytes to_der() const;
  /// Wall-clock seconds since 1970; RFC 5280 4.1.2.5 lets it be the last second of the year 9999.
  [[nodiscard]] std::int64_t expires() const;
  [[nodiscard]] fingerprint get_fingerprint(hash_algorithm algorithm) const;

  [[nodiscard]] EVP_PKEY* key() const;
  [[nodiscard]] X509* certificate() const;

  struct impl;  // OpenSSL's handles
  explicit identity(std::unique_ptr<impl> handles);

 private:
  std::unique_ptr<impl> impl_;
};

/// Whether the text begins with a certificate in PEM, after any words of explanation.
bool has_certificate(std::string_view pem);

}  // namespace asiortc::crypto

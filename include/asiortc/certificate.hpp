// The certificate with which a peer connection proves who it is (webrtc-pc 4.9 RTCCertificate).
#pragma once

#include <asiortc/config.hpp>
#include <asiortc/error.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace asiortc::crypto {
class identity;
}

namespace asiortc::inline ASIORTC_ABI {

/// RFC 8827 6.5 asks every peer for ECDSA on P-256; RSA is for the rare peer without it.
enum class ASIORTC_EXPORT certificate_key { ecdsa_p256, rsa_2048 };

/// How `certificate::generate` makes a certificate (webrtc-pc 4.9 generateCertificate).
class ASIORTC_EXPORT certificate_options {
 public:
  /// `start` becomes `valid_from`, usually `std::chrono::system_clock::now()`; asiortc reads no
  /// clock here.
  explicit certificate_options(std::chrono::system_clock::time_point start) : valid_from(start) {}

  std::chrono::system_clock::time_point valid_from;             ///< the start of its life
  std::chrono::seconds validity = std::chrono::hours(24 * 30);  ///< up to a year
  certificate_key key = certificate_key::ecdsa_p256;            ///< of which kind the key is
};

/// A digest of a certificate, as SDP carries it (webrtc-pc RTCDtlsFingerprint).
class ASIORTC_EXPORT certificate_fingerprint {
 public:
  certificate_fingerprint() = default;
  /// `hash` becomes `algorithm`, `digest` `value`; neither is checked.
  certificate_fingerprint(std::string hash, std::string digest)
      : algorithm(std::move(hash)), value(std::move(digest)) {}

  std::string algorithm;  ///< "sha-256", "sha-384" or "sha-512"
  std::string value;      ///< upper-case hexadecimal octets with colons between

  /// Whether all members are equal.
  bool operator==(const certificate_fingerprint&) const = default;
};

/// A private key with its self-signed certificate. Copies are cheap and share it; it never changes,
/// so that any number of peer connections on any threads may use one. One that was moved from may
/// only be destroyed, assigned to and compared.
class ASIORTC_EXPORT certificate {
 public:
  /// Makes a key pair and a certificate. ECDSA takes well under a millisecond, RSA up to a second.
  /// Throws `error` with `type_error` when the validity is not from one second to 365 days, and
  /// with `operation_error` when the machine gives no key. Thread-safe.
  [[nodiscard]] static certificate generate(const certificate_options& options);

  /// Reads an unencrypted private key and its certificate, in any order, from PEM text: EC on P-256
  /// or P-384, or RSA from 1024 bits. Throws `error` with `syntax_error` that says which of the two
  /// is wrong, or `not_supported` that names what no DTLS peer would take: another kind of key,
  /// curve or size, or a certificate whose keyUsage lacks digitalSignature. An expired certificate
  /// is read; a peer connection refuses it. When its life begins matters to nobody. Thread-safe.
  [[nodiscard]] static certificate from_pem(std::string_view pem);

  /// The private key, which is a secret, and the certificate; `from_pem` reads it. Thread-safe.
  [[nodiscard]] std::string to_pem() const;

  /// The end of the certificate's life (RTCCertificate.expires), or the clock's last time point for
  /// one that lives longer, as RFC 5280 4.1.2.5 lets it: the year 2262 where the clock counts
  /// nanoseconds. Thread-safe, never fails.
  [[nodiscard]] std::chrono::system_clock::time_point expires() const;

  /// With SHA-256, SHA-384 and SHA-512, in that order. Thread-safe.
  [[nodiscard]] std::vector<certificate_fingerprint> fingerprints() const;

  /// For the library itself: what is behind a certificate, and a certificate over it.
  [[nodiscard]] const std::shared_ptr<const crypto::identity>& native_handle() const noexcept {
    return identity_;
  }
  /// For the library itself: `identity` is not null.
  explicit certificate(std::shared_ptr<const crypto::identity> identity)
      : identity_(std::move(identity)) {}

  /// Whether both are the same key and certificate, also one that was read from the PEM of the
  /// other. Thread-safe.
  bool operator==(const certificate& other) const;

 private:
  std::shared_ptr<const crypto::identity> identity_;
};

}  // namespace asiortc::inline ASIORTC_ABI

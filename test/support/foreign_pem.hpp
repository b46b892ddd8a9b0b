// Keys and certificates as other programs make them with OpenSSL, in PEM.
#pragma once

#include "crypto/openssl.hpp"

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include <stdexcept>
#include <string>

namespace asiortc::test {

/// The last moment of a certificate that has "no well-defined expiration date" (RFC 5280 4.1.2.5).
inline constexpr const char* no_expiry = "99991231235959Z";

class foreign_pem {
 public:
  std::string curve = "P-256";
  unsigned rsa_bits = 0;  ///< RSA and no curve, unless 0
  std::string not_after = no_expiry;
  std::string key_usage;  ///< as in OpenSSL's configuration; none when empty

  [[nodiscard]] std::string make() const {
    const crypto::key_ptr key(rsa_bits != 0 ? EVP_RSA_gen(rsa_bits) : EVP_EC_gen(curve.c_str()));
    const crypto::certificate_ptr certificate(X509_new());
    const crypto::bio_ptr out(BIO_new(BIO_s_mem()));
    require(key && certificate && out && fill(certificate.get()));
    require(X509_set_pubkey(certificate.get(), key.get()) == 1);
    require(X509_sign(certificate.get(), key.get(), EVP_sha256()) > 0);
    require(PEM_write_bio_PrivateKey(out.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr));
    require(PEM_write_bio_X509(out.get(), certificate.get()));
    char* text = nullptr;
    const long size = BIO_get_mem_data(out.get(), &text);
    return {text, static_cast<std::size_t>(size)};
  }

 private:
  using extension_ptr = crypto::openssl_ptr<X509_EXTENSION, X509_EXTENSION_free>;

  static void require(bool worked) {
    if (!worked) throw std::runtime_error(crypto::take_openssl_error());
  }

  bool fill(X509* certificate) const {
    if (!key_usage.empty()) {
      const extension_ptr usage(
          X509V3_EXT_conf_nid(nullptr, nullptr, NID_key_usage, key_usage.c_str()));
      require(X509_add_ext(certificate, usage.get(), -1) == 1);
    }
    return X509_set_version(certificate, X509_VERSION_3) == 1 &&
           ASN1_TIME_set_string(X509_getm_notBefore(certificate), "20260101000000Z") == 1 &&
           ASN1_TIME_set_string(X509_getm_notAfter(certificate), not_after.c_str()) == 1;
  }
};

}  // namespace asiortc::test

// OpenSSL's handles as unique pointers, and its error queue as words. Only for crypto and dtls.
#pragma once

#include "base/bytes.hpp"

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>
#include <string>

namespace asiortc::crypto {

template <auto Free>
struct openssl_free {
  template <class T>
  void operator()(T* handle) const {
    Free(handle);
  }
};

template <class T, auto Free>
using openssl_ptr = std::unique_ptr<T, openssl_free<Free>>;

using bio_ptr = openssl_ptr<BIO, BIO_free_all>;
using bignum_ptr = openssl_ptr<BIGNUM, BN_free>;
using key_ptr = openssl_ptr<EVP_PKEY, EVP_PKEY_free>;
using key_context_ptr = openssl_ptr<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;
using certificate_ptr = openssl_ptr<X509, X509_free>;
using asn1_time_ptr = openssl_ptr<ASN1_TIME, ASN1_TIME_free>;

/// The reason of this thread's last OpenSSL error; empties the thread's queue, which would
/// otherwise confuse the next user of OpenSSL on it.
inline std::string take_openssl_error() {
  const unsigned long code = ERR_peek_last_error();
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  ERR_clear_error();
  return reason == nullptr ? "unknown reason" : reason;
}

/// A certificate in DER form; empty when it cannot be encoded.
inline base::bytes der_of(const X509* certificate) {
  unsigned char* encoded = nullptr;
  const int size = i2d_X509(certificate, &encoded);
  if (size <= 0) return {};
  base::bytes der(encoded, encoded + size);
  OPENSSL_free(encoded);
  return der;
}

}  // namespace asiortc::crypto

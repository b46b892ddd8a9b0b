// What all endpoints of one identity share: OpenSSL's SSL_CTX.
#pragma once

#include "crypto/identity.hpp"

#include <openssl/ssl.h>

#include <memory>

namespace asiortc::dtls {

/// Judges a peer's certificate during the handshake, instead of a chain of authorities.
class certificate_judge {
 public:
  virtual ~certificate_judge() = default;
  virtual bool accepts(X509* certificate) = 0;
};

/// Tells the SSL who judges; the judge outlives it.
bool set_judge(SSL* ssl, certificate_judge* judge);

/// The identity's SSL_CTX, made once. Null when OpenSSL cannot. Thread-safe.
std::shared_ptr<SSL_CTX> context_of(const crypto::identity& identity);

}  // namespace asiortc::dtls

// What all endpoints share: OpenSSL's SSL_CTX.
#pragma once

#include "crypto/identity.hpp"
#include "crypto/openssl.hpp"

#include <openssl/ssl.h>

namespace asiortc::dtls {

/// Judges a peer's certificate during the handshake, instead of a chain of authorities.
class certificate_judge {
 public:
  virtual ~certificate_judge() = default;
  virtual bool accepts(X509* certificate) = 0;
};

/// Tells the SSL who judges; the judge outlives it.
bool set_judge(SSL* ssl, certificate_judge* judge);

using ssl_ptr = crypto::openssl_ptr<SSL, SSL_free>;

/// A session that shows the identity's certificate. The SSL_CTX behind it is one a process: it
/// holds some 15 kB, and nothing of it depends on the certificate. Null when OpenSSL cannot.
/// Thread-safe.
ssl_ptr make_session(const crypto::identity& identity);

}  // namespace asiortc::dtls

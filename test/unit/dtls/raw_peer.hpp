// A peer made of OpenSSL alone, for what our own endpoint would not do.
#pragma once

#include "crypto/openssl.hpp"
#include "dtls/datagram_bio.hpp"
#include "unit/dtls/endpoint_pair.hpp"

#include <openssl/ssl.h>

#include <functional>

namespace asiortc::test {

/// For `prepare` below: asks for a certificate and takes any.
void ask_for_certificate(SSL_CTX* context);

class raw_peer {
 public:
  /// `prepare` changes the context before the SSL is made of it.
  raw_peer(dtls::role role, const std::function<void(SSL_CTX*)>& prepare,
           const crypto::identity& identity = *shared_identity());

  /// Carries packets between this and the endpoint until none is left.
  void carry(side& other);
  [[nodiscard]] bool connected() const { return SSL_is_init_finished(ssl_.get()) == 1; }
  [[nodiscard]] SSL* ssl() const { return ssl_.get(); }
  /// What OpenSSL has written since the last call.
  [[nodiscard]] std::vector<base::bytes> poll();
  /// Has OpenSSL read the datagram and go on.
  void deliver(base::byte_span datagram);
  /// What OpenSSL has written by way of repeating its flight.
  [[nodiscard]] std::vector<base::bytes> repeat();
  /// Has OpenSSL seal one record.
  [[nodiscard]] base::bytes seal(std::string_view plain);
  /// Has OpenSSL open the datagram, or what is left of the one before; one record's data, empty
  /// when there was none.
  [[nodiscard]] std::string open(base::byte_span datagram);

 private:
  dtls::datagram_bio bio_{1200};
  crypto::openssl_ptr<SSL_CTX, SSL_CTX_free> context_;
  crypto::openssl_ptr<SSL, SSL_free> ssl_;
};

}  // namespace asiortc::test

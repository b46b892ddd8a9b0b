#include "dtls/openssl_context.hpp"

#include "crypto/openssl.hpp"

#include <openssl/srtp.h>

namespace asiortc::dtls {
namespace {

// RFC 8827 6.5: ECDHE with AES-128-GCM is what every peer has; forward secrecy and AEAD alone.
constexpr const char* ciphers =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
constexpr const char* groups = "X25519:P-256:P-384";
constexpr const char* signatures =
    "ECDSA+SHA256:RSA-PSS+SHA256:RSA+SHA256:ECDSA+SHA384:RSA-PSS+SHA384:RSA+SHA384:"
    "ECDSA+SHA512:RSA-PSS+SHA512:RSA+SHA512";
// RFC 5764 4.1.2, RFC 7714 14.2. Offered also when only data is wanted, as browsers do.
constexpr const char* srtp_profiles = "SRTP_AEAD_AES_128_GCM:SRTP_AES128_CM_SHA1_80";
// A chain of three RSA certificates takes 5 kB. OpenSSL reserves up to this for each of ten
// messages that a fragment announces, so its default of 100 kB would let a stranger take 1 MB.
constexpr long longest_certificate_list = 16 * 1024;

int judge_certificate(X509_STORE_CTX* store, void*) {
  auto* ssl =
      static_cast<SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
  auto* judge = static_cast<certificate_judge*>(SSL_get_app_data(ssl));
  X509* certificate = X509_STORE_CTX_get0_cert(store);
  if (judge != nullptr && certificate != nullptr && judge->accepts(certificate)) return 1;
  // Becomes the alert bad_certificate (RFC 5246 7.2.2).
  X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REJECTED);
  return 0;
}

bool choose_algorithms(SSL_CTX* context) {
  // The distribution's configuration has its own ideas of all of these.
  SSL_CTX_set_security_level(context, 1);
  return SSL_CTX_set_min_proto_version(context, DTLS1_2_VERSION) == 1 &&
         SSL_CTX_set_max_proto_version(context, DTLS1_2_VERSION) == 1 &&
         SSL_CTX_set_cipher_list(context, ciphers) == 1 &&
         SSL_CTX_set1_groups_list(context, groups) == 1 &&
         SSL_CTX_set1_sigalgs_list(context, signatures) == 1 &&
         SSL_CTX_set_tlsext_use_srtp(context, srtp_profiles) == 0;  // 0 is its success
}

using context_ptr = crypto::openssl_ptr<SSL_CTX, SSL_CTX_free>;

context_ptr make_context() {
  context_ptr made(SSL_CTX_new(DTLS_method()));
  SSL_CTX* context = made.get();
  if (context == nullptr || !choose_algorithms(context)) return nullptr;
  SSL_CTX_set_options(context, SSL_OP_NO_QUERY_MTU | SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION |
                                   SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  // The certificate is all there is of the chain.
  SSL_CTX_set_mode(context, SSL_MODE_NO_AUTO_CHAIN);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_max_cert_list(context, longest_certificate_list);
  // RFC 8827 6.5: both sides show a certificate; RFC 8122: its fingerprint alone decides.
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  SSL_CTX_set_cert_verify_callback(context, judge_certificate, nullptr);
  return made;
}

}  // namespace

bool set_judge(SSL* ssl, certificate_judge* judge) { return SSL_set_app_data(ssl, judge) == 1; }

ssl_ptr make_session(const crypto::identity& identity) {
  static const context_ptr shared = make_context();
  ssl_ptr session(shared ? SSL_new(shared.get()) : nullptr);
  if (!session || SSL_use_certificate(session.get(), identity.certificate()) != 1 ||
      SSL_use_PrivateKey(session.get(), identity.key()) != 1) {
    return nullptr;
  }
  return session;
}

}  // namespace asiortc::dtls

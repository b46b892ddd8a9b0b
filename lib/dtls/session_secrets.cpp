#include "dtls/session_secrets.hpp"

#include "crypto/openssl.hpp"

#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include <algorithm>
#include <string>

namespace asiortc::dtls {
namespace {

using kdf_ptr = crypto::openssl_ptr<EVP_KDF, EVP_KDF_free>;
using kdf_context_ptr = crypto::openssl_ptr<EVP_KDF_CTX, EVP_KDF_CTX_free>;

// RFC 5705 4: exporters do not use what TLS uses itself. RFC 7627 4 added the last.
constexpr std::array<std::string_view, 5> labels_of_tls = {"client finished", "server finished",
                                                           "master secret", "key expansion",
                                                           "extended master secret"};

// Twice the longest key and the longest IV.
constexpr std::size_t longest_key_block = 2 * (32 + 12);

OSSL_PARAM octets(const char* name, base::byte_span value) {
  // OpenSSL's parameters serve both ways and so know no const.
  return OSSL_PARAM_construct_octet_string(name, const_cast<std::uint8_t*>(value.data()),
                                           value.size());
}

/// Takes as much off the front of `block` as `out` holds.
void take_key(base::byte_span& block, base::mutable_byte_span out) {
  std::copy_n(block.begin(), out.size(), out.begin());
  block = block.subspan(out.size());
}

}  // namespace

session_secrets::~session_secrets() {
  OPENSSL_cleanse(master_secret_.data(), master_secret_.size());
  OPENSSL_cleanse(client_random_.data(), client_random_.size());
  OPENSSL_cleanse(server_random_.data(), server_random_.size());
}

std::unique_ptr<const session_secrets> session_secrets::of(SSL* ssl) {
  std::unique_ptr<session_secrets> made(new session_secrets());
  if (!made->take(ssl)) return nullptr;
  return made;
}

bool session_secrets::take(SSL* ssl) {
  const SSL_CIPHER* suite = SSL_get_current_cipher(ssl);
  const SSL_SESSION* session = SSL_get_session(ssl);
  if (suite == nullptr || session == nullptr) return false;
  const auto kind = aead_of(SSL_CIPHER_get_cipher_nid(suite));
  hash_ = SSL_CIPHER_get_handshake_digest(suite);
  if (!kind || hash_ == nullptr) return false;
  kind_ = *kind;
  return SSL_SESSION_get_master_key(session, master_secret_.data(), master_secret_.size()) ==
             master_secret_.size() &&
         SSL_get_client_random(ssl, client_random_.data(), client_random_.size()) ==
             client_random_.size() &&
         SSL_get_server_random(ssl, server_random_.data(), server_random_.size()) ==
             server_random_.size();
}

bool session_secrets::derive(key_block& keys) const {
  keys.kind = kind_;
  const std::size_t key = key_size(kind_);
  const std::size_t iv = fixed_iv_size(kind_);
  std::array<std::uint8_t, longest_key_block> block{};
  const auto used = base::mutable_byte_span(block).first(2 * (key + iv));
  // RFC 5246 6.3 has the server's random first, RFC 5705 4 the client's.
  const bool derived = prf("key expansion", server_random_, client_random_, used);
  base::byte_span rest = used;
  take_key(rest, base::mutable_byte_span(keys.client_write.key).first(key));
  take_key(rest, base::mutable_byte_span(keys.server_write.key).first(key));
  take_key(rest, base::mutable_byte_span(keys.client_write.fixed_iv).first(iv));
  take_key(rest, base::mutable_byte_span(keys.server_write.fixed_iv).first(iv));
  OPENSSL_cleanse(block.data(), block.size());
  return derived;
}

bool session_secrets::export_material(std::string_view label, base::mutable_byte_span out) const {
  if (std::find(labels_of_tls.begin(), labels_of_tls.end(), label) != labels_of_tls.end()) {
    return false;
  }
  return prf(label, client_random_, server_random_, out);
}

/// RFC 5246 5: PRF(secret, label, seed) = P_hash(secret, label + seed).
bool session_secrets::prf(std::string_view label, base::byte_span first_seed,
                          base::byte_span second_seed, base::mutable_byte_span out) const {
  static const kdf_ptr function(EVP_KDF_fetch(nullptr, "TLS1-PRF", nullptr));
  const kdf_context_ptr context(function ? EVP_KDF_CTX_new(function.get()) : nullptr);
  if (!context) return false;
  std::string hash = EVP_MD_get0_name(hash_);
  const std::array<OSSL_PARAM, 6> parameters = {
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, hash.data(), 0),
      octets(OSSL_KDF_PARAM_SECRET, master_secret_),
      octets(OSSL_KDF_PARAM_SEED, base::as_bytes(label)),
      octets(OSSL_KDF_PARAM_SEED, first_seed),
      octets(OSSL_KDF_PARAM_SEED, second_seed),
      OSSL_PARAM_construct_end()};
  return EVP_KDF_derive(context.get(), out.data(), out.size(), parameters.data()) == 1;
}

}  // namespace asiortc::dtls

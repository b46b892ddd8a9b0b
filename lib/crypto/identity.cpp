#include "crypto/identity.hpp"

#include "crypto/openssl.hpp"

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include <array>
#include <limits>
#include <string>
#include <utility>

namespace asiortc::crypto {
namespace {

// A peer whose clock is behind ours must not find the certificate not valid yet.
constexpr std::int64_t clock_skew_seconds = 24 * 60 * 60;
// A key and a certificate of any real size fit; more is not ours.
constexpr std::size_t largest_pem = 64 * 1024;
// RFC 5280 4.1.2.2: at most 20 octets, positive; 64 random bits suffice.
constexpr int serial_bits = 64;
// Level 1 of OpenSSL's security, at which DTLS works here, takes no key much shorter, nor do
// browsers.
constexpr int least_rsa_bits = 1024;

key_ptr make_key(key_type type) {
  return key_ptr(type == key_type::rsa_2048 ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256"));
}

bool set_random_serial(X509* certificate) {
  const bignum_ptr number(BN_new());
  return number && BN_rand(number.get(), serial_bits, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1 &&
         BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr;
}

bool set_names(X509* certificate) {
  X509_NAME* name = X509_get_subject_name(certificate);
  // RFC 8827 6.5: the certificate says nothing about the user.
  const auto* text = reinterpret_cast<const unsigned char*>("asiortc");
  return X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, text, -1, -1, 0) == 1 &&
         X509_set_issuer_name(certificate, name) == 1;
}

bool set_validity(X509* certificate, std::int64_t now, std::int64_t expires) {
  return ASN1_TIME_set(X509_getm_notBefore(certificate), now - clock_skew_seconds) != nullptr &&
         ASN1_TIME_set(X509_getm_notAfter(certificate), expires) != nullptr;
}

certificate_ptr make_certificate(EVP_PKEY* key, std::int64_t now, std::int64_t expires) {
  certificate_ptr certificate(X509_new());
  const bool made = certificate && X509_set_version(certificate.get(), X509_VERSION_3) == 1 &&
                    set_random_serial(certificate.get()) && set_names(certificate.get()) &&
                    set_validity(certificate.get(), now, expires) &&
                    X509_set_pubkey(certificate.get(), key) == 1 &&
                    X509_sign(certificate.get(), key, EVP_sha256()) > 0;
  if (!made) certificate.reset();
  return certificate;
}

// Without this OpenSSL would ask for the password of an encrypted key on the terminal.
int no_password(char*, int, int, void*) { return -1; }

bio_ptr reader(std::string_view text) {
  return bio_ptr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

std::int64_t seconds_since_epoch(const ASN1_TIME* time) {
  const asn1_time_ptr epoch(ASN1_TIME_set(nullptr, 0));
  int days = 0;
  int seconds = 0;
  if (!epoch || ASN1_TIME_diff(&days, &seconds, epoch.get(), time) != 1) return 0;
  return std::int64_t{days} * 24 * 60 * 60 + seconds;
}

std::string curve_of(const EVP_PKEY* key) {
  std::array<char, 80> name{};
  std::size_t size = 0;
  const bool named = EVP_PKEY_get_group_name(key, name.data(), name.size(), &size) == 1;
  return named ? std::string(name.data(), size) : "of no name";
}

/// Why DTLS could do nothing with them; empty where it can. `key` is EC or RSA.
std::string refusal(EVP_PKEY* key, X509* certificate) {
  if (EVP_PKEY_get_base_id(key) == EVP_PKEY_EC) {
    // Those that DTLS here and browsers offer (RFC 8422 5.1.1) and that sign.
    const std::string curve = curve_of(key);
    if (curve != SN_X9_62_prime256v1 && curve != SN_secp384r1) {
      return "the curve of the key is " + curve + ", expected P-256 or P-384";
    }
  } else if (EVP_PKEY_get_bits(key) < least_rsa_bits) {
    return "the RSA key has " + std::to_string(EVP_PKEY_get_bits(key)) +
           " bits, expected 1024 or more";
  }
  // RFC 5246 7.4.2, 7.4.6: without it neither a server with ECDHE nor a client may use the key. A
  // certificate that does not say what its key is for allows all.
  if ((X509_get_key_usage(certificate) & KU_DIGITAL_SIGNATURE) == 0) {
    return "the certificate's keyUsage lacks digitalSignature";
  }
  return {};
}

}  // namespace

struct identity::impl {
  key_ptr key;
  certificate_ptr certificate;
};

identity::identity(std::unique_ptr<impl> handles) : impl_(std::move(handles)) {}
identity::~identity() = default;

base::result<std::shared_ptr<const identity>> identity::generate(key_type type, std::int64_t now,
                                                                 std::int64_t expires) {
  if (expires <= now) {
    return base::failure(errc::type_error, "a certificate has to expire after it is made");
  }
  auto handles = std::make_unique<impl>();
  handles->key = make_key(type);
  if (handles->key) handles->certificate = make_certificate(handles->key.get(), now, expires);
  if (!handles->certificate) {
    return base::failure(errc::operation_error,
                         "the certificate could not be made: " + take_openssl_error());
  }
  return std::make_shared<const identity>(std::move(handles));
}

base::result<std::shared_ptr<const identity>> identity::from_pem(std::string_view pem) {
  if (pem.size() > largest_pem) {
    return base::failure(errc::syntax_error, "a PEM text of more than 64 KiB is not accepted");
  }
  auto handles = std::make_unique<impl>();
  handles->key.reset(PEM_read_bio_PrivateKey(reader(pem).get(), nullptr, no_password, nullptr));
  if (!handles->key) {
    return base::failure(errc::syntax_error, "no unencrypted private key in PEM form was found: " +
                                                 take_openssl_error());
  }
  handles->certificate.reset(PEM_read_bio_X509(reader(pem).get(), nullptr, no_password, nullptr));
  if (!handles->certificate) {
    return base::failure(errc::syntax_error,
                         "no certificate in PEM form was found: " + take_openssl_error());
  }
  const int type = EVP_PKEY_get_base_id(handles->key.get());
  if (type != EVP_PKEY_EC && type != EVP_PKEY_RSA) {
    return base::failure(errc::not_supported, "the private key has to be of type EC or RSA");
  }
  if (X509_check_private_key(handles->certificate.get(), handles->key.get()) != 1) {
    return base::failure(errc::syntax_error,
                         "the private key is not that of the certificate: " + take_openssl_error());
  }
  auto why = refusal(handles->key.get(), handles->certificate.get());
  // What the looks at a strange certificate leave behind, too.
  ERR_clear_error();
  if (!why.empty()) return base::failure(errc::not_supported, std::move(why));
  return std::make_shared<const identity>(std::move(handles));
}

bool has_certificate(std::string_view pem) {
  if (pem.size() > std::numeric_limits<int>::max()) return false;
  const certificate_ptr first(PEM_read_bio_X509(reader(pem).get(), nullptr, no_password, nullptr));
  ERR_clear_error();
  return first != nullptr;
}

std::string identity::to_pem() const {
  const bio_ptr out(BIO_new(BIO_s_mem()));
  if (!out ||
      PEM_write_bio_PrivateKey(out.get(), key(), nullptr, nullptr, 0, nullptr, nullptr) != 1 ||
      PEM_write_bio_X509(out.get(), certificate()) != 1) {
    ERR_clear_error();
    return {};
  }
  char* text = nullptr;
  const long size = BIO_get_mem_data(out.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

std::int64_t identity::expires() const {
  return seconds_since_epoch(X509_get0_notAfter(certificate()));
}

fingerprint identity::get_fingerprint(hash_algorithm algorithm) const {
  return fingerprint_of(der_of(certificate()), algorithm);
}

base::bytes identity::to_der() const { return der_of(certificate()); }

EVP_PKEY* identity::key() const { return impl_->key.get(); }
X509* identity::certificate() const { return impl_->certificate.get(); }

}  // namespace asiortc::crypto

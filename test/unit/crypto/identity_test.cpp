#include "crypto/identity.hpp"

#include "crypto/openssl.hpp"
#include "support/foreign_pem.hpp"
#include "unit/crypto/refusal.hpp"

#include <doctest/doctest.h>
#include <openssl/pem.h>

#include <vector>

using namespace asiortc;
using crypto::identity;
using crypto::key_type;

namespace {

constexpr std::int64_t now = 1'750'000'000;
constexpr std::int64_t month = 30 * 24 * 60 * 60;

std::shared_ptr<const identity> make(key_type type = key_type::ecdsa_p256) {
  return identity::generate(type, now, now + month).value();
}

boost::system::error_code pem_refusal(std::string_view pem) {
  return test::thrown_by([&] { (void)identity::from_pem(pem).value(); });
}

/// What a key and certificate of another program are refused for; empty where they are not.
std::string why_not_supported(const test::foreign_pem& made) {
  const auto read = identity::from_pem(made.make());
  CHECK(ERR_peek_error() == 0);
  if (!read.has_error()) return {};
  CHECK(read.error().code == errc::not_supported);
  return read.error().detail;
}

/// Seconds from `now` to a time of the certificate.
std::int64_t seconds_from_now(const ASN1_TIME* time) {
  const crypto::asn1_time_ptr from(ASN1_TIME_set(nullptr, now));
  int days = 0;
  int seconds = 0;
  REQUIRE(ASN1_TIME_diff(&days, &seconds, from.get(), time) == 1);
  return std::int64_t{days} * 86400 + seconds;
}

}  // namespace

TEST_CASE("a generated certificate is a self-signed X.509 version 3 with a random serial") {
  for (const auto type : {key_type::ecdsa_p256, key_type::rsa_2048}) {
    const auto made = make(type);
    X509* certificate = made->certificate();
    CHECK(X509_get_version(certificate) == X509_VERSION_3);
    CHECK(X509_verify(certificate, made->key()) == 1);
    CHECK(X509_check_private_key(certificate, made->key()) == 1);
    CHECK(ASN1_INTEGER_cmp(X509_get0_serialNumber(certificate),
                           X509_get0_serialNumber(make()->certificate())) != 0);
  }
}

TEST_CASE("a generated certificate is valid from a day before to the time asked for") {
  const auto made = make();
  CHECK(seconds_from_now(X509_get0_notBefore(made->certificate())) == -86400);
  CHECK(seconds_from_now(X509_get0_notAfter(made->certificate())) == month);
  CHECK(made->expires() == now + month);
}

TEST_CASE("a certificate that expires before it is made is refused") {
  CHECK(test::thrown_by([] { (void)identity::generate(key_type::ecdsa_p256, now, now).value(); }) ==
        errc::type_error);
}

TEST_CASE("an identity survives PEM, in either order") {
  for (const auto type : {key_type::ecdsa_p256, key_type::rsa_2048}) {
    const auto made = make(type);
    const std::string pem = made->to_pem();
    const std::size_t split = pem.find("-----BEGIN CERTIFICATE");
    REQUIRE(split != std::string::npos);
    for (const std::string& text : {pem, pem.substr(split) + pem.substr(0, split)}) {
      const auto read = identity::from_pem(text);
      REQUIRE(read.has_value());
      CHECK((*read)->get_fingerprint(crypto::hash_algorithm::sha256) ==
            made->get_fingerprint(crypto::hash_algorithm::sha256));
      CHECK((*read)->expires() == made->expires());
    }
  }
}

TEST_CASE("PEM without a key, without a certificate or with another's key is a syntax error") {
  const std::string pem = make()->to_pem();
  const std::size_t split = pem.find("-----BEGIN CERTIFICATE");
  CHECK(pem_refusal("") == errc::syntax_error);
  CHECK(pem_refusal("nonsense") == errc::syntax_error);
  CHECK(pem_refusal(pem.substr(0, split)) == errc::syntax_error);
  CHECK(pem_refusal(pem.substr(split)) == errc::syntax_error);
  const std::string other = make()->to_pem();
  CHECK(pem_refusal(other.substr(0, other.find("-----BEGIN CERTIFICATE")) + pem.substr(split)) ==
        errc::syntax_error);
  CHECK(pem_refusal(std::string(100'000, 'x')) == errc::syntax_error);
  CHECK(ERR_peek_error() == 0);
}

TEST_CASE("an encrypted key is refused without asking for its password") {
  const auto made = make();
  const crypto::bio_ptr out(BIO_new(BIO_s_mem()));
  std::string password = "secret";
  REQUIRE(PEM_write_bio_PrivateKey(out.get(), made->key(), EVP_aes_128_cbc(),
                                   reinterpret_cast<unsigned char*>(password.data()),
                                   static_cast<int>(password.size()), nullptr, nullptr) == 1);
  char* text = nullptr;
  const long size = BIO_get_mem_data(out.get(), &text);
  CHECK(pem_refusal(std::string(text, static_cast<std::size_t>(size))) == errc::syntax_error);
}

TEST_CASE("a key on a curve that no DTLS peer takes is refused by the curve's name") {
  test::foreign_pem made;
  for (const auto& [curve, name] :
       {std::pair("P-521", "secp521r1"), {"P-224", "secp224r1"}, {"secp256k1", "secp256k1"}}) {
    made.curve = curve;
    CHECK(why_not_supported(made) ==
          "the curve of the key is " + std::string(name) + ", expected P-256 or P-384");
  }
  for (const auto* curve : {"P-256", "P-384"}) {
    made.curve = curve;
    CHECK(why_not_supported(made).empty());
  }
}

TEST_CASE("an RSA key of less than 1024 bits is refused by its size") {
  test::foreign_pem made;
  made.rsa_bits = 512;
  CHECK(why_not_supported(made) == "the RSA key has 512 bits, expected 1024 or more");
  made.rsa_bits = 1016;
  CHECK(why_not_supported(made) == "the RSA key has 1016 bits, expected 1024 or more");
  made.rsa_bits = 1024;
  CHECK(why_not_supported(made).empty());
}

TEST_CASE("a certificate whose keyUsage lacks digitalSignature is refused by name") {
  test::foreign_pem made;
  for (const auto* usage : {"keyCertSign", "keyAgreement,keyEncipherment"}) {
    made.key_usage = usage;
    CHECK(why_not_supported(made) == "the certificate's keyUsage lacks digitalSignature");
  }
  made.key_usage = "critical,digitalSignature,keyCertSign";
  CHECK(why_not_supported(made).empty());
}

#include "crypto/identity.hpp"

#include <asiortc/certificate.hpp>

namespace asiortc::inline ASIORTC_ABI {
namespace {

// webrtc-pc 4.9.1 lets a year be the longest life of a generated certificate.
constexpr std::chrono::seconds longest_validity = std::chrono::hours(24 * 365);

certificate_fingerprint published(const crypto::identity& identity,
                                  crypto::hash_algorithm algorithm) {
  const std::string line = identity.get_fingerprint(algorithm).to_string();
  const std::size_t space = line.find(' ');
  return {line.substr(0, space), line.substr(space + 1)};
}

}  // namespace

certificate certificate::generate(const certificate_options& options) {
  if (options.validity < std::chrono::seconds(1) || options.validity > longest_validity) {
    throw error(errc::type_error, "certificate_options.validity is from 1 second to 365 days");
  }
  const auto now =
      std::chrono::duration_cast<std::chrono::seconds>(options.valid_from.time_since_epoch());
  const auto type = options.key == certificate_key::rsa_2048 ? crypto::key_type::rsa_2048
                                                             : crypto::key_type::ecdsa_p256;
  return certificate(
      crypto::identity::generate(type, now.count(), (now + options.validity).count()).value());
}

certificate certificate::from_pem(std::string_view pem) {
  return certificate(crypto::identity::from_pem(pem).value());
}

std::string certificate::to_pem() const { return identity_->to_pem(); }

std::chrono::system_clock::time_point certificate::expires() const {
  return std::chrono::system_clock::time_point(std::chrono::seconds(identity_->expires()));
}

std::vector<certificate_fingerprint> certificate::fingerprints() const {
  return {published(*identity_, crypto::hash_algorithm::sha256),
          published(*identity_, crypto::hash_algorithm::sha384),
          published(*identity_, crypto::hash_algorithm::sha512)};
}

}  // namespace asiortc::inline ASIORTC_ABI

#include "crypto/published_fingerprint.hpp"

#include <asiortc/certificate.hpp>

namespace asiortc {

certificate_fingerprint crypto::published(const fingerprint& value) {
  const std::string line = value.to_string();
  const std::size_t space = line.find(' ');
  return {line.substr(0, space), line.substr(space + 1)};
}

inline namespace ASIORTC_ABI {
namespace {

// webrtc-pc 4.9.1 lets a year be the longest life of a generated certificate.
constexpr std::chrono::seconds longest_validity = std::chrono::hours(24 * 365);

/// A clock that counts nanoseconds ends in the year 2262, certificates in 9999 (RFC 5280 4.1.2.5).
std::chrono::system_clock::time_point nearest_time_point(std::chrono::seconds since_epoch) {
  using time_point = std::chrono::system_clock::time_point;
  using std::chrono::floor;
  using std::chrono::seconds;
  if (since_epoch > floor<seconds>(time_point::max().time_since_epoch())) return time_point::max();
  if (since_epoch <= floor<seconds>(time_point::min().time_since_epoch())) return time_point::min();
  return time_point(since_epoch);
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
  return nearest_time_point(std::chrono::seconds(identity_->expires()));
}

bool certificate::operator==(const certificate& other) const {
  if (identity_ == other.identity_) return true;
  // A key without its certificate, or with another one's, is never read.
  return identity_ && other.identity_ && identity_->to_der() == other.identity_->to_der();
}

std::vector<certificate_fingerprint> certificate::fingerprints() const {
  return {crypto::published(identity_->get_fingerprint(crypto::hash_algorithm::sha256)),
          crypto::published(identity_->get_fingerprint(crypto::hash_algorithm::sha384)),
          crypto::published(identity_->get_fingerprint(crypto::hash_algorithm::sha512))};
}

}  // namespace ASIORTC_ABI
}  // namespace asiortc

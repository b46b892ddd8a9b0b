#include "turn/credentials.hpp"

#include "crypto/hash.hpp"

#include <optional>

namespace asiortc::turn {
namespace {

using stun::attribute_type;

// RFC 8489 14.9, 14.10: "fewer than 128 characters, which can be as long as 763 bytes".
constexpr std::size_t largest_text = 763;
// Two algorithms are registered and take 8 bytes; more than this is nobody's list.
constexpr std::size_t largest_list = 256;

// RFC 8489 9.2: "the 'nonce cookie' ... the string 'obMatJos2' concatenated with the (4-character)
// base64 encoding of the 24-bit STUN Security Features".
constexpr std::string_view nonce_cookie = "obMatJos2";
constexpr std::size_t features_size = 4;
// RFC 8489 18.1: bit 0 is the least significant one, as the message of appendix B.1 shows.
constexpr std::uint32_t feature_password_algorithms = 1;
constexpr std::uint32_t feature_username_anonymity = 2;

std::uint32_t features_of(std::string_view nonce) {
  static constexpr std::string_view alphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  if (nonce.substr(0, nonce_cookie.size()) != nonce_cookie ||
      nonce.size() < nonce_cookie.size() + features_size) {
    return 0;
  }
  std::uint32_t features = 0;
  for (const char c : nonce.substr(nonce_cookie.size(), features_size)) {
    const auto digit = alphabet.find(c);
    if (digit == std::string_view::npos) return 0;
    features = features << 6 | static_cast<std::uint32_t>(digit);
  }
  return features;
}

bool is_usable(const std::optional<std::string_view>& text) {
  return text && !text->empty() && text->size() <= largest_text;
}

}  // namespace

bool long_term_credentials::lacks_algorithms(const stun::message_view& answer) {
  const auto nonce = answer.find_text(attribute_type::nonce);
  return nonce && (features_of(*nonce) & feature_password_algorithms) != 0 &&
         !answer.has(attribute_type::password_algorithms);
}

long_term_credentials::algorithm long_term_credentials::first_known(base::byte_span list) {
  base::byte_reader reader(list);
  while (reader.remaining() > 0) {
    const auto number = static_cast<algorithm>(reader.u16());
    const std::uint16_t parameters = reader.u16();
    reader.take(stun::padded(parameters));
    if (!reader.ok()) break;
    // RFC 8489 18.5.1: both take no parameters.
    if ((number == algorithm::md5 || number == algorithm::sha256) && parameters == 0) return number;
  }
  return algorithm::none;
}

long_term_credentials::challenge long_term_credentials::take(const stun::message_view& answer) {
  const auto realm = answer.find_text(attribute_type::realm);
  const auto nonce = answer.find_text(attribute_type::nonce);
  const auto list = answer.find(attribute_type::password_algorithms);
  if (!is_usable(realm) || !is_usable(nonce) || (list && list->size() > largest_list)) {
    return challenge::malformed;
  }
  if (lacks_algorithms(answer)) return challenge::bid_down;
  const algorithm chosen = list ? first_known(*list) : algorithm::none;
  if (list && chosen == algorithm::none) return challenge::no_algorithm;

  const bool same_key = !key_.empty() && realm_ == *realm && algorithm_ == chosen;
  realm_ = *realm;
  nonce_ = *nonce;
  offered_.clear();
  if (list) offered_.assign(list->begin(), list->end());
  algorithm_ = chosen;
  anonymous_ = (features_of(nonce_) & feature_username_anonymity) != 0;
  if (!same_key) derive_key();
  return challenge::accepted;
}

void long_term_credentials::derive_key() {
  // RFC 8489 18.5.1.1, 18.5.1.2: the hash of username ":" realm ":" password.
  const std::string text = username_ + ":" + realm_ + ":" + password_;
  const auto set = [this](const auto& digest) { key_.assign(digest.begin(), digest.end()); };
  if (algorithm_ == algorithm::sha256) {
    set(crypto::sha256(base::as_bytes(text)));
  } else {
    set(crypto::md5(base::as_bytes(text)));
  }
}

void long_term_credentials::sign(stun::message_builder& request) const {
  if (anonymous_) {
    // RFC 8489 14.4: "userhash = SHA-256(OpaqueString(username) ":" OpaqueString(realm))".
    request.add(attribute_type::userhash, crypto::sha256(base::as_bytes(username_ + ":" + realm_)));
  } else {
    request.add_text(attribute_type::username, username_);
  }
  request.add_text(attribute_type::nonce, nonce_).add_text(attribute_type::realm, realm_);
  if (algorithm_ == algorithm::none) {
    request.add_integrity(key_);
    return;
  }
  // RFC 8489 9.2.5: the list "with the same content" and the choice from it.
  request.add(attribute_type::password_algorithms, offered_);
  request.add_u32(attribute_type::password_algorithm, static_cast<std::uint32_t>(algorithm_) << 16);
  if (algorithm_ == algorithm::sha256) {
    request.add_integrity_sha256(key_);
  } else {
    request.add_integrity(key_);
  }
}

}  // namespace asiortc::turn

#include "base/ascii.hpp"
#include "crypto/identity.hpp"
#include "crypto/openssl.hpp"

#include <array>
#include <cassert>
#include <optional>

namespace asiortc::crypto {
namespace {

struct named_algorithm {
  std::string_view name;  // RFC 8122 5: hash-func
  hash_algorithm algorithm;
  std::size_t digest_size;
};

constexpr std::array<named_algorithm, 3> algorithms{{
    {"sha-256", hash_algorithm::sha256, 32},
    {"sha-384", hash_algorithm::sha384, 48},
    {"sha-512", hash_algorithm::sha512, 64},
}};

const EVP_MD* openssl_hash(hash_algorithm algorithm) {
  switch (algorithm) {
    case hash_algorithm::sha384:
      return EVP_sha384();
    case hash_algorithm::sha512:
      return EVP_sha512();
    case hash_algorithm::sha256:
      break;
  }
  return EVP_sha256();
}

std::optional<unsigned> hex_digit(char letter) {
  const char small = base::lower(letter);
  if (small >= '0' && small <= '9') return static_cast<unsigned>(small - '0');
  if (small >= 'a' && small <= 'f') return static_cast<unsigned>(small - 'a' + 10);
  return std::nullopt;
}

/// `AB:CD:…` of exactly `size` octets, or nothing.
std::optional<base::bytes> parse_digest(std::string_view text, std::size_t size) {
  if (text.size() != 3 * size - 1) return std::nullopt;
  base::bytes digest;
  for (std::size_t at = 0; at < text.size(); at += 3) {
    const auto high = hex_digit(text[at]);
    const auto low = hex_digit(text[at + 1]);
    const bool separated = at + 2 == text.size() || text[at + 2] == ':';
    if (!high || !low || !separated) return std::nullopt;
    digest.push_back(static_cast<std::uint8_t>(*high << 4 | *low));
  }
  return digest;
}

}  // namespace

std::string_view to_string(hash_algorithm algorithm) {
  for (const auto& entry : algorithms) {
    if (entry.algorithm == algorithm) return entry.name;
  }
  return algorithms.front().name;
}

std::string fingerprint::to_string() const {
  static constexpr std::string_view digits = "0123456789ABCDEF";
  std::string text{crypto::to_string(algorithm)};
  char separator = ' ';
  for (const std::uint8_t octet : digest) {
    text.push_back(separator);
    text.push_back(digits[octet >> 4]);
    text.push_back(digits[octet & 15]);
    separator = ':';
  }
  return text;
}

base::result<fingerprint> fingerprint::parse(std::string_view text) {
  const std::size_t space = text.find(' ');
  if (space == std::string_view::npos) {
    return base::failure(errc::syntax_error, "a fingerprint is `<algorithm> <AB:CD:...>`");
  }
  for (const auto& entry : algorithms) {
    if (!base::equal_ignoring_case(text.substr(0, space), entry.name)) continue;
    auto digest = parse_digest(text.substr(space + 1), entry.digest_size);
    if (digest) return fingerprint{entry.algorithm, std::move(*digest)};
    return base::failure(errc::syntax_error, "a " + std::string(entry.name) + " fingerprint has " +
                                                 std::to_string(entry.digest_size) +
                                                 " hexadecimal octets separated by colons");
  }
  return base::failure(errc::not_supported,
                       "fingerprint algorithms are sha-256, sha-384 and sha-512");
}

fingerprint fingerprint_of(base::byte_span der, hash_algorithm algorithm) {
  fingerprint result{algorithm, base::bytes(EVP_MAX_MD_SIZE)};
  unsigned int length = 0;
  [[maybe_unused]] const int done = EVP_Digest(der.data(), der.size(), result.digest.data(),
                                               &length, openssl_hash(algorithm), nullptr);
  assert(done == 1);
  result.digest.resize(length);
  return result;
}

}  // namespace asiortc::crypto

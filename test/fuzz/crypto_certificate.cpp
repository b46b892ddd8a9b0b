// A certificate of whatever validity is made and, its PEM altered where the input says, read again:
// what is read back unaltered is the same, and what is altered is refused or another.
#include "base/bytes.hpp"
#include "crypto/hash.hpp"
#include "crypto/identity.hpp"
#include "crypto/random.hpp"

#include <asiortc/certificate.hpp>
#include <asiortc/error.hpp>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <string>

using namespace asiortc;

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

certificate_options read_options(base::byte_reader& script) {
  const std::uint8_t how = script.u8();
  const auto from = std::chrono::seconds(script.u32());
  certificate_options options(std::chrono::system_clock::time_point{from});
  options.validity = std::chrono::seconds(script.u32() % 40'000'000);
  // An RSA key takes long to make, so that few inputs have one.
  if (how == 255 && script.remaining() == 0) options.key = certificate_key::rsa_2048;
  return options;
}

std::string altered(std::string pem, base::byte_reader& script) {
  while (script.remaining() >= 3) {
    const std::size_t place = script.u16() % pem.size();
    pem[place] = static_cast<char>(script.u8());
  }
  return pem;
}

void read(const std::string& pem, const certificate& original) {
  try {
    const auto again = certificate::from_pem(pem);
    require(again.fingerprints().size() == 3);
    require(pem != original.to_pem() || again.expires() == original.expires());
  } catch (const error& refused) {
    require(pem != original.to_pem() && !std::string(refused.what()).empty());
  }
}

/// Keyed hashes of the input: the same for the same, another for another key or other bytes.
void hash(base::byte_span data) {
  const auto key = data.first(data.size() / 2);
  base::bytes other(data.begin(), data.end());
  base::bytes nonce(8);
  crypto::system_random().fill(nonce);
  other.insert(other.end(), nonce.begin(), nonce.end());
  require(crypto::constant_time_equal(crypto::md5(data), crypto::md5(data)));
  require(!crypto::constant_time_equal(crypto::sha256(data), crypto::sha256(other)));
  require(
      !crypto::constant_time_equal(crypto::hmac_sha1(key, data), crypto::hmac_sha1(key, other)));
  require(!crypto::constant_time_equal(crypto::hmac_sha256(data, key),
                                       crypto::hmac_sha256(other, key)));
  require(!crypto::constant_time_equal(data, other));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  base::byte_reader script({data, size});
  hash({data, size});
  const auto options = read_options(script);
  try {
    const auto made = certificate::generate(options);
    const auto published = made.fingerprints().front();
    require(crypto::fingerprint::parse(published.algorithm + " " + published.value).has_value());
    read(made.to_pem(), made);
    read(altered(made.to_pem(), script), made);
  } catch (const error& refused) {
    // Validities of none or of more than a year.
    require(refused.code() == make_error_code(errc::type_error));
  }
  return 0;
}

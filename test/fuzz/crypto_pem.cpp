// Any text as PEM: what is read can be written, and is the same certificate when read again.
#include "crypto/identity.hpp"

#include <cstdint>
#include <cstdlib>

using namespace asiortc;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto read = crypto::identity::from_pem(base::as_text({data, size}));
  if (!read.has_value()) return 0;
  (void)(*read)->expires();
  const auto again = crypto::identity::from_pem((*read)->to_pem());
  if (!again.has_value()) std::abort();
  const auto digest = [](const crypto::identity& identity) {
    return identity.get_fingerprint(crypto::hash_algorithm::sha256);
  };
  if (digest(**read) != digest(**again)) std::abort();
  return 0;
}

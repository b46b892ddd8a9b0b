// Any text as an `a=fingerprint` value: what parses is written and parses to the same again.
#include "crypto/identity.hpp"

#include <cstdint>
#include <cstdlib>

using namespace asiortc;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto parsed = crypto::fingerprint::parse(base::as_text({data, size}));
  if (!parsed.has_value()) return 0;
  const auto again = crypto::fingerprint::parse(parsed->to_string());
  if (!again.has_value() || *again != *parsed) std::abort();
  return 0;
}

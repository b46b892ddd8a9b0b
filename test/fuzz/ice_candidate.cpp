// A candidate line is parsed; what was understood is written and parsed to the same again.
#include "ice/candidate.hpp"

#include <cstdint>
#include <cstdlib>

using namespace asiortc;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto parsed = ice::parse_candidate(base::as_text({data, size}));
  if (!parsed) {
    if (parsed.error().detail.empty()) std::abort();
    return 0;
  }
  const auto again = ice::parse_candidate(ice::to_string(*parsed));
  // The scope of an address is not written, and extensions that make the text too long are lost.
  if (!again) return size < 1500 ? std::abort(), 0 : 0;
  auto expected = *parsed;
  if (expected.address.address.scope_id() != 0) expected.address = again->address;
  if (expected.related && expected.related->address.scope_id() != 0) {
    expected.related = again->related;
  }
  if (!(expected == *again)) std::abort();
  return 0;
}

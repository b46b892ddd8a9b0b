// A description that parses is written, and what was written parses to the same.
#include "base/bytes.hpp"
#include "sdp/description.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace asiortc;
  const auto parsed = sdp::parse(base::as_text({data, size}));
  if (!parsed) return 0;
  const auto again = sdp::parse(parsed->to_string());
  if (!again || !(*again == *parsed)) std::abort();
  static_cast<void>(sdp::bundle_group(*parsed));
  for (const auto value : parsed->attributes.values("setup")) {
    const auto role = sdp::parse_setup(value);
    if (role && sdp::to_string(*role) != value) std::abort();
  }
  return 0;
}

#include "base/random.hpp"

#include <array>
#include <string_view>

namespace asiortc::base {

std::uint64_t random_source::u64() {
  std::array<std::uint8_t, 8> octets{};
  fill(octets);
  return byte_reader(octets).u64();
}

std::uint64_t random_source::below(std::uint64_t bound) {
  // Values past the last whole multiple of `bound` would make the small results more likely.
  const std::uint64_t limit = UINT64_MAX - UINT64_MAX % bound;
  std::uint64_t value = u64();
  while (value >= limit) value = u64();
  return value % bound;
}

std::string random_source::ice_chars(std::size_t length) {
  static constexpr std::string_view alphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  bytes octets(length);
  fill(octets);
  std::string text;
  for (const std::uint8_t octet : octets) text.push_back(alphabet[octet & 63]);
  return text;
}

}  // namespace asiortc::base

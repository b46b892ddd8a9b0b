#include "base/utf8.hpp"

#include <cstdint>
#include <cstring>

namespace asiortc::base {
namespace {

/// What may follow a lead byte: how many continuation bytes, and the bounds of the first one
/// (RFC 3629 4), which exclude overlong forms and surrogates.
struct sequence {
  std::uint8_t continuations = 0;
  std::uint8_t low = 0x80;
  std::uint8_t high = 0xbf;
};

sequence sequence_of(std::uint8_t lead) {
  if (lead >= 0xc2 && lead <= 0xdf) return {1, 0x80, 0xbf};
  if (lead == 0xe0) return {2, 0xa0, 0xbf};
  if (lead == 0xed) return {2, 0x80, 0x9f};
  if (lead >= 0xe1 && lead <= 0xef) return {2, 0x80, 0xbf};
  if (lead == 0xf0) return {3, 0x90, 0xbf};
  if (lead >= 0xf1 && lead <= 0xf3) return {3, 0x80, 0xbf};
  if (lead == 0xf4) return {3, 0x80, 0x8f};
  return {};
}

/// How many of the first bytes are ASCII, in steps of eight.
std::size_t ascii_prefix(std::string_view text) {
  std::size_t position = 0;
  for (std::uint64_t word = 0; position + sizeof word <= text.size(); position += sizeof word) {
    std::memcpy(&word, text.data() + position, sizeof word);
    if ((word & 0x8080808080808080ULL) != 0) break;
  }
  return position;
}

}  // namespace

bool is_valid_utf8(std::string_view text) {
  for (std::size_t position = ascii_prefix(text); position < text.size();) {
    const auto at = [&](std::size_t offset) {
      return static_cast<std::uint8_t>(text[position + offset]);
    };
    if (at(0) < 0x80) {
      ++position;
      continue;
    }
    const sequence expected = sequence_of(at(0));
    if (expected.continuations == 0 || text.size() - position <= expected.continuations) {
      return false;
    }
    if (at(1) < expected.low || at(1) > expected.high) return false;
    for (std::size_t offset = 2; offset <= expected.continuations; ++offset) {
      if (at(offset) < 0x80 || at(offset) > 0xbf) return false;
    }
    position += expected.continuations + std::size_t{1};
  }
  return true;
}

}  // namespace asiortc::base

// Bytes from the way RFCs print them.
#pragma once

#include "base/bytes.hpp"

#include <string_view>

namespace asiortc::test {

/// Pairs of hexadecimal digits; anything else between them is skipped.
inline base::bytes from_hex(std::string_view text) {
  base::bytes out;
  int high = -1;
  for (const char c : text) {
    const auto digit = std::string_view("0123456789abcdef").find(c);
    if (digit == std::string_view::npos) continue;
    if (high < 0) {
      high = static_cast<int>(digit);
    } else {
      out.push_back(static_cast<std::uint8_t>(high << 4 | static_cast<int>(digit)));
      high = -1;
    }
  }
  return out;
}

}  // namespace asiortc::test

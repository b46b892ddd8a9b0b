#include "shared/text.hpp"

#include <boost/system/system_error.hpp>

#include <cstddef>
#include <cstdint>

namespace shared {
namespace {

constexpr char32_t replacement = 0xfffd;

struct decoded {
  char32_t code_point = replacement;
  std::size_t size = 1;  // an invalid byte is taken alone
  bool valid = false;
};

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

/// The first code point of a text that is not empty (RFC 3629 3).
decoded decode(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text.front());
  if (lead < 0x80) return {lead, 1, true};
  const std::size_t size = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < size) return {};
  char32_t value = lead & (0xffU >> (size + 1));
  for (std::size_t index = 1; index < size; ++index) {
    if (!is_continuation(text[index])) return {};
    value = value << 6 | (static_cast<unsigned char>(text[index]) & 0x3fU);
  }
  const char32_t smallest = size == 2 ? 0x80 : size == 3 ? 0x800 : 0x10000;
  if (value < smallest || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff)) return {};
  return {value, size, true};
}

void append(std::string& out, char32_t value) {
  const auto tail = [&](int shift) {
    out.push_back(static_cast<char>(0x80U | ((value >> shift) & 0x3fU)));
  };
  if (value < 0x80) {
    out.push_back(static_cast<char>(value));
  } else if (value < 0x800) {
    out.push_back(static_cast<char>(0xc0U | value >> 6));
    tail(0);
  } else if (value < 0x10000) {
    out.push_back(static_cast<char>(0xe0U | value >> 12));
    tail(6);
    tail(0);
  } else {
    out.push_back(static_cast<char>(0xf0U | value >> 18));
    tail(12);
    tail(6);
    tail(0);
  }
}

/// Marks, embeddings, overrides and isolates of Unicode's bidirectional algorithm, and the line and
/// paragraph separators: a line could be made to read as somebody else's.
bool changes_layout(char32_t value) {
  return value == 0x061c || value == 0x200e || value == 0x200f ||
         (value >= 0x2028 && value <= 0x202e) || (value >= 0x2066 && value <= 0x2069);
}

char32_t harmless(char32_t value) {
  if (value == '\t') return value;
  if (value < 0x20) return 0x2400 + value;
  if (value == 0x7f) return 0x2421;
  if ((value >= 0x80 && value <= 0x9f) || changes_layout(value)) return replacement;
  return value;
}

template <class Change>
std::string transform(std::string_view text, Change change) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const decoded next = decode(text);
    append(out, change(next.code_point));
    text.remove_prefix(next.size);
  }
  return out;
}

}  // namespace

std::string printable(std::string_view text) { return transform(text, harmless); }

std::string valid_utf8(std::string_view text) {
  return transform(text, [](char32_t value) { return value; });
}

std::string plain_what(const std::exception& problem) {
  std::string text = problem.what();
  const auto* coded = dynamic_cast<const boost::system::system_error*>(&problem);
  if (coded == nullptr) return text;
  const std::string ending = coded->code().what();
  if (!text.ends_with(ending)) return text;
  return text.substr(0, text.size() - ending.size()) + coded->code().message();
}

}  // namespace shared

#include "signaling/json_slice.hpp"

#include "signaling/json_object.hpp"

#include <algorithm>
#include <cstddef>

namespace asiortc::signaling {
namespace {

constexpr std::string_view white_space = " \t\n\r";  // RFC 8259 2

/// One past the closing quote of the string that opens at `at`.
std::size_t end_of_string(std::string_view text, std::size_t at) {
  for (++at; at < text.size() && text[at] != '"'; ++at) {
    if (text[at] == '\\') ++at;
  }
  return std::min(at + 1, text.size());
}

bool ends_value(char c) {
  return c == ',' || c == '}' || c == ']' || white_space.find(c) != std::string_view::npos;
}

std::size_t end_of_value(std::string_view text, std::size_t at) {
  std::size_t depth = 0;
  do {
    const char c = text[at];
    if (c == '{' || c == '[') ++depth;
    if ((c == '}' || c == ']') && depth > 0) --depth;
    at = c == '"' ? end_of_string(text, at) : at + 1;
  } while (at < text.size() && (depth > 0 || !ends_value(text[at])));
  return at;
}

/// Whether a key, in its quotes, says `field`; escapes may spell any character.
bool names(std::string_view key, std::string_view field) {
  if (key.find('\\') == std::string_view::npos) return key.substr(1, key.size() - 2) == field;
  const json spelled = json::parse(key.begin(), key.end(), nullptr, false);
  return spelled.is_string() && spelled.get_ref<const std::string&>() == field;
}

}  // namespace

std::string_view member_text(std::string_view object, std::string_view field) {
  constexpr auto none = std::string_view::npos;
  std::string_view found;
  std::size_t at = object.find('{');
  while (at != none) {
    const std::size_t key = object.find_first_of("\"}", at);
    if (key == none || object[key] == '}') break;
    const std::size_t key_end = end_of_string(object, key);
    const std::size_t colon = object.find(':', key_end);
    if (colon == none) break;
    const std::size_t start = object.find_first_not_of(white_space, colon + 1);
    if (start == none) break;
    at = end_of_value(object, start);
    if (names(object.substr(key, key_end - key), field)) found = object.substr(start, at - start);
  }
  return found;
}

}  // namespace asiortc::signaling

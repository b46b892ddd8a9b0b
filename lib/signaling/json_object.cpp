#include "signaling/json_object.hpp"

#include "signaling/json_slice.hpp"

#include <charconv>
#include <utility>

namespace asiortc::signaling {
namespace {

using namespace std::string_literals;

const json null_value;

/// The deepest nesting of brackets outside strings. Looked at before parsing; a value is
/// passed on as it came, and the parser of whoever gets it may recurse once a level.
bool too_deep(std::string_view text) {
  std::size_t depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      if (++depth > max_json_depth) return true;
    } else if ((c == '}' || c == ']') && depth > 0) {
      --depth;
    }
  }
  return false;
}

/// No number of so few digits and without an exponent is too large for a double.
constexpr std::size_t harmless_digits = 100;

/// The same text with numbers that fit into a double: JSON sets numbers no bounds (RFC 8259 6), but
/// the parser does. The fields that are read are integers, which none of these is.
std::string with_small_numbers(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  bool in_string = false;
  bool exponent = false;
  std::size_t digits = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool digit = !in_string && c >= '0' && c <= '9';
    exponent = !in_string &&
               (digit || c == '+' || c == '-' ? exponent : (c == 'e' || c == 'E') && digits > 0);
    digits = digit ? digits + 1 : 0;
    if (digits <= harmless_digits) out.push_back(digit && exponent ? '0' : c);
    if (c == '"') in_string = !in_string;
    if (in_string && c == '\\' && i + 1 < text.size()) out.push_back(text[++i]);
  }
  return out;
}

/// The code unit of the escape `\uXXXX` at `at`; 0 where there is none.
unsigned escaped_unit(std::string_view text, std::size_t at) {
  if (text.size() < at + 6 || text[at] != '\\' || text[at + 1] != 'u') return 0;
  unsigned unit = 0;
  const char* const end = text.data() + at + 6;
  return std::from_chars(text.data() + at + 2, end, unit, 16).ptr == end ? unit : 0;
}

/// The same text with U+FFFD for escaped surrogates that are no pair: JSON allows them (RFC 8259
/// 8.2) and browsers write them, but the parser refuses them.
std::string with_paired_surrogates(std::string text) {
  const auto is_high = [](unsigned unit) { return unit >= 0xd800 && unit < 0xdc00; };
  const auto is_low = [](unsigned unit) { return unit >= 0xdc00 && unit < 0xe000; };
  for (std::size_t i = 0; i + 1 < text.size(); ++i) {
    if (text[i] != '\\') continue;
    const unsigned unit = escaped_unit(text, i);
    if (is_high(unit) && is_low(escaped_unit(text, i + 6))) {
      i += 11;
    } else if (is_high(unit) || is_low(unit)) {
      text.replace(i + 2, 4, "fffd");
      i += 5;
    } else {
      ++i;
    }
  }
  return text;
}

}  // namespace

std::string to_text(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

decoded<json> parse_object(std::string_view text) {
  if (too_deep(text)) return {std::nullopt, "the JSON is nested too deeply"};
  json value = json::parse(text.begin(), text.end(), nullptr, false);
  if (value.is_discarded()) {
    value = json::parse(with_paired_surrogates(with_small_numbers(text)), nullptr, false);
  }
  if (value.is_discarded()) return {std::nullopt, "not valid JSON"};
  if (!value.is_object()) return {std::nullopt, "not a JSON object"};
  return {std::move(value), {}};
}

const json* object_reader::find(const char* field, const char* expected) {
  const auto found = object_.find(field);
  if (found != object_.end()) return &*found;
  complain("'"s + field + "' is missing, expected " + expected);
  return nullptr;
}

std::string object_reader::text(const char* field, std::size_t max_size) {
  const json* value = find(field, "a string");
  if (value == nullptr) return {};
  if (!value->is_string()) {
    complain("'"s + field + "' is not a string");
    return {};
  }
  const auto& content = value->get_ref<const std::string&>();
  if (content.size() > max_size) {
    complain("'"s + field + "' is longer than " + std::to_string(max_size) + " bytes");
    return {};
  }
  return content;
}

std::string object_reader::text_or_empty(const char* field, std::size_t max_size) {
  return has(field) ? text(field, max_size) : std::string();
}

std::uint64_t object_reader::integer(const char* field, std::uint64_t min, std::uint64_t max) {
  const json* value = find(field, "an integer");
  if (value == nullptr) return min;
  // The parser makes every integer without a minus sign an unsigned one.
  if (value->is_number_unsigned()) {
    const auto number = value->get<std::uint64_t>();
    if (number >= min && number <= max) return number;
  }
  complain("'"s + field + "' is not an integer from " + std::to_string(min) + " to " +
           std::to_string(max));
  return min;
}

std::optional<std::uint64_t> object_reader::optional_integer(const char* field, std::uint64_t min,
                                                             std::uint64_t max) {
  if (!has(field)) return std::nullopt;
  return integer(field, min, max);
}

peer_id object_reader::peer(const char* field) {
  return static_cast<peer_id>(integer(field, 1, static_cast<std::uint64_t>(max_peer_id)));
}

bool object_reader::boolean_or_false(const char* field) {
  if (!has(field)) return false;
  const json& value = object_.at(field);
  if (value.is_boolean()) return value.get<bool>();
  complain("'"s + field + "' is not true or false");
  return false;
}

const json& object_reader::object(const char* field) {
  const json* value = find(field, "an object");
  if (value == nullptr) return null_value;
  if (value->is_object()) return *value;
  complain("'"s + field + "' is not an object");
  return null_value;
}

json_text object_reader::object_text(const char* field) {
  object(field);
  return any(field);
}

const json& object_reader::array(const char* field) {
  const json* value = find(field, "an array");
  if (value == nullptr) return null_value;
  if (value->is_array()) return *value;
  complain("'"s + field + "' is not an array");
  return null_value;
}

json_text object_reader::any(const char* field) { return json_text(member_text(text_, field)); }

void object_reader::complain(std::string what) {
  if (complaint_.empty()) complaint_ = std::move(what);
}

}  // namespace asiortc::signaling

#include "sdp/description.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

namespace asiortc::sdp {
namespace {

constexpr std::size_t max_text = 1024 * 1024;
constexpr std::size_t max_lines = 65536;
constexpr std::size_t max_sections = 256;
constexpr std::size_t max_quoted = 80;

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// What a person can read of a line that anybody may have sent.
std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text.substr(0, max_quoted)) {
    const bool printable = static_cast<unsigned char>(c) >= 0x20 && c != 0x7f;
    out += printable ? c : '?';
  }
  if (text.size() > max_quoted) out += "…";
  return out + '"';
}

bool is_digits(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

class parser {
 public:
  explicit parser(std::string_view text) : rest_(text) {}

  base::result<description> run() {
    if (rest_.size() > max_text) {
      return failure(std::to_string(rest_.size()) + " bytes", "at most 1048576");
    }
    while (next_line()) {
      if (const auto expected = handle_line()) {
        return failure("line " + std::to_string(number_) + " is " + quoted(line_), *expected);
      }
    }
    if (result_.lines.size() < leading_lines.size()) {
      return failure("line " + std::to_string(number_ + 1) + " is missing",
                     leading_lines[result_.lines.size()].expected);
    }
    return std::move(result_);
  }

 private:
  // RFC 8866 5 orders the first three; nothing can be made of a description without them.
  struct leading_line {
    char type;
    const char* expected;
  };
  static constexpr std::array<leading_line, 3> leading_lines{
      {{'v', "\"v=0\" first"},
       {'o', "\"o=<username> <id> <version> IN <IP4 or IP6> <address>\" second"},
       {'s', "\"s=<session name>\" third"}}};

  // What was expected instead, or nothing when all is well.
  using complaint = std::optional<std::string>;

  bool next_line() {
    if (rest_.empty()) return false;
    // An empty rest is what a text field or a heredoc adds.
    if (rest_.find_first_not_of("\r\n") == std::string_view::npos) return false;
    ++number_;
    const std::size_t end = std::min(rest_.find('\n'), rest_.size());
    line_ = rest_.substr(0, end);
    rest_.remove_prefix(std::min(end + 1, rest_.size()));
    if (line_.ends_with('\r')) line_.remove_suffix(1);
    return true;
  }

  complaint handle_line() {
    if (number_ > max_lines) return "at most 65536 lines";
    if (line_.size() < 2 || !is_letter(line_[0]) || line_[1] != '=') {
      return "\"<letter>=<value>\"";
    }
    // RFC 8866 9: byte-string is any byte except NUL, CR and LF.
    if (line_.find_first_of(std::string_view("\0\r", 2)) != std::string_view::npos) {
      return "no NUL and no CR inside a line";
    }
    const char type = line_[0];
    const std::string_view value = line_.substr(2);
    if (result_.lines.size() < leading_lines.size()) return handle_leading_line(type, value);
    if (type == 'm') return handle_media(value);
    if (type == 'a') return handle_attribute(value);
    auto& lines = result_.sections.empty() ? result_.lines : result_.sections.back().lines;
    lines.push_back({type, std::string(value)});
    return std::nullopt;
  }

  complaint handle_leading_line(char type, std::string_view value) {
    const leading_line& wanted = leading_lines[result_.lines.size()];
    const bool good =
        type == wanted.type && (type != 'v' || value == "0") && (type != 'o' || is_origin(value));
    if (!good) return wanted.expected;
    result_.lines.push_back({type, std::string(value)});
    return std::nullopt;
  }

  // RFC 8866 5.2: six fields, of which the second and third are numbers of any length.
  static bool is_origin(std::string_view value) {
    std::size_t field = 0;
    while (true) {
      const std::size_t end = std::min(value.find(' '), value.size());
      const std::string_view word = value.substr(0, end);
      const bool numeric = field == 1 || field == 2;
      if (word.empty() || (numeric && !is_digits(word))) return false;
      ++field;
      if (end == value.size()) return field == 6;
      value.remove_prefix(end + 1);
    }
  }

  complaint handle_media(std::string_view value) {
    if (result_.sections.size() == max_sections) return "at most 256 m-sections";
    const char* const form = "\"m=<media> <port>[/<count>] <protocol> <formats>\"";
    media section;
    section.kind = take_word(value);
    std::string_view port = take_word(value);
    section.protocol = take_word(value);
    section.formats = value;
    if (section.kind.empty() || section.protocol.empty() || section.formats.empty()) return form;
    const std::size_t slash = port.find('/');
    if (slash != std::string_view::npos) {
      const auto count =
          parse_number(port.substr(slash + 1), std::numeric_limits<std::uint32_t>::max());
      if (!count) return form;
      section.port_count = static_cast<std::uint32_t>(*count);
      port = port.substr(0, slash);
    }
    const auto number = parse_number(port, std::numeric_limits<std::uint16_t>::max());
    if (!number) return std::string(form) + " with a port of at most 65535";
    section.port = static_cast<std::uint16_t>(*number);
    result_.sections.push_back(std::move(section));
    return std::nullopt;
  }

  // Up to the next space, which goes too.
  static std::string_view take_word(std::string_view& text) {
    const std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(word.size() + 1, text.size()));
    return word;
  }

  complaint handle_attribute(std::string_view value) {
    const std::size_t colon = value.find(':');
    const std::string_view name = value.substr(0, colon);
    if (name.empty()) return "\"a=<name>\" or \"a=<name>:<value>\"";
    auto& list = result_.sections.empty() ? result_.attributes : result_.sections.back().attributes;
    if (colon == std::string_view::npos) {
      list.add(std::string(name));
    } else {
      list.add(std::string(name), std::string(value.substr(colon + 1)));
    }
    return std::nullopt;
  }

  static base::failure failure(const std::string& found, const std::string& expected) {
    return {make_error_code(errc::syntax_error), found + ", expected " + expected};
  }

  std::string_view rest_;
  std::string_view line_;
  std::size_t number_ = 0;
  description result_;
};

}  // namespace

base::result<description> parse(std::string_view text) { return parser(text).run(); }

}  // namespace asiortc::sdp

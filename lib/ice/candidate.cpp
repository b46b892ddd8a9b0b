#include "ice/candidate.hpp"

#include "base/ascii.hpp"

#include <algorithm>
#include <charconv>

namespace asiortc::ice {
namespace {

// A line of a browser has about 200 bytes; the bounds only keep junk small.
constexpr std::size_t max_text_size = 2048;
constexpr std::size_t max_extensions = 32;
// RFC 8839 5.1: foundation = 1*32ice-char.
constexpr std::size_t max_foundation_size = 32;
// RFC 1035 2.3.4: names have "255 octets or less".
constexpr std::size_t max_name_size = 255;
// RFC 8839 5.4: ufrag = 4*256ice-char; shorter ones are compared, not made, here.
constexpr std::size_t max_ufrag_size = 256;

base::failure syntax_error(std::string_view field, std::string_view expected) {
  return {make_error_code(errc::syntax_error),
          "candidate: " + std::string(field) + ": expected " + std::string(expected)};
}

base::failure not_supported(std::string_view field, std::string_view value) {
  return {make_error_code(errc::not_supported),
          "candidate: " + std::string(field) + ": " + std::string(value) + " is not known"};
}

bool is_alphanumeric(char c) {
  return (base::lower(c) >= 'a' && base::lower(c) <= 'z') || (c >= '0' && c <= '9');
}

bool is_ice_text(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return is_alphanumeric(c) || c == '+' || c == '/'; });
}

bool is_host_name(std::string_view text) {
  return !text.empty() && text.size() <= max_name_size && is_alphanumeric(text.front()) &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return is_alphanumeric(c) || c == '-' || c == '.' || c == '_'; });
}

template <class Integer>
std::optional<Integer> parse_number(std::string_view text) {
  Integer value{};
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (ec != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<candidate_type> parse_type(std::string_view text) {
  for (const auto type : {candidate_type::host, candidate_type::server_reflexive,
                          candidate_type::peer_reflexive, candidate_type::relayed}) {
    if (base::equal_ignoring_case(text, asiortc::to_string(type))) return type;
  }
  return std::nullopt;
}

/// Words between single or repeated spaces.
class word_reader {
 public:
  explicit word_reader(std::string_view text) : text_(text) {}

  /// Empty at the end.
  std::string_view next() {
    text_.remove_prefix(std::min(text_.find_first_not_of(' '), text_.size()));
    const std::string_view word = text_.substr(0, text_.find(' '));
    text_.remove_prefix(word.size());
    return word;
  }

 private:
  std::string_view text_;
};

std::string_view without_frame(std::string_view text) {
  while (!text.empty() && (text.back() == '\r' || text.back() == '\n' || text.back() == ' ')) {
    text.remove_suffix(1);
  }
  for (const std::string_view prefix : {"a=", "candidate:"}) {
    if (text.starts_with(prefix)) text.remove_prefix(prefix.size());
  }
  return text;
}

base::result<void> parse_transport(word_reader& words, candidate& out) {
  const std::string_view protocol = words.next();
  if (protocol.empty()) return syntax_error("transport", "udp or tcp");
  if (base::equal_ignoring_case(protocol, "tcp")) {
    out.protocol = transport_protocol::tcp;
  } else if (!base::equal_ignoring_case(protocol, "udp")) {
    return not_supported("transport", protocol);
  }
  const auto priority = parse_number<std::uint32_t>(words.next());
  if (!priority) return syntax_error("priority", "a number below 2^32");
  out.priority = *priority;
  return {};
}

base::result<void> parse_address(word_reader& words, candidate& out) {
  const std::string_view address = words.next();
  if (const auto ip = base::ip_address::parse(address)) {
    out.address.address = *ip;
  } else if (is_host_name(address)) {
    out.host_name = address;
  } else {
    return syntax_error("address", "an IP address or a name");
  }
  const auto port = parse_number<std::uint16_t>(words.next());
  if (!port) return syntax_error("port", "a number up to 65535");
  out.address.port = *port;
  return {};
}

base::result<void> parse_type_part(word_reader& words, candidate& out) {
  if (!base::equal_ignoring_case(words.next(), "typ")) return syntax_error("typ", "the word typ");
  const std::string_view word = words.next();
  if (word.empty()) return syntax_error("type", "host, srflx, prflx or relay");
  const auto type = parse_type(word);
  if (!type) return not_supported("type", word);
  out.type = *type;
  return {};
}

/// What follows the type: pairs of a name and a value.
class attribute_parser {
 public:
  explicit attribute_parser(candidate& out) : out_(out) {}

  base::result<void> take(std::string_view name, std::string_view value) {
    if (name == "raddr") {
      // A name, or an address that is hidden, says nothing that a check needs.
      related_address_ = base::ip_address::parse(value);
    } else if (name == "rport") {
      related_port_ = parse_number<std::uint16_t>(value);
      if (!related_port_) return syntax_error("rport", "a number up to 65535");
    } else if (name == "tcptype") {
      return take_tcp_type(value);
    } else if (name == "ufrag") {
      if (value.size() > max_ufrag_size) return syntax_error("ufrag", "at most 256 characters");
      out_.ufrag = value;
    } else if (out_.extensions.size() == max_extensions) {
      return syntax_error("extensions", "at most 32");
    } else {
      out_.extensions.emplace_back(name, value);
    }
    return {};
  }

  void finish() {
    if (related_address_ && related_port_) out_.related.emplace(*related_address_, *related_port_);
  }

 private:
  base::result<void> take_tcp_type(std::string_view value) {
    for (const auto type : {tcp_type::active, tcp_type::passive, tcp_type::simultaneous_open}) {
      if (base::equal_ignoring_case(value, to_string(type))) {
        out_.tcp = type;
        return {};
      }
    }
    return not_supported("tcptype", value);
  }

  candidate& out_;
  std::optional<base::ip_address> related_address_;
  std::optional<std::uint16_t> related_port_;
};

base::result<void> parse_attributes(word_reader& words, candidate& out) {
  attribute_parser parser(out);
  for (auto name = words.next(); !name.empty(); name = words.next()) {
    const std::string_view value = words.next();
    if (value.empty()) return syntax_error(name, "a value behind the name");
    if (auto taken = parser.take(name, value); !taken) return taken;
  }
  parser.finish();
  return {};
}

}  // namespace

std::string_view to_string(tcp_type type) {
  switch (type) {
    case tcp_type::active:
      return "active";
    case tcp_type::passive:
      return "passive";
    case tcp_type::simultaneous_open:
      return "so";
    case tcp_type::none:
      break;
  }
  return "";
}

base::result<candidate> parse_candidate(std::string_view text) {
  if (text.size() > max_text_size) return syntax_error("line", "at most 2048 bytes");
  text = without_frame(text);
  if (std::any_of(text.begin(), text.end(),
                  [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; })) {
    return syntax_error("line", "no control characters");
  }
  candidate out;
  word_reader words(text);
  out.foundation = words.next();
  if (out.foundation.empty() || out.foundation.size() > max_foundation_size ||
      !is_ice_text(out.foundation)) {
    return syntax_error("foundation", "1 to 32 letters, digits, + or /");
  }
  const auto component = parse_number<std::uint16_t>(words.next());
  if (!component || *component < 1 || *component > 256) {
    return syntax_error("component", "a number from 1 to 256");
  }
  out.component = *component;
  for (const auto part : {parse_transport, parse_address, parse_type_part, parse_attributes}) {
    if (auto parsed = part(words, out); !parsed) return parsed.error();
  }
  return out;
}

std::string to_string(const candidate& candidate) {
  std::string text = "candidate:" + candidate.foundation + " " +
                     std::to_string(candidate.component) + " " +
                     (candidate.protocol == transport_protocol::udp ? "udp " : "tcp ") +
                     std::to_string(candidate.priority) + " ";
  text += candidate.host_name.empty() ? candidate.address.address.to_string() : candidate.host_name;
  text += " " + std::to_string(candidate.address.port) + " typ ";
  text += asiortc::to_string(candidate.type);
  if (candidate.related) {
    text += " raddr " + candidate.related->address.to_string() + " rport " +
            std::to_string(candidate.related->port);
  }
  if (candidate.tcp != tcp_type::none) text.append(" tcptype ").append(to_string(candidate.tcp));
  if (!candidate.ufrag.empty()) text += " ufrag " + candidate.ufrag;
  for (const auto& [name, value] : candidate.extensions)
    text.append(" ").append(name).append(" ").append(value);
  return text;
}

}  // namespace asiortc::ice

#include "signaling/url.hpp"

#include "base/ascii.hpp"

#include <algorithm>
#include <charconv>

namespace asiortc::signaling {
namespace {

constexpr std::size_t max_url = 2048;

bool parse_port(std::string_view text, std::uint16_t& port) {
  const char* end = text.data() + text.size();
  const auto [stop, failed] = std::from_chars(text.data(), end, port);
  return failed == std::errc() && stop == end && port != 0;
}

/// Splits `host:port` or `[v6]:port`; the port is optional.
bool split_authority(std::string_view authority, websocket_url& out) {
  std::string_view host = authority;
  std::string_view port;
  const bool bracketed = authority.starts_with('[');
  const std::size_t host_end = bracketed ? authority.find(']') : authority.find(':');
  if (bracketed && host_end == std::string_view::npos) return false;
  if (host_end != std::string_view::npos) {
    host = authority.substr(bracketed ? 1 : 0, host_end - (bracketed ? 1 : 0));
    port = authority.substr(host_end + (bracketed ? 1 : 0));
  }
  out.host = host;
  if (port.empty()) return !host.empty();
  return !host.empty() && port.front() == ':' && parse_port(port.substr(1), out.port);
}

}  // namespace

boost::system::error_code websocket_url::parse(std::string_view text, websocket_url& out) {
  const bool printable = std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f; });
  if (text.size() > max_url || !printable) return errc::syntax_error;
  // RFC 3986 3.1: "schemes are case-insensitive".
  if (base::equal_ignoring_case(text.substr(0, 6), "wss://")) return errc::not_supported;
  if (!base::equal_ignoring_case(text.substr(0, 5), "ws://")) return errc::syntax_error;
  text.remove_prefix(5);
  const std::size_t path = text.find_first_of("/?#");
  out.authority = text.substr(0, path);
  if (path != std::string_view::npos) out.target = text.substr(path);
  // RFC 6455 3: fragment identifiers MUST NOT be used; user information has no use here.
  if (out.target.front() != '/' || out.target.find('#') != std::string::npos ||
      out.authority.find('@') != std::string::npos) {
    return errc::syntax_error;
  }
  if (!split_authority(out.authority, out)) return errc::syntax_error;
  return {};
}

}  // namespace asiortc::signaling

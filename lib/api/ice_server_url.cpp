#include "api/ice_server_url.hpp"

#include "base/ascii.hpp"
#include "base/endpoint.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

namespace asiortc::inline ASIORTC_ABI::detail {
namespace {

using scheme_type = ice_server_url::scheme_type;
using transport_type = ice_server_url::transport_type;

struct scheme_entry {
  std::string_view name;
  scheme_type scheme;
  std::uint16_t default_port;  // RFC 8489 8.1: 3478, 5349 over TLS
  transport_type transport;
};

constexpr std::array<scheme_entry, 4> schemes{{
    {"stun", scheme_type::stun, 3478, transport_type::udp},
    {"stuns", scheme_type::stuns, 5349, transport_type::tcp},
    {"turn", scheme_type::turn, 3478, transport_type::udp},
    {"turns", scheme_type::turns, 5349, transport_type::tcp},
}};

constexpr std::size_t max_host = 253;  // RFC 1035 2.3.4, as text

base::failure malformed(std::string_view url, const char* expected) {
  return {errc::syntax_error, "ICE server URL \"" + std::string(url) + "\": expected " + expected};
}

/// RFC 3986 3.1 and RFC 5234 2.3: schemes and the words of a grammar have no case.
using base::equal_ignoring_case;

bool is_host_name(std::string_view text) {
  return !text.empty() && text.size() <= max_host && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_';
  });
}

bool parse_port(std::string_view text, std::uint16_t& port) {
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), port);
  return code == std::errc() && end == text.data() + text.size() && port != 0;
}

/// Splits `host`, `host:port` or `[v6]:port`; the port keeps what it was where none is given. Gives
/// what was expected and not found, or nothing.
const char* split_host(std::string_view text, ice_server_url& url) {
  std::string_view rest;
  if (text.starts_with('[')) {
    const auto close = std::min(text.find(']'), text.size() - 1);
    url.host = text.substr(1, close - 1);
    const auto address = base::ip_address::parse(url.host);
    if (text[close] != ']' || !address || address->is_v4() || address->scope_id() != 0) {
      return "an IPv6 address in the brackets";
    }
    rest = text.substr(close + 1);
  } else {
    const auto colon = std::min(text.find(':'), text.size());
    url.host = text.substr(0, colon);
    rest = text.substr(colon);
    const auto bare = base::ip_address::parse(text);
    if (bare && bare->is_v6()) return "brackets around an IPv6 address";
    if (!is_host_name(url.host)) return "a host name or address";
  }
  const bool fits = rest.empty() || (rest.front() == ':' && parse_port(rest.substr(1), url.port));
  return fits ? nullptr : "a port from 1 to 65535, or none";
}

std::optional<transport_type> parse_transport(std::string_view query) {
  if (equal_ignoring_case(query, "transport=udp")) return transport_type::udp;
  if (equal_ignoring_case(query, "transport=tcp")) return transport_type::tcp;
  return std::nullopt;
}

}  // namespace

base::result<ice_server_url> parse_ice_server_url(std::string_view text) {
  const auto colon = text.find(':');
  const auto* const known = std::find_if(schemes.begin(), schemes.end(), [&](const auto& each) {
    return equal_ignoring_case(each.name, text.substr(0, colon));
  });
  if (colon == std::string_view::npos || known == schemes.end()) {
    return malformed(text, "the scheme stun:, stuns:, turn: or turns:");
  }
  ice_server_url url;
  url.scheme = known->scheme;
  url.port = known->default_port;
  url.transport = known->transport;
  std::string_view rest = text.substr(colon + 1);
  const auto question = rest.find('?');
  if (question != std::string_view::npos) {
    const auto transport = parse_transport(rest.substr(question + 1));
    // RFC 7064 3.1 knows no query; RFC 7065 3.1 knows this one.
    if (!url.is_turn()) return malformed(text, "no ? in a STUN URL");
    if (!transport) return malformed(text, "?transport=udp or ?transport=tcp");
    url.transport = *transport;
    rest = rest.substr(0, question);
  }
  if (const char* expected = split_host(rest, url)) return malformed(text, expected);
  return url;
}

}  // namespace asiortc::inline ASIORTC_ABI::detail

#include "api/ice_server_url.hpp"

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

base::failure malformed(std::string_view url, const char* expected) {
  return {errc::syntax_error, "ICE server URL \"" + std::string(url) + "\": expected " + expected};
}

/// Splits `host`, `host:port` or `[v6]:port`; the port keeps what it was where none is given.
bool split_host(std::string_view text, ice_server_url& url) {
  std::string_view port;
  if (text.starts_with('[')) {
    const auto close = text.find(']');
    if (close == std::string_view::npos) return false;
    url.host = text.substr(1, close - 1);
    const auto address = base::ip_address::parse(url.host);
    if (!address || address->is_v4()) return false;
    port = text.substr(close + 1);
    if (!port.empty() && !port.starts_with(':')) return false;
  } else {
    const auto colon = text.find(':');
    url.host = text.substr(0, colon);
    if (colon != std::string_view::npos) port = text.substr(colon);
  }
  if (!port.empty()) {
    port.remove_prefix(1);
    const auto [end, code] = std::from_chars(port.data(), port.data() + port.size(), url.port);
    if (code != std::errc() || end != port.data() + port.size() || url.port == 0) return false;
  }
  const auto is_host_char = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == ':';
  };
  return !url.host.empty() && url.host.size() <= 253 &&
         std::all_of(url.host.begin(), url.host.end(), is_host_char);
}

std::optional<transport_type> parse_transport(std::string_view query) {
  if (query == "transport=udp") return transport_type::udp;
  if (query == "transport=tcp") return transport_type::tcp;
  return std::nullopt;
}

}  // namespace

base::result<ice_server_url> parse_ice_server_url(std::string_view text) {
  const auto colon = text.find(':');
  const auto* const known = std::find_if(schemes.begin(), schemes.end(), [&](const auto& each) {
    return each.name == text.substr(0, colon);
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
  if (!split_host(rest, url)) {
    return malformed(text, "a host name or address, and a port from 1 to 65535 if any");
  }
  return url;
}

}  // namespace asiortc::inline ASIORTC_ABI::detail

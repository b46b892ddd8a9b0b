#include "api/ice_server_url.hpp"

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

namespace asiortc::detail {

TEST_CASE("STUN and TURN URLs are read with their default ports") {
  const auto plain = parse_ice_server_url("stun:stun.example.org").value();
  CHECK(plain.host == "stun.example.org");
  CHECK(plain.port == 3478);
  CHECK_FALSE(plain.is_turn());
  const auto secure = parse_ice_server_url("turns:[2001:db8::1]:443?transport=tcp").value();
  CHECK(secure.host == "2001:db8::1");
  CHECK(secure.port == 443);
  CHECK(secure.is_turn());
  CHECK(secure.transport == ice_server_url::transport_type::tcp);
  CHECK(parse_ice_server_url("stuns:a").value().port == 5349);
  CHECK(parse_ice_server_url("turn:1.2.3.4:5?transport=udp").value().port == 5);
}

TEST_CASE("hosts, ports and transports are read in every form that the RFCs have") {
  struct row {
    const char* text;
    const char* host;
    std::uint16_t port;
    ice_server_url::transport_type transport;
  };
  constexpr auto udp = ice_server_url::transport_type::udp;
  constexpr auto tcp = ice_server_url::transport_type::tcp;
  for (const auto& expected :
       {row{"stun:[::1]", "::1", 3478, udp},
        row{"stun:[2001:db8::1]:19302", "2001:db8::1", 19302, udp},
        row{"stuns:[::ffff:192.0.2.1]:1", "::ffff:192.0.2.1", 1, tcp},
        row{"turn:192.0.2.1", "192.0.2.1", 3478, udp},
        row{"turn:a-b_c.d:65535", "a-b_c.d", 65535, udp},
        row{"turn:a?transport=tcp", "a", 3478, tcp}, row{"turns:a", "a", 5349, tcp},
        row{"turns:a?transport=udp", "a", 5349, udp}, row{"TURN:a?Transport=TCP", "a", 3478, tcp},
        row{"Stun:A.Example", "A.Example", 3478, udp}}) {
    CAPTURE(expected.text);
    const auto url = parse_ice_server_url(expected.text);
    REQUIRE(url.has_value());
    CHECK(url->host == expected.host);
    CHECK(url->port == expected.port);
    CHECK(url->transport == expected.transport);
  }
}

TEST_CASE("a malformed URL is refused by name, with what was expected") {
  const std::string scheme = "the scheme stun:, stuns:, turn: or turns:";
  const std::string host = "a host name or address";
  const std::string port = "a port from 1 to 65535, or none";
  const std::string brackets = "an IPv6 address in the brackets";
  const std::string transport = "?transport=udp or ?transport=tcp";
  const std::vector<std::pair<std::string, std::string>> rows{
      {"", scheme},
      {"stun", scheme},
      {"http://a", scheme},
      {"stunt:a", scheme},
      {" stun:a", scheme},
      {"stun:", host},
      {"turn::3478", host},
      {"turn:?transport=udp", host},
      {"stun://a", host},
      {"stun:a b", host},
      {"stun:a/b", host},
      {"turn:user@a", host},
      {"stun:gr\xc3\xbc\xc3\x9f", host},
      {"stun:" + std::string(254, 'a'), host},
      {"stun:::1", "brackets around an IPv6 address"},
      {"turn:2001:db8::1", "brackets around an IPv6 address"},
      {"stun:[::1", brackets},
      {"stun:[", brackets},
      {"stun:[]", brackets},
      {"stun:[1.2.3.4]", brackets},
      {"stun:[a]", brackets},
      {"stun:[fe80::1%2]", brackets},
      {"stun:[::1]x", port},
      {"stun:[::1]:", port},
      {"stun:a:", port},
      {"stun:a:0", port},
      {"stun:a:65536", port},
      {"STUN:a:99999", port},
      {"stun:a:-1", port},
      {"stun:a:+1", port},
      {"stun:a: 1", port},
      {"stun:a:1x", port},
      {"stun:a:1:2", port},
      {"stun:a?transport=udp", "no ? in a STUN URL"},
      {"stuns:a?", "no ? in a STUN URL"},
      {"turn:a?", transport},
      {"turn:a?transport", transport},
      {"turn:a?transport=", transport},
      {"turn:a?transport=sctp", transport},
      {"turn:a?transport=tls", transport},
      {"turn:a?transport=udp&x=1", transport},
      {"turn:a?transport=udp?transport=tcp", transport},
      {"turns:a?ttl=1", transport},
  };
  for (const auto& each : rows) {
    CAPTURE(each.first);
    const auto url = parse_ice_server_url(each.first);
    REQUIRE(url.has_error());
    CHECK(url.error().code == errc::syntax_error);
    CHECK(url.error().detail == "ICE server URL \"" + each.first + "\": expected " + each.second);
  }
}

}  // namespace asiortc::detail

#include "api/ice_server_url.hpp"

#include <doctest/doctest.h>

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

TEST_CASE("a malformed URL is refused by name, with what was expected") {
  for (const auto* text :
       {"", "stun", "stun:", "http://a", "stun://a", "stun:a?transport=udp",
        "turn:a?transport=sctp", "turn:a?", "stun:a:0", "stun:a:65536", "stun:a:", "stun:[::1",
        "stun:[1.2.3.4]", "stun:[::1]x", "stun:a b", "stun:::1", "STUN:a:99999"}) {
    CAPTURE(text);
    const auto url = parse_ice_server_url(text);
    REQUIRE(url.has_error());
    CHECK(url.error().code == errc::syntax_error);
    CHECK(url.error().detail.find("expected") != std::string::npos);
    CHECK(url.error().detail.find("\"" + std::string(text) + "\"") != std::string::npos);
  }
}

}  // namespace asiortc::detail

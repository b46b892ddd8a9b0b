#include "ice/candidate.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace asiortc;
using ice::parse_candidate;

namespace {

boost::system::error_code error_of(std::string_view text) {
  const auto parsed = parse_candidate(text);
  return parsed ? boost::system::error_code{} : parsed.error().code;
}

}  // namespace

TEST_CASE("a candidate of each kind is parsed and written as it was") {
  for (const auto* text :
       {"candidate:1 1 udp 2130706431 10.0.1.1 8998 typ host",
        "candidate:abc+/9 1 udp 1694498815 192.0.2.3 45664 typ srflx raddr 10.0.1.1 rport 8998",
        "candidate:7 1 udp 41885439 2001:db8::1 50000 typ relay raddr 0.0.0.0 rport 0",
        "candidate:9 1 udp 1845501695 192.0.2.4 9 typ prflx raddr 10.0.1.1 rport 8998 ufrag EsAw",
        "candidate:842163049 1 tcp 1518280447 10.0.0.5 9 typ host tcptype active",
        "candidate:1 256 tcp 0 ::1 0 typ host tcptype so generation 0 network-id 3",
        "candidate:4 1 udp 4294967295 f5a2b3c4-aaaa-4bbb-8ccc-0123456789ab.local 40000 typ host"}) {
    CAPTURE(text);
    const auto parsed = parse_candidate(text);
    REQUIRE(parsed.has_value());
    CHECK(ice::to_string(*parsed) == text);
  }
}

TEST_CASE("the fields of a candidate land where they belong") {
  const auto parsed = parse_candidate(
      "a=candidate:2 1 UDP 100 192.0.2.3 45664 typ srflx raddr 10.0.1.1 rport 8998 generation 0 "
      "ufrag EsAw network-cost 50\r\n");
  REQUIRE(parsed.has_value());
  CHECK(parsed->foundation == "2");
  CHECK(parsed->component == 1);
  CHECK(parsed->protocol == ice::transport_protocol::udp);
  CHECK(parsed->priority == 100);
  CHECK(parsed->address == base::endpoint::parse("192.0.2.3:45664"));
  CHECK(parsed->type == candidate_type::server_reflexive);
  CHECK(parsed->related == base::endpoint::parse("10.0.1.1:8998"));
  CHECK(parsed->ufrag == "EsAw");
  REQUIRE(parsed->extensions.size() == 2);
  CHECK(parsed->extensions[1] == std::pair<std::string, std::string>("network-cost", "50"));
}

TEST_CASE("the prefix may be missing and spaces may be many") {
  CHECK(parse_candidate("1 1 udp 5 10.0.1.1 8998 typ host").has_value());
  CHECK(parse_candidate("candidate:1  1 udp   5 10.0.1.1 8998 typ host ").has_value());
}

TEST_CASE("a related name says nothing and is no error") {
  const auto parsed =
      parse_candidate("candidate:1 1 udp 5 192.0.2.3 8998 typ srflx raddr x.local rport 9");
  REQUIRE(parsed.has_value());
  CHECK_FALSE(parsed->related);
}

TEST_CASE("an unknown type or transport is told from a malformed line") {
  CHECK(error_of("candidate:1 1 udp 5 10.0.1.1 8998 typ token") == errc::not_supported);
  CHECK(error_of("candidate:1 1 ssltcp 5 10.0.1.1 8998 typ host") == errc::not_supported);
  CHECK(error_of("candidate:1 1 tcp 5 10.0.1.1 9 typ host tcptype odd") == errc::not_supported);
}

TEST_CASE("junk is a syntax error that names the field") {
  struct junk {
    const char* field;
    std::string text;
  };
  const std::string good = "candidate:1 1 udp 5 10.0.1.1 8998 typ host";
  for (const auto& bad : {
           junk{"foundation", ""},
           junk{"foundation", "candidate:"},
           junk{"foundation", "candidate:a_b 1 udp 5 10.0.1.1 8998 typ host"},
           junk{"foundation", "candidate:" + std::string(33, 'a') + " 1 udp 5 ::1 9 typ host"},
           junk{"component", "candidate:1"},
           junk{"component", "candidate:1 0 udp 5 10.0.1.1 8998 typ host"},
           junk{"component", "candidate:1 257 udp 5 10.0.1.1 8998 typ host"},
           junk{"component", "candidate:1 -1 udp 5 10.0.1.1 8998 typ host"},
           junk{"transport", "candidate:1 1"},
           junk{"priority", "candidate:1 1 udp 4294967296 10.0.1.1 8998 typ host"},
           junk{"priority", "candidate:1 1 udp 5x 10.0.1.1 8998 typ host"},
           junk{"address", "candidate:1 1 udp 5"},
           junk{"address", "candidate:1 1 udp 5 -evil 8998 typ host"},
           junk{"address", "candidate:1 1 udp 5 a;b 8998 typ host"},
           junk{"address", "candidate:1 1 udp 5 " + std::string(256, 'a') + " 8998 typ host"},
           junk{"port", "candidate:1 1 udp 5 10.0.1.1 65536 typ host"},
           junk{"port", "candidate:1 1 udp 5 10.0.1.1"},
           junk{"typ", "candidate:1 1 udp 5 10.0.1.1 8998 host"},
           junk{"type", "candidate:1 1 udp 5 10.0.1.1 8998 typ"},
           junk{"rport", good + " raddr 1.2.3.4 rport 70000"},
           junk{"raddr", good + " raddr"},
           junk{"ufrag", good + " ufrag " + std::string(257, 'a')},
           junk{"line", good + "\ncandidate:2"},
           junk{"line", std::string(3000, ' ')},
       }) {
    CAPTURE(bad.text);
    const auto parsed = parse_candidate(bad.text);
    REQUIRE_FALSE(parsed.has_value());
    CHECK(parsed.error().code == errc::syntax_error);
    CHECK(parsed.error().detail.find(bad.field) != std::string::npos);
  }
}

TEST_CASE("an embedded NUL is refused and extensions are bounded") {
  CHECK(error_of(std::string_view("candidate:1 1 udp 5 10.0.1.1 8998 typ host a b\0", 48)) ==
        errc::syntax_error);
  std::string many = "candidate:1 1 udp 5 10.0.1.1 8998 typ host";
  for (int i = 0; i < 32; ++i) many += " a b";
  CHECK(parse_candidate(many).has_value());
  CHECK(error_of(many + " a b") == errc::syntax_error);
}

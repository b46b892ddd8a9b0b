#include "findings.hpp"

#include "way.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

using asiortc::nat_behaviour;
using peer_cli::findings;

namespace {

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

asiortc::stun_probe_result seen_behind(bool translated, nat_behaviour mapping) {
  asiortc::stun_probe_result seen;
  seen.translated = translated;
  seen.mapping = mapping;
  return seen;
}

findings on_a_network() {
  findings found;
  found.any_address = true;
  return found;
}

}  // namespace

TEST_CASE("without any server only peers on this machine or network are promised") {
  findings found;
  CHECK_FALSE(found.reachable());
  CHECK(contains(found.verdict(), "on this machine"));
  found.any_address = true;
  CHECK_FALSE(found.reachable());
  CHECK(contains(found.verdict(), "on this network"));
}

TEST_CASE("a public address is enough until UDP was tried and failed") {
  findings found = on_a_network();
  found.public_address = true;
  CHECK(found.reachable());
  CHECK(contains(found.verdict(), "no STUN server has confirmed it"));
  found.udp_was_tried = true;
  CHECK_FALSE(found.reachable());
  CHECK(contains(found.verdict(), "UDP does not get out"));
  found.relay = "turns:relay.test";
  CHECK(found.reachable());
  CHECK(contains(found.verdict(), "through turns:relay.test alone"));
}

TEST_CASE("the mapping of the NAT decides who gets in directly") {
  findings found = on_a_network();
  found.ipv4 = seen_behind(true, nat_behaviour::endpoint_independent);
  CHECK(contains(found.verdict(), "reach this machine directly; no TURN server"));
  found.ipv4 = seen_behind(true, nat_behaviour::address_and_port_dependent);
  CHECK(contains(found.verdict(), "maps by the remote address: only peers with a public address"));
  found.ipv4 = seen_behind(true, nat_behaviour::unknown);
  CHECK(contains(found.verdict(), "directly, unless its NAT"));
  found.ipv4 = seen_behind(false, nat_behaviour::unknown);
  CHECK(contains(found.verdict(), "reach this machine directly; no TURN server"));
  found.relay = "turn:relay.test";
  CHECK(contains(found.verdict(), "turn:relay.test relays where that fails"));
  CHECK(found.reachable());
}

TEST_CASE("a STUN server that sees a private address is within the network, and proves nothing") {
  findings found = on_a_network();
  found.udp_was_tried = true;
  found.udp_works = true;
  found.private_view = "192.168.1.5:4711";
  CHECK_FALSE(found.reachable());
  CHECK(contains(found.verdict(), "sees 192.168.1.5:4711, which is not public"));
  found.ipv6 = seen_behind(false, nat_behaviour::endpoint_independent);
  CHECK(found.reachable());
}

TEST_CASE("a TURN server that lends a private address relays to nobody elsewhere") {
  findings found = on_a_network();
  found.private_relay = "turn:relay.test";
  SUBCASE("UDP works") {}
  SUBCASE("UDP does not get out") { found.udp_was_tried = true; }
  CHECK_FALSE(found.reachable());
  CHECK(contains(found.verdict(), "turn:relay.test lends addresses that are not public"));
}

TEST_CASE("an address is public unless it is for a host, a link or a site alone") {
  const auto is_public = [](const char* text) {
    return peer_cli::is_public(boost::asio::ip::make_address(text));
  };
  for (const char* text : {"127.0.0.1", "10.1.2.3", "172.31.0.1", "192.168.0.1", "169.254.1.1",
                           "100.64.0.1", "::1", "fe80::1", "fd00::1", "::", "0.0.0.0"}) {
    CHECK_MESSAGE(!is_public(text), text);
  }
  for (const char* text : {"8.8.8.8", "172.32.0.1", "100.128.0.1", "2600::1"}) {
    CHECK_MESSAGE(is_public(text), text);
  }
}

TEST_CASE("without signaling, or where two peers of one process do not meet, nobody is reached") {
  findings found = on_a_network();
  found.ipv4 = seen_behind(false, nat_behaviour::endpoint_independent);
  CHECK(found.reachable());
  SUBCASE("signaling") { found.no_signaling = "ws://nowhere.test/: refused"; }
  SUBCASE("meeting") { found.broken_meeting = "no candidate pair works"; }
  CHECK_FALSE(found.reachable());
}

TEST_CASE("the way of a pair is told with its round trip, and a candidate with its address") {
  asiortc::candidate_pair_info row;
  row.local.address = "10.0.0.1";
  row.remote.address = "10.0.0.2";
  CHECK_FALSE(peer_cli::pair_in_use({row}));
  row.selected = true;
  row.round_trip_time = std::chrono::microseconds(1200);
  auto pair = peer_cli::pair_in_use({row});
  REQUIRE(pair);
  CHECK(peer_cli::describe(*pair).starts_with("direct udp, host 10.0.0.1:0 <-> "));
  CHECK(contains(peer_cli::describe(*pair), "1.2 ms"));
  pair->local.protocol = "tcp";
  CHECK(peer_cli::describe(*pair).starts_with("tcp, "));
  pair->remote.type = asiortc::candidate_type::relayed;
  CHECK(peer_cli::describe(*pair).starts_with("relayed via 10.0.0.2 port 0, "));
  CHECK(peer_cli::describe_candidate("candidate:1 1 udp 77 192.0.2.1 5000 typ relay raddr ::") ==
        "relay 192.0.2.1 port 5000 (udp)");
}

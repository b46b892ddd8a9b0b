// ICE-TCP (RFC 6544).
#include "check_sender.hpp"
#include "ice/priority.hpp"
#include "tcp_wire.hpp"

using namespace asiortc;
using namespace asiortc::test;

namespace {

const auto left_address = ep("10.0.0.1:0").address;
const base::endpoint right_listener = ep("10.0.0.2:7000");

ice::agent_settings with_tcp() {
  ice::agent_settings settings;
  settings.tcp = true;
  return settings;
}

/// Left connects, right listens, and no UDP.
struct one_way {
  one_way() {
    wire.add_active(pair.left, left_address);
    listener = wire.add_passive(pair.right, right_listener);
  }

  agent_pair pair{1, {}, with_tcp()};
  tcp_wire wire{pair};
  base::socket_id listener{};
};

std::string text_of(const ice::candidate& candidate) { return ice::to_string(candidate); }

ice::candidate remote_tcp(const char* type) {
  return *ice::parse_candidate(std::string("candidate:1 1 tcp 5 10.0.0.9 7000 typ host tcptype ") +
                               type);
}

}  // namespace

TEST_CASE("an end is a candidate that says who connects, and a passive one where") {
  agent_pair pair(1, {}, with_tcp());
  tcp_wire wire(pair);
  pair.add_default_sockets();
  wire.add_active(pair.left, left_address);
  wire.add_passive(pair.left, ep("10.0.0.1:1000"));
  const auto& told = pair.left.candidates;
  REQUIRE(told.size() == 3);
  CHECK(text_of(told[1]).find(" tcp ") != std::string::npos);
  CHECK(text_of(told[1]).find(" 10.0.0.1 9 typ host tcptype active ") != std::string::npos);
  CHECK(text_of(told[2]).find(" 10.0.0.1 1000 typ host tcptype passive ") != std::string::npos);
  CHECK(told[1].foundation != told[0].foundation);
  CHECK(told[1].foundation == told[2].foundation);
}

TEST_CASE("UDP is worth more than TCP, connecting more than being connected to, relays least") {
  using ice::candidate_priority;
  const auto tcp = [](candidate_type type, ice::tcp_type direction, std::uint16_t other) {
    return candidate_priority(type, ice::tcp_local_preference(direction, other), 1,
                              ice::transport_protocol::tcp);
  };
  const auto active = tcp(candidate_type::host, ice::tcp_type::active, 0);
  const auto passive = tcp(candidate_type::host, ice::tcp_type::passive, 8191);
  CHECK(candidate_priority(candidate_type::server_reflexive, 0) > active);
  CHECK(active > passive);
  CHECK(passive > tcp(candidate_type::peer_reflexive, ice::tcp_type::active, 8191));
  CHECK(tcp(candidate_type::peer_reflexive, ice::tcp_type::passive, 0) >
        candidate_priority(candidate_type::relayed, 65535));
  // RFC 6544 4.2: two to the thirteenth times 6, and the rest.
  CHECK(ice::tcp_local_preference(ice::tcp_type::active, 5) == 6 * 8192 + 5);
}

TEST_CASE("one side connects, the other listens, and one connection carries checks both ways") {
  one_way net;
  bool left_controls = true;
  SUBCASE("the one that connects controls") {}
  SUBCASE("the one that listens controls") { left_controls = false; }
  net.pair.left.agent.set_role(left_controls ? ice::role::controlling : ice::role::controlled);
  net.pair.right.agent.set_role(left_controls ? ice::role::controlled : ice::role::controlling);
  net.pair.signal();
  REQUIRE(net.pair.connect(2s));
  CHECK(net.wire.opened == 1);
  const auto left = *net.pair.left.selected_row();
  const auto right = *net.pair.right.selected_row();
  // RFC 6544 7.2: the port that connecting took is peer-reflexive on both sides.
  CHECK(left.local.type == candidate_type::peer_reflexive);
  CHECK(left.local.tcp == ice::tcp_type::active);
  CHECK(left.local.address == right.remote.address);
  CHECK(left.remote.tcp == ice::tcp_type::passive);
  CHECK(right.local.type == candidate_type::host);
  CHECK(right.remote.tcp == ice::tcp_type::active);
  CHECK(net.pair.left.agent.is_known_route(*net.pair.left.agent.data_route()));
  net.pair.run_for(120s);
  CHECK(net.pair.left.connected());
  CHECK(net.pair.right.connected());
  CHECK(net.wire.opened == 1);
}

TEST_CASE("where both connect and listen they agree on one connection") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    agent_pair pair(seed, {}, with_tcp());
    tcp_wire wire(pair);
    wire.add_active(pair.left, left_address);
    wire.add_passive(pair.left, ep("10.0.0.1:7000"));
    wire.add_active(pair.right, right_listener.address);
    wire.add_passive(pair.right, right_listener);
    pair.signal();
    REQUIRE(pair.connect(3s));
    pair.run_for(5s);
    CHECK(wire.opened == 2);
    const auto left = *pair.left.selected_row();
    const auto right = *pair.right.selected_row();
    CHECK(left.nominated);
    CHECK(right.nominated);
    CHECK(left.local.address == right.remote.address);
    CHECK(left.remote.address == right.local.address);
  }
}

TEST_CASE("UDP is chosen where it works, and TCP within two seconds where it does not") {
  agent_pair pair(1, {}, with_tcp());
  tcp_wire wire(pair);
  pair.add_default_sockets();
  wire.add_active(pair.left, left_address);
  wire.add_passive(pair.right, right_listener);
  bool udp = true;
  SUBCASE("with UDP") {}
  SUBCASE("without UDP") {
    udp = false;
    pair.net.pass = [](auto...) { return false; };
  }
  pair.signal();
  REQUIRE(pair.connect(2s));
  const auto expected = udp ? ice::transport_protocol::udp : ice::transport_protocol::tcp;
  CHECK(pair.left.selected_row()->local.protocol == expected);
  CHECK(pair.right.selected_row()->local.protocol == expected);
}

TEST_CASE("TCP is left once UDP works") {
  agent_pair pair(1, {}, with_tcp());
  tcp_wire wire(pair);
  pair.add_default_sockets();
  wire.add_active(pair.left, left_address);
  wire.add_passive(pair.right, right_listener);
  bool works = false;
  pair.net.pass = [&works](auto...) { return works; };
  pair.signal();
  REQUIRE(pair.connect(2s));
  CHECK(pair.left.selected_row()->local.protocol == ice::transport_protocol::tcp);
  works = true;
  pair.run_for(10s);
  CHECK(pair.left.selected_row()->local.protocol == ice::transport_protocol::udp);
  CHECK(pair.right.selected_row()->local.protocol == ice::transport_protocol::udp);
  CHECK(pair.left.nominated());
}

TEST_CASE("two that only listen have nothing to check") {
  agent_pair pair(1, {}, with_tcp());
  tcp_wire wire(pair);
  wire.add_passive(pair.left, ep("10.0.0.1:7000"));
  wire.add_passive(pair.right, right_listener);
  pair.signal();
  pair.run_for(100s);
  CHECK(pair.left.agent.pairs().empty());
  CHECK(wire.packets == 0);
  CHECK(pair.left.agent.state() == ice::agent_state::failed);
}

TEST_CASE("a check over TCP is sent once and fails after 39.5 s") {
  one_way net;
  net.wire.silent = true;
  net.pair.signal();
  net.pair.run_for(39s);
  REQUIRE(net.pair.left.agent.pairs().size() == 1);
  CHECK(net.pair.left.agent.pairs()[0].requests_sent == 1);
  CHECK(net.pair.left.agent.pairs()[0].state == candidate_pair_state::in_progress);
  net.pair.run_for(1s);
  CHECK(net.pair.left.agent.pairs()[0].state == candidate_pair_state::failed);
}

TEST_CASE("a connection that is refused fails its pair at once, and is not asked for again") {
  one_way net;
  net.wire.refuses = true;
  net.pair.signal();
  net.pair.run_for(30s);
  CHECK(net.pair.left.agent.pairs()[0].state == candidate_pair_state::failed);
  CHECK(net.wire.packets == 1);
}

TEST_CASE("a connection in use that is lost is opened again, and leaves nothing behind") {
  one_way net;
  net.pair.signal();
  REQUIRE(net.pair.connect(2s));
  // More often than the other side may give candidates.
  for (int i = 0; i < 150; ++i) {
    net.wire.cut_all();
    net.pair.run_for(7ms);  // known to both, and the next check is on its way
    REQUIRE_FALSE(net.pair.right.agent.data_route());
    REQUIRE(net.pair.right.agent.pairs().empty());
    REQUIRE(net.pair.connect(2s));
  }
  CHECK(net.wire.opened == 151);
  CHECK(net.pair.right.agent.pairs().size() == 1);
  CHECK(net.pair.left.connected());
}

TEST_CASE("a lost connection that does not come back ends in failed") {
  one_way net;
  net.pair.signal();
  REQUIRE(net.pair.connect(2s));
  net.wire.refuses = true;
  net.wire.cut_all();
  net.pair.run_for(1s);
  CHECK(net.pair.left.agent.state() == ice::agent_state::disconnected);
  net.pair.run_for(60s);
  CHECK(net.pair.left.agent.state() == ice::agent_state::failed);
  CHECK(net.pair.right.agent.state() == ice::agent_state::failed);
}

TEST_CASE("consent is asked for over TCP as well") {
  one_way net;
  net.pair.signal();
  REQUIRE(net.pair.connect(2s));
  net.wire.silent = true;
  net.pair.run_for(15s);
  CHECK(net.pair.left.agent.state() == ice::agent_state::disconnected);
  net.pair.run_for(20s);
  CHECK(net.pair.left.agent.state() == ice::agent_state::failed);
  CHECK(net.pair.left.reason.code == errc::consent_expired);
}

TEST_CASE("a restart goes on over the connection that is open") {
  one_way net;
  net.pair.signal();
  REQUIRE(net.pair.connect(2s));
  net.pair.left.agent.restart(net.pair.net.now);
  net.pair.right.agent.restart(net.pair.net.now);
  net.pair.signal();
  net.pair.run_for(60s);
  CHECK(net.pair.left.connected());
  CHECK(net.pair.right.connected());
  CHECK(net.pair.left.selected_row()->nominated);
  CHECK(net.wire.opened == 1);
}

TEST_CASE("a lite agent listens and never connects") {
  auto lite = with_tcp();
  lite.lite = true;
  agent_pair pair(1, {}, with_tcp(), lite);
  tcp_wire wire(pair);
  wire.add_active(pair.left, left_address);
  wire.add_active(pair.right, right_listener.address);
  wire.add_passive(pair.right, right_listener);
  REQUIRE(pair.right.candidates.size() == 1);
  CHECK(pair.right.candidates[0].tcp == ice::tcp_type::passive);
  pair.left.agent.set_remote_lite(true);
  pair.signal();
  REQUIRE(pair.connect(2s));
  pair.run_for(60s);
  CHECK(pair.right.connected());
}

TEST_CASE("relay_only tells of no TCP end and takes no check at one") {
  auto settings = with_tcp();
  settings.relay_only = true;
  agent_pair pair(1, {}, with_tcp(), settings);
  tcp_wire wire(pair);
  wire.add_active(pair.left, left_address);
  wire.add_passive(pair.right, right_listener);
  CHECK(pair.right.candidates.empty());
  pair.exchange_credentials();
  auto passive = remote_tcp("passive");
  passive.address = right_listener;
  REQUIRE(pair.left.agent.add_remote_candidate(pair.net.now, passive).has_value());
  pair.left.pump();
  pair.run_for(10s);
  CHECK(wire.opened == 1);
  CHECK_FALSE(pair.right.agent.data_route());
}

TEST_CASE("of the other side's TCP candidates only passive ones are taken") {
  agent_pair pair(1, {}, with_tcp());
  for (const char* const type : {"active", "so"}) {
    const auto added = pair.left.agent.add_remote_candidate(pair.net.now, remote_tcp(type));
    REQUIRE_FALSE(added.has_value());
    CHECK(added.error().code == errc::not_supported);
  }
  CHECK(pair.left.agent.add_remote_candidate(pair.net.now, remote_tcp("passive")).has_value());
}

TEST_CASE("one address and port of both protocols are two candidates") {
  agent_pair pair(1, {}, with_tcp());
  tcp_wire wire(pair);
  pair.left.add_socket(ep("10.0.0.1:1000"));
  wire.add_active(pair.left, left_address);
  auto remote = remote_tcp("passive");
  REQUIRE(pair.left.agent.add_remote_candidate(pair.net.now, remote).has_value());
  remote.protocol = ice::transport_protocol::udp;
  remote.tcp = ice::tcp_type::none;
  REQUIRE(pair.left.agent.add_remote_candidate(pair.net.now, remote).has_value());
  CHECK(pair.left.agent.pairs().size() == 2);
}

TEST_CASE("a connection is of use once its other side has proved itself, until it is lost") {
  check_sender peer(with_tcp());
  const auto listener = static_cast<base::socket_id>(100);
  peer.host.add_tcp_end(listener, ep("10.0.0.1:7000"), ice::tcp_type::passive);
  const base::route from{listener, ep("10.0.0.9:40000")};
  const auto give = [&](base::bytes message) { peer.host.receive(listener, message, from.remote); };
  auto& agent = peer.host.agent;
  bool early = false;
  SUBCASE("after the credentials") { peer.start(); }
  SUBCASE("before the credentials") { early = true; }
  auto forged = peer.build(peer.request());
  forged[30] ^= 1;
  give(forged);
  give(ice::build_check(peer.request(), peer.own, {"nobody", "a password that nobody has"}));
  CHECK_FALSE(agent.uses_connection(from));
  give(peer.build(peer.request()));
  CHECK(agent.uses_connection(from));
  if (!early) CHECK(agent.pairs().size() == 1);
  agent.handle_connection_lost(peer.net.now, from);
  CHECK_FALSE(agent.uses_connection(from));
  if (early) peer.start();
  CHECK(agent.pairs().empty());
}

#include "agent_pair.hpp"

using namespace asiortc;
using namespace asiortc::test;

namespace {

const auto server = ep("203.0.113.1:3478");

base::ip_address ip(const char* text) { return *base::ip_address::parse(text); }

void use_server(agent_pair& pair) {
  attach_stun_server(pair.net, server);
  pair.left.agent.add_stun_server(pair.net.now, server);
  pair.right.agent.add_stun_server(pair.net.now, server);
  pair.pump();
}

}  // namespace

TEST_CASE("two hosts behind two NATs connect over their server-reflexive candidates") {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    CAPTURE(seed);
    link_settings link;
    link.loss_percent = seed % 3 == 0 ? 5 : 0;
    link.most_delay = 30ms;
    agent_pair pair(seed, link);
    nat home(ip("198.51.100.1"), false);
    nat office(ip("198.51.100.2"), false);
    pair.left.add_socket(ep("192.168.0.5:5000"), &home);
    pair.right.add_socket(ep("192.168.1.7:7000"), &office);
    use_server(pair);
    pair.signal();
    REQUIRE(pair.connect());
    CHECK(pair.left.selected_row()->remote.address.address == office.outside());
    CHECK(pair.left.selected_row()->local.address.address == home.outside());
    CHECK(pair.left.selected_row()->local.type == candidate_type::server_reflexive);
    CHECK(pair.left.selected_row()->local.related == ep("192.168.0.5:5000"));
  }
}

TEST_CASE("a host behind a symmetric NAT reaches an open one as a peer-reflexive candidate") {
  agent_pair pair;
  nat home(ip("198.51.100.1"), true);
  pair.left.add_socket(ep("192.168.0.5:5000"), &home);
  pair.right.add_socket(ep("203.0.113.9:9000"));
  use_server(pair);
  pair.signal();
  REQUIRE(pair.connect());
  CHECK(pair.right.selected_row()->remote.type == candidate_type::peer_reflexive);
  CHECK(pair.left.selected_row()->local.type == candidate_type::peer_reflexive);
  // RFC 8445 7.3.1.3: its priority is what the check said.
  CHECK((pair.right.selected_row()->remote.priority >> 24) == 110);
}

TEST_CASE("two hosts behind one NAT use their host candidates") {
  agent_pair pair;
  nat home(ip("198.51.100.1"), false);
  pair.left.add_socket(ep("192.168.0.5:5000"), &home);
  pair.right.add_socket(ep("192.168.0.6:5000"), &home);
  use_server(pair);
  pair.signal();
  REQUIRE(pair.connect());
  CHECK(pair.left.selected_row()->remote.address == ep("192.168.0.6:5000"));
}

TEST_CASE("a NAT that forgets its mapping is survived: the new address is learnt") {
  agent_pair pair;
  nat home(ip("198.51.100.1"), false);
  pair.left.add_socket(ep("192.168.0.5:5000"), &home);
  pair.right.add_socket(ep("203.0.113.9:9000"));
  pair.signal();
  REQUIRE(pair.connect());
  pair.run_for(10s);
  home.forget();
  pair.run_for(120s);
  CHECK(pair.left.connected());
  CHECK(pair.right.connected());
  CHECK(pair.left.agent.data_route());
}

TEST_CASE("the mapping of a reflexive candidate is kept alive until a pair carries traffic") {
  agent_pair pair;
  nat home(ip("198.51.100.1"), false);
  pair.left.add_socket(ep("192.168.0.5:5000"), &home);
  use_server(pair);
  pair.run_for(1s);
  const auto before = pair.net.packets_sent;
  pair.run_for(60s);
  CHECK(pair.net.packets_sent - before == 8);
}

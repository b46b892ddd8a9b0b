#include "agent_pair.hpp"

using namespace asiortc;
using namespace asiortc::test;

namespace {

struct lone_host {
  lone_host() : pair(3) {}
  explicit lone_host(const ice::agent_settings& settings) : pair(3, {}, settings) {}
  ice_host& host() { return pair.left; }
  void finish() {
    host().agent.finish_gathering(pair.net.now);
    host().pump();
  }
  agent_pair pair;
};

}  // namespace

TEST_CASE("each socket gives a host candidate of its own priority and generation") {
  lone_host lone;
  auto& host = lone.host();
  host.add_socket(ep("10.0.0.1:1000"));
  host.add_socket(ep("10.0.0.1:1001"));
  host.add_socket(ep("[2001:db8::1]:1000"));
  REQUIRE(host.candidates.size() == 3);
  CHECK(host.candidates[0].priority > host.candidates[1].priority);
  CHECK(host.candidates[2].priority > host.candidates[0].priority);
  // RFC 8445 5.1.1.3: the same type, base address and protocol.
  CHECK(host.candidates[0].foundation == host.candidates[1].foundation);
  CHECK(host.candidates[0].foundation != host.candidates[2].foundation);
  CHECK(host.candidates[0].ufrag == host.agent.local_credentials().ufrag);
  CHECK(host.gathering_completes == 0);
  lone.finish();
  CHECK(host.gathering_completes == 1);
}

TEST_CASE("a socket is added once, and one on the wildcard address is not announced") {
  lone_host lone;
  auto& host = lone.host();
  host.add_socket(ep("0.0.0.0:1000"));
  CHECK(host.candidates.empty());
  host.agent.add_local_socket(lone.pair.net.now, {base::socket_id{1}, ep("10.0.0.1:1000"), 1});
  host.pump();
  CHECK(host.candidates.empty());
}

TEST_CASE("gathering completes when the servers have answered or were given up") {
  lone_host lone;
  auto& host = lone.host();
  attach_stun_server(lone.pair.net, ep("203.0.113.1:3478"));
  nat home(*base::ip_address::parse("198.51.100.1"), false);
  host.add_socket(ep("192.168.0.5:5000"), &home);
  host.agent.add_stun_server(lone.pair.net.now, ep("203.0.113.1:3478"));
  host.agent.add_stun_server(lone.pair.net.now, ep("203.0.113.1:3478"));
  host.pump();
  lone.finish();
  lone.pair.run_for(1s);
  REQUIRE(host.candidates.size() == 2);
  CHECK(host.candidates[1].type == candidate_type::server_reflexive);
  CHECK(host.candidates[1].related == ep("192.168.0.5:5000"));
  CHECK(host.gathering_completes == 1);
}

TEST_CASE("a silent server holds gathering up for 9.5 seconds") {
  lone_host lone;
  auto& host = lone.host();
  host.add_socket(ep("10.0.0.1:1000"));
  host.agent.add_stun_server(lone.pair.net.now, ep("203.0.113.1:3478"));
  lone.finish();
  lone.pair.run_for(9400ms);
  CHECK(host.gathering_completes == 0);
  lone.pair.run_for(200ms);
  CHECK(host.gathering_completes == 1);
}

TEST_CASE("a server that refuses or cannot be reached ends its part of gathering") {
  lone_host lone;
  auto& host = lone.host();
  const auto id = host.add_socket(ep("10.0.0.1:1000"));
  SUBCASE("an error answer") {
    const auto address = ep("203.0.113.1:3478");
    auto& net = lone.pair.net;
    net.attach(address, [&net, address](base::byte_span bytes, const base::endpoint& from) {
      const auto request = stun::message_view::parse(bytes);
      stun::message_builder answer(stun::message_class::error, stun::method::binding,
                                   request->transaction());
      answer.add_error(500, "Server Error");
      net.send(address, from, answer.bytes());
    });
    host.agent.add_stun_server(net.now, address);
    host.pump();
  }
  SUBCASE("an ICMP error") {
    host.agent.add_stun_server(lone.pair.net.now, ep("203.0.113.1:3478"));
    host.agent.handle_send_error(lone.pair.net.now, {id, ep("203.0.113.1:3478")});
  }
  SUBCASE("its socket goes") {
    host.agent.add_stun_server(lone.pair.net.now, ep("203.0.113.1:3478"));
    host.remove_socket(id);
  }
  lone.finish();
  lone.pair.run_for(10ms);
  CHECK(host.gathering_completes == 1);
}

TEST_CASE("a server is asked only by sockets of its family, one question every 50 ms") {
  lone_host lone;
  auto& host = lone.host();
  for (int i = 0; i < 4; ++i) {
    host.add_socket(
        base::endpoint(*base::ip_address::parse("10.0.0.1"), static_cast<std::uint16_t>(1000 + i)));
  }
  host.add_socket(ep("[2001:db8::1]:1000"));
  host.agent.add_stun_server(lone.pair.net.now, ep("203.0.113.1:3478"));
  host.pump();
  CHECK(lone.pair.net.packets_sent == 1);
  lone.pair.run_for(49ms);
  CHECK(lone.pair.net.packets_sent == 1);
  lone.pair.run_for(120ms);
  CHECK(lone.pair.net.packets_sent == 4);
}

TEST_CASE("under relay_only nothing of our own addresses is told, asked, checked or answered") {
  ice::agent_settings settings;
  settings.relay_only = true;
  agent_pair pair(1, {}, settings);
  pair.add_default_sockets();
  pair.left.agent.add_stun_server(pair.net.now, ep("203.0.113.1:3478"));
  pair.signal();
  ice::candidate remote;
  remote.address = ep("10.0.0.2:2000");
  CHECK(pair.left.agent.add_remote_candidate(pair.net.now, remote).has_value());
  pair.run_for(60s);
  CHECK(pair.left.candidates.empty());
  CHECK(pair.left.gathering_completes == 1);
  CHECK(pair.net.packets_sent == 0);
}

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

TEST_CASE("a socket that comes later resumes the gathering, which is complete again after it") {
  lone_host lone;
  auto& host = lone.host();
  attach_stun_server(lone.pair.net, ep("203.0.113.1:3478"));
  host.add_socket(ep("10.0.0.1:1000"));
  host.agent.add_stun_server(lone.pair.net.now, ep("203.0.113.1:3478"));
  lone.finish();
  lone.pair.run_for(1s);
  CHECK(host.gathering_completes == 1);
  host.add_socket(ep("10.0.0.2:1000"));
  CHECK(host.gathering_completes == 1);
  lone.pair.run_for(1s);
  CHECK(host.gathering_completes == 2);
}

TEST_CASE("a silent server holds gathering up for 9.5 seconds") {
  lone_host lone;
  auto& host = lone.host();
  host.add_socket(ep("10.0.0.1:1000"));
  host.agent.add_stun_server(lone.pair.net.now, ep("203.0.113.1:3478"));
  lone.finish();
  lone.pair.run_for(9400ms);
  CHECK(host.gathering_completes == 0);
  CHECK(host.server_failures.empty());
  lone.pair.run_for(200ms);
  CHECK(host.gathering_completes == 1);
  REQUIRE(host.server_failures.size() == 1);
  CHECK(host.server_failures[0].why == "no answer");
  CHECK(host.server_failures[0].asked.remote == ep("203.0.113.1:3478"));
}

TEST_CASE("a server of a family that the host lacks is told as such") {
  lone_host lone;
  auto& host = lone.host();
  host.add_socket(ep("10.0.0.1:1000"));
  host.agent.add_stun_server(lone.pair.net.now, ep("[2001:db8::9]:3478"));
  lone.finish();
  CHECK(host.gathering_completes == 1);
  REQUIRE(host.server_failures.size() == 1);
  CHECK(host.server_failures[0].why == "no local address of its family");
}

TEST_CASE("a server that refuses or cannot be reached ends its part of gathering, and says why") {
  lone_host lone;
  auto& host = lone.host();
  std::string why;
  std::uint16_t code = 0;
  const auto id = host.add_socket(ep("10.0.0.1:1000"));
  SUBCASE("an error answer") {
    why = "refused with 500";
    code = 500;
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
    why = "not reachable";
    host.agent.add_stun_server(lone.pair.net.now, ep("203.0.113.1:3478"));
    host.agent.handle_send_error(lone.pair.net.now, {id, ep("203.0.113.1:3478")});
  }
  SUBCASE("its socket goes") {
    why = "no local address of its family";
    host.agent.add_stun_server(lone.pair.net.now, ep("203.0.113.1:3478"));
    host.remove_socket(id);
  }
  lone.finish();
  lone.pair.run_for(10ms);
  CHECK(host.gathering_completes == 1);
  REQUIRE(host.server_failures.size() == 1);
  CHECK(host.server_failures[0].why == why);
  CHECK(host.server_failures[0].code == code);
}

TEST_CASE("a further address of a server is asked where the one before it gives nothing") {
  lone_host lone;
  auto& host = lone.host();
  const auto id = host.add_socket(ep("192.168.0.5:5000"));
  const auto ask = [&](std::vector<base::endpoint> further) {
    host.agent.add_stun_server(lone.pair.net.now, {ep("203.0.113.1:3478"), "", std::move(further)});
    host.pump();
    lone.finish();
  };
  const auto last = ep("203.0.113.3:3478");
  SUBCASE("the second answers, 3.5 s later") {
    attach_stun_server(lone.pair.net, last);
    ask({last});
    lone.pair.run_for(3400ms);
    CHECK(host.gathering_completes == 0);
    lone.pair.run_for(300ms);
    CHECK(host.server_failures.empty());
  }
  SUBCASE("the first cannot be reached") {
    ask({last});
    attach_stun_server(lone.pair.net, last);
    host.agent.handle_send_error(lone.pair.net.now, {id, ep("203.0.113.1:3478")});
    lone.pair.run_for(200ms);
    CHECK(host.server_failures.empty());
  }
  SUBCASE("none answers, which is told once") {
    ask({ep("203.0.113.2:3478"), last});
    lone.pair.run_for(16s);
    CHECK(host.gathering_completes == 0);
    lone.pair.run_for(1s);
    REQUIRE(host.server_failures.size() == 1);
    CHECK(host.server_failures[0].asked.remote == last);
  }
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

TEST_CASE("a hidden socket is told by its name, and nothing else tells its address") {
  ice::agent_settings settings;
  settings.hide_addresses = true;
  lone_host lone(settings);
  auto& host = lone.host();
  attach_stun_server(lone.pair.net, ep("203.0.113.1:3478"));
  nat home(*base::ip_address::parse("198.51.100.1"), false);
  host.add_socket(ep("192.168.0.5:5000"), &home, 100, "4a7f.local");
  host.agent.add_stun_server(lone.pair.net.now, ep("203.0.113.1:3478"));
  host.add_relayed(ep("203.0.113.9:49152"), ep("198.51.100.1:5000"));
  lone.finish();
  lone.pair.run_for(1s);
  REQUIRE(host.candidates.size() == 3);
  CHECK(to_string(host.candidates[0]).find(" 4a7f.local 5000 typ host ufrag ") !=
        std::string::npos);
  for (const auto& each : host.candidates) {
    CAPTURE(to_string(each));
    CHECK(to_string(each).find("192.168.0.5") == std::string::npos);
    if (each.type != candidate_type::host) CHECK(each.related == ep("0.0.0.0:9"));
  }
}

TEST_CASE("an IPv6 candidate that hides its base says so with an IPv6 address") {
  ice::agent_settings settings;
  settings.hide_addresses = true;
  lone_host lone(settings);
  auto& host = lone.host();
  host.add_relayed(ep("[2001:db8::9]:49152"), ep("198.51.100.1:5000"));
  REQUIRE(host.candidates.size() == 1);
  CHECK(host.candidates[0].related == ep("[::]:9"));
}

TEST_CASE("an address without a NAT is told as what a server sees, where a name hides it") {
  for (const bool hidden : {false, true}) {
    ice::agent_settings settings;
    settings.hide_addresses = hidden;
    lone_host lone(settings);
    auto& host = lone.host();
    attach_stun_server(lone.pair.net, ep("203.0.113.1:3478"));
    host.add_socket(ep("198.51.100.7:5000"), nullptr, 100, hidden ? "4a7f.local" : "");
    host.agent.add_stun_server(lone.pair.net.now, ep("203.0.113.1:3478"));
    lone.finish();
    lone.pair.run_for(1s);
    REQUIRE(host.candidates.size() == (hidden ? 2 : 1));
    CHECK(host.candidates.back().address == ep("198.51.100.7:5000"));
    CHECK(host.candidates.back().host_name.empty());
  }
}

TEST_CASE("two agents that hide their sockets connect, and each shows its own name") {
  ice::agent_settings settings;
  settings.hide_addresses = true;
  agent_pair pair(1, {}, settings);
  pair.left.add_socket(ep("10.0.0.1:1000"), nullptr, 100, "left.local");
  pair.right.add_socket(ep("10.0.0.2:2000"), nullptr, 100, "right.local");
  // What the names resolve to is found outside.
  for (auto* host : {&pair.left, &pair.right}) {
    for (auto& each : host->candidates) each.host_name.clear();
  }
  pair.signal();
  pair.run_for(3s);
  REQUIRE(pair.left.nominated());
  CHECK(pair.left.selected_row()->local.host_name == "left.local");
  CHECK(pair.left.selected_row()->remote.address == ep("10.0.0.2:2000"));
}

TEST_CASE("only the server that was asked can answer, and only the question that it was asked") {
  lone_host lone;
  auto& host = lone.host();
  const auto server = ep("203.0.113.1:3478");
  const auto id = host.add_socket(ep("10.0.0.1:1000"));
  host.add_socket(ep("10.0.0.1:1001"));
  std::optional<stun::transaction_id> asked;
  lone.pair.net.attach(server, [&](base::byte_span bytes, const base::endpoint& from) {
    if (from == ep("10.0.0.1:1000")) asked = stun::message_view::parse(bytes)->transaction();
  });
  host.agent.add_stun_server(lone.pair.net.now, server);
  host.pump();
  lone.pair.run_for(100ms);
  REQUIRE(asked);
  const auto answer = [&](stun::transaction_id transaction, const base::endpoint& from,
                          base::socket_id at) {
    stun::message_builder message(stun::message_class::success, stun::method::binding, transaction);
    message.add_xor_address(stun::attribute_type::xor_mapped_address, ep("198.51.100.66:6666"));
    base::bytes bytes = std::move(message).take();
    host.receive(at, bytes, from);
  };
  auto wrong = *asked;
  wrong[0] ^= 1;
  const auto dropped = host.agent.dropped_datagrams();
  answer(wrong, server, id);
  answer(*asked, ep("203.0.113.66:3478"), id);
  answer(*asked, ep("203.0.113.1:3479"), id);
  answer(*asked, server, base::socket_id{2});
  CHECK(host.agent.dropped_datagrams() == dropped + 4);
  CHECK(host.candidates.size() == 2);
  answer(*asked, server, id);
  REQUIRE(host.candidates.size() == 3);
  CHECK(host.candidates[2].address == ep("198.51.100.66:6666"));
}

#include "turn/channel_data.hpp"
#include "turn_fixture.hpp"

#include <doctest/doctest.h>

using namespace asiortc;
using namespace asiortc::test;
using packets = std::vector<turn_fixture::packet>;
using base::traffic_class;

namespace {

base::bytes data_indication(const base::endpoint& peer, std::string_view text) {
  stun::message_builder builder(stun::message_class::indication, stun::method::data, {});
  builder.add_xor_address(stun::attribute_type::xor_peer_address, peer)
      .add_text(stun::attribute_type::data, text);
  return std::move(builder).take();
}

base::endpoint peer_number(int number) {
  return {base::ip_address::v4({203, 0, 114, static_cast<std::uint8_t>(number % 256)}),
          static_cast<std::uint16_t>(1000 + number / 256)};
}

}  // namespace

TEST_CASE("the first packets to a peer wait for the permission and keep their order") {
  turn_fixture f;
  REQUIRE(f.allocate());
  CHECK(f.send(peer_a, "one"));
  CHECK(f.send(peer_a, "two"));
  CHECK(f.server.done(stun::method::create_permission) == 0);
  f.run_for(1s);
  CHECK(f.server.done(stun::method::create_permission) == 1);
  CHECK(f.at_peers == packets{{peer_a, "one"}, {peer_a, "two"}});
  CHECK(f.send(peer_a, "three"));
  CHECK(f.client.overhead(peer_a) >= f.to_server.back().size() - 5);
  f.run_for(1s);
  CHECK(f.at_peers.back() == turn_fixture::packet{peer_a, "three"});
}

TEST_CASE("a permission is for an address and all its ports, and may be asked for ahead") {
  turn_fixture f;
  REQUIRE(f.allocate());
  f.permit(peer_a);
  f.run_for(1s);
  auto other_port = peer_a;
  other_port.port = 7;
  f.send(other_port, "x");
  f.run_for(1s);
  CHECK(f.server.done(stun::method::create_permission) == 1);
  CHECK(f.at_peers == packets{{other_port, "x"}});
}

TEST_CASE("what peers send arrives, from those with a permission alone") {
  turn_fixture f;
  REQUIRE(f.allocate());
  f.permit(peer_a);
  f.run_for(1s);
  f.server.handle_peer(f.now, f.relayed(), peer_a, base::as_bytes("in"));
  f.server.handle_peer(f.now, f.relayed(), peer_b, base::as_bytes("not asked for"));
  f.run_for(1s);
  CHECK(f.received == packets{{peer_a, "in"}});
  CHECK(f.give(data_indication(peer_b, "forged")).taken);
  CHECK(f.received.size() == 1);
  CHECK(f.client.dropped_datagrams() == 1);
  f.give(data_indication(peer_a, ""));
  CHECK(f.received.back() == turn_fixture::packet{peer_a, ""});
}

TEST_CASE("checks need no channel, data gets one, and then 4 bytes are all that is added") {
  turn_fixture f;
  REQUIRE(f.allocate());
  f.send(peer_a, "check");
  f.run_for(1s);
  CHECK_FALSE(f.client.has_channel(peer_a));
  CHECK(f.client.overhead(peer_a) == 39);
  f.send(peer_a, "data", traffic_class::data);
  f.run_for(1s);
  CHECK(f.client.has_channel(peer_a));
  CHECK(f.client.overhead(peer_a) == 4);
  f.send(peer_a, "more data", traffic_class::data);
  CHECK(f.to_server.back().size() == 4 + 9);
  f.run_for(1s);
  CHECK(f.at_peers == packets{{peer_a, "check"}, {peer_a, "data"}, {peer_a, "more data"}});
  CHECK(f.server.done(stun::method::channel_bind) == 1);

  f.server.handle_peer(f.now, f.relayed(), peer_a, base::as_bytes("over the channel"));
  CHECK(f.to_client.back().size() == 4 + 16);
  f.run_for(1s);
  f.give(data_indication(peer_a, "and an indication"));
  CHECK(f.received == packets{{peer_a, "over the channel"}, {peer_a, "and an indication"}});
}

TEST_CASE("a channel may be asked for ahead, and brings the permission") {
  turn_fixture f;
  REQUIRE(f.allocate());
  f.bind_channel(peer_a);
  f.bind_channel(peer_a);
  f.run_for(1s);
  CHECK(f.client.has_channel(peer_a));
  CHECK_FALSE(f.client.has_channel(peer_b));
  CHECK(f.server.done(stun::method::channel_bind) == 1);
}

TEST_CASE("ChannelData is padded on a stream") {
  auto settings = client_settings();
  settings.reliable = true;
  turn_fixture f({}, settings);
  REQUIRE(f.allocate());
  f.bind_channel(peer_a);
  f.run_for(1s);
  f.send(peer_a, "12345");
  CHECK(f.to_server.back().size() == 12);
  CHECK(f.client.overhead(peer_a) == 7);
  f.run_for(1s);
  CHECK(f.at_peers == packets{{peer_a, "12345"}});
}

TEST_CASE("ChannelData that is cut or of no channel of ours is dropped") {
  turn_fixture f;
  REQUIRE(f.allocate());
  f.bind_channel(peer_a);
  f.run_for(1s);
  CHECK(f.give({0x40, 0x00, 0, 1, 'x', 0, 0, 0}).relayed);
  CHECK(f.give({0x40, 0x00, 0, 0}).relayed);
  CHECK_FALSE(f.give({0x40, 0x00, 0, 2, 'x'}).relayed);
  CHECK_FALSE(f.give({0x40, 0x01, 0, 1, 'x'}).relayed);
  CHECK_FALSE(f.give({0x40}).relayed);
  CHECK(f.client.dropped_datagrams() == 3);
  CHECK_FALSE(turn::read_channel_data({}));
}

TEST_CASE("a peer that the server forbids is told, and others are not concerned") {
  turn_fixture f;
  REQUIRE(f.allocate());
  f.server.refuse = [](const stun::message_view& request) -> std::optional<std::uint16_t> {
    if (request.method() != stun::method::create_permission) return std::nullopt;
    const auto value = *request.find(stun::attribute_type::xor_peer_address);
    // The last octet of 203.0.113.1 under the cookie's 0x42.
    return value[7] == (1 ^ 0x42) ? std::optional<std::uint16_t>(403) : std::nullopt;
  };
  CHECK(f.send(peer_a, "forbidden"));
  CHECK(f.send(peer_b, "allowed"));
  f.run_for(1s);
  const auto* event = f.find_event<turn::peer_refused>();
  REQUIRE(event != nullptr);
  CHECK(event->peer == peer_a);
  CHECK(event->code == 403);
  CHECK(event->why.code == errc::turn_refused);
  CHECK(f.at_peers == packets{{peer_b, "allowed"}});
  CHECK(f.client.dropped_packets() == 1);
  f.events.clear();
  CHECK_FALSE(f.send({peer_a.address, 7000}, "to another port"));
  f.run_for(1s);
  REQUIRE(f.find_event<turn::peer_refused>() != nullptr);
  CHECK(f.find_event<turn::peer_refused>()->peer.port == 7000);
  CHECK(f.find_event<turn::peer_refused>()->code == 403);
  CHECK_FALSE(f.send(peer_a, "again"));
  f.bind_channel(peer_a);
  f.server.refuse = nullptr;
  f.run_for(61s);
  CHECK(f.send(peer_a, "a minute later"));
  f.run_for(1s);
  CHECK(f.at_peers.back() == turn_fixture::packet{peer_a, "a minute later"});
}

TEST_CASE("a channel that is refused leaves the indications") {
  turn_fixture f;
  REQUIRE(f.allocate());
  f.refuse(stun::method::channel_bind, 400);
  for (int i = 0; i < 5; ++i) {
    CHECK(f.send(peer_a, "data", traffic_class::data));
    f.run_for(1s);
  }
  CHECK_FALSE(f.client.has_channel(peer_a));
  CHECK(f.at_peers.size() == 5);
}

TEST_CASE("peers and what waits for them are bounded") {
  turn_fixture f;
  CHECK_FALSE(f.send(peer_a, "before there is an allocation"));
  REQUIRE(f.allocate());
  f.deliver = [](int, bool, base::byte_span) { return false; };
  for (int i = 0; i < 16; ++i) CHECK(f.send(peer_a, "x"));
  CHECK_FALSE(f.send(peer_a, "x"));
  CHECK(f.send(peer_b, std::string(16 * 1024, 'x')));
  CHECK_FALSE(f.send(peer_b, "x"));
  CHECK_FALSE(f.send(peer_b, std::string(65001, 'x')));
  int taken = 0;
  for (int i = 0; i < 256; ++i) taken += f.send(peer_number(i), "x", traffic_class::data) ? 1 : 0;
  CHECK(taken == 254);
  CHECK(f.client.dropped_packets() == 6);
  for (int i = 256; i < 512; ++i) f.send(peer_number(i), "x", traffic_class::data);
  CHECK(f.client.current_state() == turn::state::allocated);
}

TEST_CASE("a server that forgot the allocation ends it at the next request") {
  turn_fixture f;
  REQUIRE(f.allocate());
  SUBCASE("for a permission") {
    f.server.restart();
    f.send(peer_a, "x");
    f.run_for(1s);
  }
  SUBCASE("for a channel") {
    f.permit(peer_a);
    f.run_for(1s);
    f.server.restart();
    f.bind_channel(peer_a);
    f.run_for(1s);
  }
  SUBCASE("for a refresh") {
    f.server.restart();
    f.run_for(600s);
  }
  const auto* event = f.find_event<turn::ended>();
  REQUIRE(event != nullptr);
  CHECK(event->code == 437);
  CHECK(event->why.code == errc::turn_lost);
  CHECK(f.client.current_state() == turn::state::ended);
  CHECK_FALSE(f.send(peer_a, "x"));
  CHECK(f.client.next_deadline() == base::never);
}

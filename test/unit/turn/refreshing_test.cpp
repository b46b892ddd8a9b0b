#include "turn_fixture.hpp"

#include <doctest/doctest.h>

#include <random>

using namespace asiortc;
using namespace asiortc::test;
using packets = std::vector<turn_fixture::packet>;
using base::traffic_class;
using stun::method;

namespace {

/// What a session does: an allocation, checks, data on a channel, and hours of refreshing.
bool live_through_it(turn_fixture& f) {
  f.echo = true;
  f.start();
  f.run_for(39s);
  if (f.client.current_state() != turn::state::allocated) return false;
  for (int i = 0; i < 90; ++i) {
    f.send(peer_a, std::to_string(i), i < 3 ? traffic_class::control : traffic_class::data);
    f.run_for(60s);
  }
  return f.client.current_state() == turn::state::allocated && f.client.has_channel(peer_a);
}

}  // namespace

TEST_CASE("allocation, permission and channel are each refreshed on their own") {
  turn_fixture f;
  REQUIRE(live_through_it(f));
  CHECK(f.received.size() == 90);
  // 90 minutes: every 9 minutes, every 4 minutes less what ChannelBind does, every 9 minutes.
  CHECK(f.server.done(method::refresh) == 10);
  CHECK(f.server.done(method::create_permission) >= 18);
  CHECK(f.server.done(method::create_permission) <= 24);
  CHECK(f.server.done(method::channel_bind) == 10);
  CHECK(f.server.done(method::allocate) == 1);
}

TEST_CASE("a nonce that turns stale every few minutes is renewed on the way") {
  turn_server_settings server;
  server.nonce_lifetime = 100s;
  SUBCASE("with MD5") {}
  SUBCASE("with SHA-256") { server.algorithms = {2}; }
  turn_fixture f(server);
  REQUIRE(live_through_it(f));
  CHECK(f.received.size() == 90);
}

TEST_CASE("short lifetimes are refreshed at their half") {
  turn_server_settings server;
  server.lifetime = 10s;
  turn_fixture f(server);
  REQUIRE(live_through_it(f));
  CHECK(f.received.size() == 90);
}

TEST_CASE("whatever single packet is lost, the session lives and no later packet is missing") {
  turn_fixture undisturbed;
  REQUIRE(live_through_it(undisturbed));
  const auto count = static_cast<int>(undisturbed.to_server.size() + undisturbed.to_client.size());
  REQUIRE(count > 200);
  for (int lost = 0; lost < count; ++lost) {
    CAPTURE(lost);
    turn_fixture f;
    f.deliver = [=](int number, bool, base::byte_span) { return number != lost; };
    REQUIRE(live_through_it(f));
    REQUIRE(f.received.size() >= 89);
  }
}

TEST_CASE("a fifth of all packets lost and the nonce stale every other minute kills nothing") {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    CAPTURE(seed);
    turn_server_settings server;
    server.nonce_lifetime = 120s;
    turn_fixture f(server, client_settings(), seed);
    std::mt19937_64 dice(seed);
    f.deliver = [&](int, bool, base::byte_span) { return dice() % 5 != 0; };
    REQUIRE(live_through_it(f));
    REQUIRE(f.received.size() > 30);
  }
}

TEST_CASE("a server that falls silent ends the allocation when its lifetime is over") {
  turn_fixture f;
  REQUIRE(f.allocate());
  f.deliver = [](int, bool, base::byte_span) { return false; };
  const auto lifetime_over = f.started + 600s;
  f.run_until(lifetime_over);
  CHECK(f.client.current_state() == turn::state::allocated);
  f.run_for(1s);
  const auto* event = f.find_event<turn::ended>();
  REQUIRE(event != nullptr);
  CHECK(event->why.code == errc::turn_lost);
  CHECK(event->why.detail.find("did not answer") != std::string::npos);
  // Two transactions fit into the last minute.
  CHECK(f.to_server.size() >= 2 + 5 + 5);
}

TEST_CASE("a server that was restarted is found out within seconds of the first packet it drops") {
  turn_fixture f;
  f.echo = true;
  REQUIRE(f.allocate());
  for (int i = 0; i < 10; ++i) {
    f.send(peer_a, "x", traffic_class::data);
    f.run_for(1s);
  }
  REQUIRE(f.received.size() == 10);
  SUBCASE("when data goes over a channel") {}
  SUBCASE("when a check goes in an indication") { f.run_for(1h); }
  f.server.restart();
  f.run_for(20s);
  CHECK(f.find_event<turn::ended>() == nullptr);
  f.send(peer_a, "x");
  f.run_for(2100ms);
  const auto* event = f.find_event<turn::ended>();
  REQUIRE(event != nullptr);
  CHECK(event->code == 437);
  CHECK(event->why.code == errc::turn_lost);
}

TEST_CASE("a peer that never answers costs a refresh every other second, and no allocation") {
  turn_fixture f;
  REQUIRE(f.allocate());
  for (int i = 0; i < 600; ++i) {
    f.send(peer_a, "x", traffic_class::data);
    f.run_for(100ms);
    CHECK_FALSE(f.client.is_silent(f.now));
  }
  CHECK(f.client.current_state() == turn::state::allocated);
  CHECK(f.server.done(method::refresh) >= 25);
  CHECK(f.server.done(method::refresh) <= 31);
}

TEST_CASE("a server that keeps permissions and channels for less than it should is asked anew") {
  turn_server_settings server;
  server.permission_lifetime = 5s;
  server.channel_lifetime = 5s;
  turn_fixture f(server);
  f.echo = true;
  REQUIRE(f.allocate());
  for (int minute = 0; minute < 5; ++minute) {
    const auto before = f.received.size();
    for (int i = 0; i < 600; ++i) {
      f.send(peer_a, "x", traffic_class::data);
      f.run_for(100ms);
    }
    CHECK(f.received.size() - before >= 400);  // five seconds of seven
  }
  CHECK(f.find_event<turn::peer_refused>() == nullptr);
}

TEST_CASE("a server is silent when it gave no answer for ten seconds, until it is heard again") {
  turn_fixture f;
  f.echo = true;
  REQUIRE(f.allocate());
  f.deliver = [](int, bool, base::byte_span) { return false; };
  f.run_for(100s);
  CHECK_FALSE(f.client.is_silent(f.now));  // nothing was sent
  f.send(peer_a, "x", traffic_class::data);
  f.run_for(1s);
  f.deliver = nullptr;
  f.run_for(5s);
  REQUIRE(f.client.has_channel(peer_a));
  f.deliver = [](int, bool, base::byte_span) { return false; };
  f.send(peer_a, "x", traffic_class::data);
  f.run_for(9s);
  CHECK_FALSE(f.client.is_silent(f.now));
  f.run_for(1s);
  CHECK(f.client.is_silent(f.now));
  f.deliver = nullptr;
  f.run_for(15s);
  CHECK_FALSE(f.client.is_silent(f.now));
  CHECK(f.client.current_state() == turn::state::allocated);
}

TEST_CASE("a refusal of a refresh is not the end before the lifetime is over") {
  turn_fixture f;
  REQUIRE(f.allocate());
  f.refuse(stun::method::refresh, 508);
  SUBCASE("and may pass") {
    f.run_for(570s);
    f.server.refuse = nullptr;
    f.run_for(600s);
    CHECK(f.client.current_state() == turn::state::allocated);
  }
  SUBCASE("and is then the reason") {
    f.run_for(600s);
    REQUIRE(f.find_event<turn::ended>() != nullptr);
    CHECK(f.find_event<turn::ended>()->code == 508);
  }
}

TEST_CASE("an unsigned 437 takes no allocation away") {
  turn_server_settings server;
  server.sign_errors = false;
  turn_fixture f(server);
  REQUIRE(f.allocate());
  f.server.refuse = [](const auto&) { return std::uint16_t{437}; };
  f.run_for(560s);
  CHECK(f.client.current_state() == turn::state::allocated);
  f.server.refuse = nullptr;
  f.run_for(600s);
  CHECK(f.client.current_state() == turn::state::allocated);
}

TEST_CASE("a lifetime of zero in answer to a refresh is the end") {
  turn_fixture f;
  REQUIRE(f.allocate());
  f.server.settings().lifetime = 0s;
  f.run_for(600s);
  REQUIRE(f.find_event<turn::ended>() != nullptr);
}

TEST_CASE("permissions and channels that nobody uses lapse") {
  turn_fixture f;
  REQUIRE(f.allocate());
  f.send(peer_a, "x", traffic_class::data);
  f.run_for(1s);
  CHECK(f.client.has_channel(peer_a));
  f.run_for(1h);
  CHECK_FALSE(f.client.has_channel(peer_a));
  CHECK(f.server.done(method::create_permission) <= 2);
  CHECK(f.server.done(method::channel_bind) <= 2);
  f.send(peer_a, "again", traffic_class::data);
  f.run_for(1s);
  CHECK(f.client.has_channel(peer_a));
  CHECK(f.at_peers == packets{{peer_a, "x"}, {peer_a, "again"}});
}

TEST_CASE("a number rests with its peer after the channel expired, and binds again at once") {
  turn_fixture f;
  REQUIRE(f.allocate());
  f.send(peer_a, "x", traffic_class::data);
  f.run_for(1s);
  f.run_for(21min);  // one refresh at 9 minutes, expired at 19
  CHECK_FALSE(f.client.has_channel(peer_a));
  f.send(peer_b, "y", traffic_class::data);
  f.run_for(1s);
  f.send(peer_a, "z", traffic_class::data);
  f.run_for(1s);
  CHECK(f.client.has_channel(peer_a));
  CHECK(f.client.has_channel(peer_b));
  f.send(peer_b, "");
  CHECK(f.to_server.back() == base::bytes{0x40, 0x01, 0, 0});
  f.send(peer_a, "");
  CHECK(f.to_server.back() == base::bytes{0x40, 0x00, 0, 0});
}

TEST_CASE("requests for peers that find no answer go on, and no longer than they are of use") {
  turn_fixture f;
  REQUIRE(f.allocate());
  f.deliver = [](int, bool to_server, base::byte_span bytes) {
    const auto message = stun::message_view::parse(bytes);
    return !to_server || (message && message->method() == method::refresh);
  };
  f.send(peer_a, "x", traffic_class::data);
  f.run_for(200s);
  f.to_server.clear();
  f.run_for(20s);
  CHECK(f.to_server.size() >= 10);
  f.run_for(1h);
  f.to_server.clear();
  f.run_for(300s);
  CHECK(f.to_server.empty());
  CHECK(f.client.dropped_packets() == 1);
}

TEST_CASE("a permission that is refused when it is refreshed takes the channels of its address") {
  turn_fixture f;
  REQUIRE(f.allocate());
  f.send(peer_a, "x", traffic_class::data);
  f.run_for(1s);
  REQUIRE(f.client.has_channel(peer_a));
  f.refuse(stun::method::create_permission, 403);
  f.run_for(241s);
  CHECK_FALSE(f.client.has_channel(peer_a));
  REQUIRE(f.find_event<turn::peer_refused>() != nullptr);
  CHECK(f.find_event<turn::peer_refused>()->peer == peer_a);
  CHECK_FALSE(f.send(peer_a, "y"));
}

#include "agent_pair.hpp"

using namespace asiortc;
using namespace asiortc::test;
using ice::agent_state;

namespace {

void add_two_paths(agent_pair& pair) {
  pair.left.add_socket(ep("10.0.0.1:1000"));
  pair.left.add_socket(ep("10.0.1.1:1000"), nullptr, 50);
  pair.right.add_socket(ep("10.0.0.2:2000"));
}

/// Cuts everything to and from the address.
void cut(agent_pair& pair, const base::endpoint& address) {
  pair.net.pass = [=](base::byte_span, const base::endpoint& from, const base::endpoint& to) {
    return from != address && to != address;
  };
}

}  // namespace

TEST_CASE("consent that is not renewed is lost after 30 seconds, with disconnected before") {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    agent_pair pair(seed);
    pair.add_default_sockets();
    pair.signal();
    pair.run_for(20s);
    const auto cut_at = pair.net.now;
    pair.net.pass = [](auto&&...) { return false; };
    REQUIRE(
        pair.run_until([&] { return pair.left.agent.state() == agent_state::disconnected; }, 60s));
    CHECK(pair.net.now - cut_at <= 9s);
    CHECK(pair.left.agent.data_route());
    REQUIRE(pair.run_until([&] { return pair.left.agent.state() == agent_state::failed; }, 60s));
    CHECK(pair.net.now - cut_at >= 24s - 10ms);
    CHECK(pair.net.now - cut_at <= 30s);
    CHECK(pair.left.reason.code == errc::consent_expired);
    CHECK_FALSE(pair.left.agent.data_route());
    const auto sent = pair.left.requests_sent();
    pair.run_for(60s);
    CHECK(pair.left.requests_sent() == sent);
    CHECK(pair.left.agent.next_deadline() == base::never);
  }
}

TEST_CASE("a path that comes back in time is taken up again") {
  agent_pair pair;
  pair.add_default_sockets();
  pair.signal();
  pair.run_for(10s);
  pair.net.pass = [](auto&&...) { return false; };
  pair.run_for(15s);
  CHECK(pair.left.agent.state() == agent_state::disconnected);
  pair.net.pass = nullptr;
  pair.run_for(7s);
  CHECK(pair.left.agent.state() == agent_state::completed);
  CHECK(pair.right.agent.state() == agent_state::completed);
}

TEST_CASE("data is life for the state and not consent") {
  agent_pair pair;
  pair.add_default_sockets();
  pair.signal();
  pair.run_for(10s);
  pair.net.pass = [](base::byte_span bytes, auto&&...) { return !stun::looks_like_stun(bytes); };
  const auto cut_at = pair.net.now;
  while (pair.left.agent.state() != agent_state::failed) {
    REQUIRE(pair.net.now - cut_at <= 31s);
    CHECK(pair.left.agent.state() == agent_state::completed);
    pair.right.send_data();
    pair.run_for(500ms);
  }
  CHECK(pair.net.now - cut_at >= 23s);
}

TEST_CASE("one lost consent check changes nothing") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    link_settings link;
    link.loss_percent = 5;
    agent_pair pair(seed, link);
    pair.add_default_sockets();
    pair.signal();
    pair.run_for(600s);
    CHECK(pair.left.connected());
    CHECK(pair.left.states.size() <= 5);
  }
}

TEST_CASE("when the selected path dies the reserve takes over on both sides") {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    CAPTURE(seed);
    agent_pair pair(seed);
    add_two_paths(pair);
    pair.signal();
    pair.run_for(20s);
    REQUIRE(pair.left.selected_row()->local.address == ep("10.0.0.1:1000"));
    cut(pair, ep("10.0.0.1:1000"));
    pair.run_for(12s);
    CHECK(pair.left.connected());
    CHECK(pair.right.connected());
    CHECK(pair.left.nominated());
    CHECK(pair.right.nominated());
    CHECK(pair.left.selected_row()->local.address == ep("10.0.1.1:1000"));
    CHECK(pair.right.selected_row()->remote.address == ep("10.0.1.1:1000"));
    pair.run_for(60s);
    CHECK(pair.left.connected());
  }
}

TEST_CASE("data that finds no echo has its dead pair found out and left within 2.2 seconds") {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    CAPTURE(seed);
    agent_pair pair(seed);
    add_two_paths(pair);
    pair.signal();
    pair.run_for(20s + std::chrono::milliseconds(100 * seed));
    cut(pair, ep("10.0.0.1:1000"));
    for (int i = 0; i < 22; ++i) {
      for (auto* host : {&pair.left, &pair.right}) host->send_data();
      pair.run_for(100ms);
    }
    CHECK(pair.left.agent.data_route()->local == base::socket_id{2});
    CHECK(pair.right.agent.data_route()->remote == ep("10.0.1.1:1000"));
    CHECK(pair.left.connected());
    CHECK(pair.right.connected());
    // The later one of the two may be told of the other pair before it has its own doubts.
    CHECK(pair.left.lost_paths <= 1);
    CHECK(pair.right.lost_paths <= 1);
    CHECK(pair.left.lost_paths + pair.right.lost_paths >= 1);
  }
}

TEST_CASE("data that finds an echo costs no check more") {
  agent_pair pair;
  pair.add_default_sockets();
  pair.signal();
  pair.run_for(20s);
  const auto before = pair.left.requests_sent();
  for (int i = 0; i < 1000; ++i) {
    pair.left.send_data();
    pair.right.send_data();
    pair.run_for(50ms);
  }
  // 50 s / (4 to 6 s)
  CHECK(pair.left.requests_sent() - before <= 13);
}

TEST_CASE("a socket that goes takes its pairs with it and the reserve carries on") {
  agent_pair pair;
  add_two_paths(pair);
  pair.signal();
  pair.run_for(20s);
  pair.left.remove_socket(base::socket_id{1});
  CHECK(pair.left.connected());
  CHECK(pair.left.agent.data_route()->local == base::socket_id{2});
  CHECK(pair.left.lost_paths == 1);
  pair.run_for(15s);
  CHECK(pair.right.selected_row()->remote.address == ep("10.0.1.1:1000"));
}

TEST_CASE("a new socket after the last one went reconnects; without one the agent fails") {
  agent_pair pair;
  pair.add_default_sockets();
  pair.signal();
  pair.run_for(60s);
  pair.left.remove_socket(base::socket_id{1});
  CHECK(pair.left.agent.state() == agent_state::disconnected);
  SUBCASE("a new one comes") {
    pair.run_for(5s);
    pair.left.add_socket(ep("10.0.7.1:1000"));
    pair.run_for(5s);
    CHECK(pair.left.connected());
    CHECK(pair.right.connected());
    CHECK(pair.right.selected_row()->remote.address == ep("10.0.7.1:1000"));
  }
  SUBCASE("none comes") {
    pair.run_for(29s);
    CHECK(pair.left.agent.state() == agent_state::disconnected);
    pair.run_for(2s);
    CHECK(pair.left.agent.state() == agent_state::failed);
    CHECK(pair.left.reason.code == errc::checks_failed);
  }
}

TEST_CASE("at most four pairs are kept in reserve") {
  agent_pair pair;
  for (int i = 0; i < 4; ++i) {
    const auto port = static_cast<std::uint16_t>(1000 + i);
    pair.left.add_socket({*base::ip_address::parse("10.0.0.1"), port});
    pair.right.add_socket({*base::ip_address::parse("10.0.0.2"), port});
  }
  pair.signal();
  pair.run_for(20s);
  for (const auto* host : {&pair.left, &pair.right}) {
    const auto rows = host->agent.pairs();
    CHECK(std::count_if(rows.begin(), rows.end(), [](const auto& r) { return r.valid; }) == 5);
    CHECK(host->agent.state() == agent_state::completed);
  }
}

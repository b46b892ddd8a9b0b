#include "agent_pair.hpp"

using namespace asiortc;
using namespace asiortc::test;
using ice::agent_state;

namespace {

/// Both sides send over the same pair.
bool agree(const agent_pair& pair) {
  const auto left = pair.left.selected_row();
  const auto right = pair.right.selected_row();
  return left && right && left->remote.address == right->local.address &&
         right->remote.address == left->local.address;
}

}  // namespace

TEST_CASE("two hosts connect within two round trips, without waiting for any timer") {
  agent_pair pair;
  pair.add_default_sockets();
  pair.signal();
  const auto start = pair.net.now;
  REQUIRE(pair.run_until([&] { return pair.left.writables > 0 && pair.right.writables > 0; }, 1s));
  CHECK(pair.net.now - start <= 4ms);
  REQUIRE(pair.connect());
  CHECK(pair.net.now - start <= 6ms);
  CHECK(pair.left.selected_row()->remote.address == ep("10.0.0.2:2000"));
  CHECK(pair.right.selected_row()->remote.address == ep("10.0.0.1:1000"));
  CHECK(pair.left.selected_row()->round_trip_time == base::duration(2ms));
}

TEST_CASE("set-up with several interfaces is as quick when the best pair works") {
  agent_pair pair;
  for (int i = 1; i < 5; ++i) {
    const auto n = std::to_string(i);
    const auto preference = static_cast<std::uint16_t>(100 - i);
    pair.left.add_socket(ep("10.0." + n + ".1:1000"), nullptr, preference);
    pair.right.add_socket(ep("10.0." + n + ".2:2000"), nullptr, preference);
  }
  pair.signal();
  const auto start = pair.net.now;
  REQUIRE(pair.connect());
  CHECK(pair.net.now - start <= 6ms);
}

TEST_CASE("states go from new over checking and connected to completed, with one writable") {
  agent_pair pair;
  pair.add_default_sockets();
  CHECK(pair.left.agent.state() == agent_state::new_);
  pair.signal();
  pair.run_for(1s);
  for (const auto* host : {&pair.left, &pair.right}) {
    CHECK(host->states ==
          std::vector{agent_state::checking, agent_state::connected, agent_state::completed});
    CHECK(host->writables == 1);
    CHECK(host->selections.size() == 1);
    CHECK(host->gathering_completes == 1);
  }
}

TEST_CASE("the answerer's checks before the answer arrives are answered and remembered") {
  agent_pair pair;
  pair.add_default_sockets();
  pair.trickle(pair.left, pair.right);
  pair.right.agent.set_remote_credentials(pair.net.now, pair.left.agent.local_credentials());
  pair.right.pump();
  pair.run_for(200ms);
  CHECK(pair.right.connected());
  CHECK_FALSE(pair.left.connected());
  // The answer comes, without a candidate: the remembered check is enough.
  pair.left.agent.set_remote_credentials(pair.net.now, pair.right.agent.local_credentials());
  pair.left.pump();
  const auto start = pair.net.now;
  REQUIRE(pair.connect());
  CHECK(pair.net.now - start <= 6ms);
  CHECK(pair.left.selected_row()->remote.type == candidate_type::peer_reflexive);
  // Its signalled twin arrives at last and takes the place.
  pair.trickle(pair.right, pair.left);
  pair.pump();
  CHECK(pair.left.selected_row()->remote.type == candidate_type::host);
  CHECK(pair.left.agent.pairs().size() == 1);
}

TEST_CASE("what a check made known is paired with every socket once it is signalled") {
  agent_pair pair;
  pair.left.add_socket(ep("10.0.0.1:1000"));
  pair.right.add_socket(ep("10.0.0.2:2000"));
  pair.right.add_socket(ep("10.0.1.2:2000"));
  pair.exchange_credentials();
  CHECK(pair.left.agent.add_remote_candidate(pair.net.now, pair.right.candidates[0]).has_value());
  pair.pump();
  pair.run_for(1s);
  REQUIRE(pair.right.agent.pairs().size() == 1);
  CHECK(pair.right.agent.add_remote_candidate(pair.net.now, pair.left.candidates[0]).has_value());
  pair.pump();
  pair.run_for(1s);
  const auto rows = pair.right.agent.pairs();
  REQUIRE(rows.size() == 2);
  for (const auto& row : rows) {
    CHECK(row.valid);
    CHECK(row.remote.type == candidate_type::host);
  }
}

TEST_CASE("a pair that one side alone can open is checked at once when the other's check comes") {
  agent_pair pair;
  pair.add_default_sockets();
  // The left side's packets are lost for a while, as at a NAT that the right side must open.
  pair.net.pass = [](base::byte_span bytes, const base::endpoint& from, const base::endpoint&) {
    const bool request = stun::message_view::parse(bytes)->kind() == stun::message_class::request;
    return !(request && from == ep("10.0.0.1:1000"));
  };
  pair.signal();
  pair.run_for(20ms);
  pair.net.pass = nullptr;
  REQUIRE(pair.run_until([&] { return pair.left.connected(); }, 1s));
}

TEST_CASE("agents connect through loss, reordering and duplication, whatever the seed") {
  for (const unsigned loss : {0U, 5U, 20U}) {
    for (std::uint64_t seed = 1; seed <= 200; ++seed) {
      CAPTURE(loss);
      CAPTURE(seed);
      link_settings link;
      link.loss_percent = loss;
      link.duplicate_percent = 10;
      link.least_delay = 1ms;
      link.most_delay = 120ms;
      agent_pair pair(seed, link);
      pair.left.add_socket(ep("10.0.0.1:1000"));
      pair.left.add_socket(ep("10.0.1.1:1000"), nullptr, 90);
      pair.right.add_socket(ep("10.0.0.2:2000"));
      pair.right.add_socket(ep("10.0.1.2:2000"), nullptr, 90);
      pair.signal();
      REQUIRE(pair.connect());
      CHECK(pair.run_until(
          [&] { return pair.left.agent.state() == agent_state::completed && agree(pair); }, 60s));
    }
  }
}

TEST_CASE("a seed gives the same run twice") {
  const auto run = [](std::uint64_t seed) {
    link_settings link;
    link.loss_percent = 20;
    link.most_delay = 50ms;
    agent_pair pair(seed, link);
    pair.add_default_sockets();
    pair.signal();
    REQUIRE(pair.connect());
    return std::pair(pair.net.now, pair.net.packets_sent);
  };
  CHECK(run(7) == run(7));
}

TEST_CASE("a worse pair is nominated after a short wait when the better ones stay silent") {
  ice::agent_settings settings;
  base::duration earliest{};
  SUBCASE("of 100 ms") {}
  SUBCASE("that was configured") {
    settings.settle_direct = 600ms;
    earliest = 600ms;
  }
  agent_pair pair(1, {}, settings);
  pair.left.add_socket(ep("10.0.0.1:1000"));
  pair.left.add_socket(ep("10.0.1.1:1000"), nullptr, 50);
  pair.right.add_socket(ep("10.0.0.2:2000"));
  pair.net.pass = [](base::byte_span, const base::endpoint& from, const base::endpoint& to) {
    return from != ep("10.0.0.1:1000") && to != ep("10.0.0.1:1000");
  };
  pair.signal();
  const auto start = pair.net.now;
  REQUIRE(pair.connect());
  CHECK(pair.net.now - start >= earliest);
  CHECK(pair.net.now - start <= earliest + 250ms);
  CHECK(pair.left.selected_row()->local.address == ep("10.0.1.1:1000"));
}

TEST_CASE("an idle connection costs a check every five seconds a side and nothing else") {
  agent_pair pair;
  pair.add_default_sockets();
  pair.signal();
  pair.run_for(10s);
  const auto before = pair.net.packets_sent;
  pair.run_for(100s);
  // Request and answer in both directions, 100 s / (4 to 6 s) each.
  CHECK(pair.net.packets_sent - before >= 60);
  CHECK(pair.net.packets_sent - before <= 104);
  CHECK(pair.left.states.size() == 3);
}

TEST_CASE("pairs that neither side keeps are left alone once one is selected") {
  link_settings link;
  link.least_delay = link.most_delay = 40ms;
  agent_pair pair(1, link);
  for (std::uint16_t port = 1; port <= 4; ++port) {
    pair.left.add_socket({*base::ip_address::parse("10.0.0.1"), port});
    pair.right.add_socket({*base::ip_address::parse("10.0.0.2"), port});
  }
  pair.signal();
  REQUIRE(pair.connect());
  pair.run_for(10s);
  const auto states = pair.left.states.size() + pair.right.states.size();
  const auto before = pair.net.packets_sent;
  pair.run_for(60s);
  CHECK(pair.left.states.size() + pair.right.states.size() == states);
  // Of each side, a request and its answer in 5 s for the selected pair and in 15 s for each of
  // four in reserve.
  CHECK(pair.net.packets_sent - before <= 2 * 2 * (15 + 4 * 5));
}

TEST_CASE("a closed agent says and does nothing more") {
  agent_pair pair;
  pair.add_default_sockets();
  pair.signal();
  REQUIRE(pair.connect());
  pair.left.agent.close();
  pair.left.agent.close();
  pair.left.states.clear();
  const auto now = pair.net.now;
  pair.left.agent.add_stun_server(now, ep("10.9.9.9:3478"));
  pair.left.agent.remove_local_socket(now, base::socket_id{1});
  pair.left.agent.restart(now);
  pair.left.agent.set_remote_credentials(now, {"abcd", "password"});
  pair.left.agent.finish_gathering(now);
  pair.left.agent.hold_remote_candidate(now);
  pair.left.agent.release_remote_candidate(now);
  pair.left.agent.handle_send_error(now, {base::socket_id{1}, ep("10.0.0.2:2000")});
  CHECK(pair.left.agent.add_remote_candidate(now, {}).error().code == errc::invalid_state);
  pair.run_for(100s);
  CHECK(pair.left.states.empty());
  CHECK(pair.left.agent.state() == agent_state::closed);
  CHECK(pair.left.agent.next_deadline() == base::never);
  CHECK_FALSE(pair.left.agent.data_route());
  CHECK(pair.right.agent.state() == agent_state::failed);
}

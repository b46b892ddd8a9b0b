#include "agent_pair.hpp"

using namespace asiortc;
using namespace asiortc::test;
using ice::agent_state;

namespace {

/// The offerer restarts; the other side learns of it from the new credentials.
void restart(agent_pair& pair, ice_host& offerer, ice_host& answerer) {
  offerer.agent.restart(pair.net.now);
  answerer.agent.set_remote_credentials(pair.net.now, offerer.agent.local_credentials());
  pair.trickle(offerer, answerer);
  pair.pump();
  // The answerer's checks come before its answer.
  pair.run_for(10ms);
  offerer.agent.set_remote_credentials(pair.net.now, answerer.agent.local_credentials());
  pair.trickle(answerer, offerer);
  pair.pump();
}

}  // namespace

TEST_CASE("a restart changes the credentials of both sides and keeps the data flowing") {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    CAPTURE(seed);
    link_settings link;
    link.loss_percent = seed % 2 == 0 ? 0 : 20;
    link.most_delay = 40ms;
    agent_pair pair(seed, link);
    pair.add_default_sockets();
    pair.signal();
    REQUIRE(pair.connect());
    pair.run_for(3s);
    const auto left_before = pair.left.agent.local_credentials();
    const auto right_before = pair.right.agent.local_credentials();
    pair.left.selections.clear();
    restart(pair, pair.left, pair.right);
    CHECK(pair.left.agent.local_credentials().ufrag != left_before.ufrag);
    CHECK(pair.left.agent.local_credentials().password != left_before.password);
    CHECK(pair.right.agent.local_credentials().ufrag != right_before.ufrag);
    const auto limit = pair.net.now + 20s;
    while (pair.net.now < limit) {
      CHECK(pair.left.agent.data_route());
      CHECK(pair.right.agent.data_route());
      pair.run_for(100ms);
    }
    CHECK(pair.connect());
    CHECK(pair.left.selected_row()->remote.ufrag == pair.right.agent.local_credentials().ufrag);
    CHECK(pair.left.writables == 1);
    for (const auto state : pair.left.states) CHECK(state != agent_state::failed);
  }
}

TEST_CASE("candidates of a restart carry the new fragment and gathering completes again") {
  agent_pair pair;
  pair.add_default_sockets();
  pair.signal();
  REQUIRE(pair.connect());
  const auto count = pair.left.candidates.size();
  pair.left.on_candidate = nullptr;
  pair.left.agent.restart(pair.net.now);
  pair.left.pump();
  REQUIRE(pair.left.candidates.size() == 2 * count);
  CHECK(pair.left.candidates.back().ufrag == pair.left.agent.local_credentials().ufrag);
  CHECK(pair.left.gathering_completes == 2);
  CHECK(pair.left.agent.is_restarting());
  CHECK(pair.left.agent.remote_credentials() == pair.right.agent.local_credentials());
}

TEST_CASE("checks of the old generation are answered until the new one has settled") {
  agent_pair pair;
  pair.add_default_sockets();
  pair.signal();
  pair.run_for(2s);
  // The offer with the restart never arrives; the old pair goes on living.
  pair.left.agent.restart(pair.net.now);
  pair.left.pump();
  pair.run_for(120s);
  CHECK(pair.left.connected());
  CHECK(pair.right.connected());
  CHECK(pair.left.agent.data_route());
  // When it dies too, that is the end.
  pair.net.pass = [](auto&&...) { return false; };
  pair.run_for(70s);
  CHECK(pair.left.agent.state() == agent_state::failed);
  CHECK(pair.left.reason.code == errc::consent_expired);
}

TEST_CASE("the old generation is forgotten after the new pair has been selected for a while") {
  agent_pair pair;
  pair.add_default_sockets();
  pair.signal();
  pair.run_for(2s);
  restart(pair, pair.left, pair.right);
  pair.run_for(2s);
  CHECK(pair.left.agent.pairs().size() == 2);
  pair.run_for(31s);
  CHECK(pair.left.agent.pairs().size() == 1);
  CHECK(pair.left.connected());
}

TEST_CASE("an abandoned restart leaves credentials, candidates and pairs as they were") {
  agent_pair pair;
  pair.add_default_sockets();
  pair.signal();
  REQUIRE(pair.connect());
  pair.run_for(2s);
  REQUIRE(pair.left.agent.state() == agent_state::completed);
  auto& agent = pair.left.agent;
  const auto credentials = agent.local_credentials();
  const auto candidates = agent.local_candidates();
  const auto pairs = agent.pairs().size();
  pair.left.on_candidate = nullptr;
  for (int i = 0; i < 3; ++i) {
    agent.restart(pair.net.now);
    pair.left.pump();
    CHECK(agent.local_credentials() != credentials);
    pair.run_for(60s);
  }
  agent.abandon_restart(pair.net.now);
  pair.left.pump();
  CHECK_FALSE(agent.is_restarting());
  CHECK(agent.local_credentials() == credentials);
  CHECK(agent.local_candidates() == candidates);
  CHECK(agent.pairs().size() == pairs);
  CHECK(agent.state() == agent_state::completed);
  pair.run_for(60s);
  CHECK(pair.right.connected());
  restart(pair, pair.left, pair.right);
  REQUIRE(pair.connect());
  CHECK(pair.left.selected_row()->local.ufrag == agent.local_credentials().ufrag);
  CHECK(agent.local_credentials() != credentials);
}

TEST_CASE("what comes while a restart is open belongs to the old generation once it is abandoned") {
  nat behind(*base::ip_address::parse("203.0.113.1"), false);
  agent_pair pair;
  attach_stun_server(pair.net, ep("198.51.100.1:3478"));
  auto& agent = pair.left.agent;
  pair.left.add_socket(ep("10.0.0.1:1000"), &behind);
  const auto gone = pair.left.add_socket(ep("10.0.3.1:1000"), &behind);
  agent.add_stun_server(pair.net.now, ep("198.51.100.1:3478"));
  agent.restart(pair.net.now);  // the questions are under way
  pair.left.add_socket(ep("10.0.5.1:1000"));
  pair.left.remove_socket(gone);
  agent.finish_gathering(pair.net.now);
  agent.abandon_restart(pair.net.now);
  pair.left.pump();
  pair.run_for(10s);
  std::vector<base::endpoint> told;
  for (const auto& each : agent.local_candidates()) {
    CHECK(each.ufrag == agent.local_credentials().ufrag);
    told.push_back(each.address);
  }
  REQUIRE(told.size() == 3);
  CHECK(told[0] == ep("10.0.0.1:1000"));
  CHECK(told[1] == ep("10.0.5.1:1000"));
  CHECK(told[2].address == *base::ip_address::parse("203.0.113.1"));
  CHECK(pair.left.gathering_completes == 1);
}

TEST_CASE("several restarts in a row keep the generation that works") {
  agent_pair pair;
  pair.add_default_sockets();
  pair.signal();
  pair.run_for(2s);
  for (int i = 0; i < 5; ++i) {
    pair.left.agent.restart(pair.net.now);
    pair.left.pump();
    CHECK(pair.left.agent.data_route());
  }
  restart(pair, pair.left, pair.right);
  REQUIRE(pair.connect());
  CHECK(pair.left.connected());
}

TEST_CASE("a restart after failure connects again") {
  agent_pair pair;
  pair.add_default_sockets();
  pair.signal();
  pair.run_for(2s);
  pair.net.pass = [](auto&&...) { return false; };
  pair.run_for(40s);
  REQUIRE(pair.left.agent.state() == agent_state::failed);
  REQUIRE(pair.right.agent.state() == agent_state::failed);
  pair.net.pass = nullptr;
  restart(pair, pair.right, pair.left);
  REQUIRE(pair.connect());
  CHECK(pair.left.connected());
}

TEST_CASE("who had failed has failed again once the restart is abandoned") {
  agent_pair pair;
  pair.add_default_sockets();
  pair.signal();
  pair.run_for(2s);
  pair.net.pass = [](auto&&...) { return false; };
  pair.run_for(15s);
  // A check to a new address of the other side is under way when consent is lost.
  pair.right.add_socket(ep("10.0.9.1:1000"));
  REQUIRE(pair.run_until([&] { return pair.left.agent.state() == agent_state::failed; }, 60s));
  auto& agent = pair.left.agent;
  agent.restart(pair.net.now);
  pair.left.pump();
  CHECK(agent.state() == agent_state::checking);
  pair.run_for(1s);
  agent.abandon_restart(pair.net.now);
  pair.left.pump();
  pair.run_for(40s);
  CHECK(agent.state() == agent_state::failed);
}

TEST_CASE("a restart moves to new sockets") {
  agent_pair pair;
  pair.add_default_sockets();
  pair.signal();
  pair.run_for(2s);
  pair.left.on_candidate = nullptr;
  pair.left.add_socket(ep("10.0.5.1:1000"), nullptr, 2000);
  restart(pair, pair.left, pair.right);
  pair.run_for(2s);
  CHECK(pair.left.selected_row()->local.address == ep("10.0.5.1:1000"));
  CHECK(pair.right.selected_row()->remote.address == ep("10.0.5.1:1000"));
}

TEST_CASE("a restart after the last socket went fails unless it is answered in time") {
  agent_pair pair;
  pair.add_default_sockets();
  pair.signal();
  pair.run_for(20s);
  pair.left.on_candidate = nullptr;
  pair.left.remove_socket(base::socket_id{1});
  CHECK(pair.left.lost_paths == 1);
  pair.run_for(1s);
  pair.left.add_socket(ep("10.0.5.1:1000"));
  SUBCASE("answered") {
    restart(pair, pair.left, pair.right);
    pair.run_for(60s);
    CHECK(pair.left.connected());
    CHECK(pair.right.connected());
  }
  SUBCASE("not answered") {
    pair.net.pass = [](auto&&...) { return false; };
    pair.left.agent.restart(pair.net.now);
    pair.left.pump();
    pair.run_for(29s);
    CHECK(pair.left.agent.state() == agent_state::checking);
    pair.run_for(2s);
    CHECK(pair.left.agent.state() == agent_state::failed);
    CHECK(pair.left.reason.code == errc::consent_expired);
  }
}

#include "agent_pair.hpp"

using namespace asiortc;
using namespace asiortc::test;
using ice::role;

namespace {

void connects_after_conflict(role both, std::uint64_t seed, unsigned loss) {
  CAPTURE(seed);
  link_settings link;
  link.loss_percent = loss;
  agent_pair pair(seed, link);
  pair.left.agent.set_role(both);
  pair.right.agent.set_role(both);
  pair.add_default_sockets();
  pair.signal();
  REQUIRE(pair.connect());
  CHECK(pair.left.agent.current_role() != pair.right.agent.current_role());
}

}  // namespace

TEST_CASE("two controlling agents agree on who controls") {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    connects_after_conflict(role::controlling, seed, seed % 2 == 0 ? 0 : 20);
  }
}

TEST_CASE("two controlled agents agree on who controls") {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    connects_after_conflict(role::controlled, seed, seed % 2 == 0 ? 0 : 20);
  }
}

TEST_CASE("the larger tie-breaker controls whichever side's check comes first") {
  for (const bool left_first : {true, false}) {
    agent_pair pair(5);
    pair.right.agent.set_role(role::controlling);
    pair.add_default_sockets();
    auto& first = left_first ? pair.left : pair.right;
    auto& second = left_first ? pair.right : pair.left;
    pair.trickle(second, first);
    first.agent.set_remote_credentials(pair.net.now, second.agent.local_credentials());
    first.pump();
    pair.run_for(5ms);
    pair.trickle(first, second);
    second.agent.set_remote_credentials(pair.net.now, first.agent.local_credentials());
    second.pump();
    REQUIRE(pair.connect());
    CHECK(pair.left.agent.current_role() != pair.right.agent.current_role());
  }
}

TEST_CASE("who is controlled and restarts controls where the other side is controlled since then") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    agent_pair pair(seed);
    pair.add_default_sockets();
    pair.signal();
    REQUIRE(pair.connect());
    pair.right.agent.restart(pair.net.now);
    pair.left.agent.set_remote_credentials(pair.net.now, pair.right.agent.local_credentials());
    pair.left.agent.set_role(role::controlled);  // as libwebrtc
    pair.trickle(pair.right, pair.left);
    pair.right.agent.set_remote_credentials(pair.net.now, pair.left.agent.local_credentials());
    pair.trickle(pair.left, pair.right);
    pair.pump();
    pair.run_for(5s);
    CHECK(pair.right.agent.current_role() == role::controlling);
    CHECK(pair.left.agent.current_role() == role::controlled);
    CHECK(pair.right.selected_row()->remote.ufrag == pair.left.agent.local_credentials().ufrag);
  }
}

TEST_CASE("against a lite agent this side controls") {
  agent_pair pair;
  pair.left.agent.set_role(role::controlled);
  pair.left.agent.set_remote_lite(true);
  CHECK(pair.left.agent.current_role() == role::controlling);
}

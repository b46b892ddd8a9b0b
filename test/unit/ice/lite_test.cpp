#include "agent_pair.hpp"

using namespace asiortc;
using namespace asiortc::test;

namespace {

ice::agent_settings lite_settings() {
  ice::agent_settings settings;
  settings.lite = true;
  return settings;
}

/// A full agent on the left, a lite one on the right.
struct lite_pair : agent_pair {
  explicit lite_pair(const link_settings& link = {}) : agent_pair(1, link, {}, lite_settings()) {
    add_default_sockets();
    left.agent.set_remote_lite(true);
  }
};

}  // namespace

TEST_CASE("a full agent connects to a lite one, which sends no check of its own") {
  lite_pair pair;
  pair.signal();
  pair.run_for(2s);
  CHECK(pair.left.nominated());
  CHECK(pair.right.nominated());
  CHECK(pair.right.requests_sent() == 0);
  CHECK(pair.right.send_data());
}

TEST_CASE("a lite agent is controlled whatever it is told") {
  lite_pair pair;
  pair.right.agent.set_role(ice::role::controlling);
  CHECK(pair.right.agent.current_role() == ice::role::controlled);
}

TEST_CASE("a lite agent gathers host candidates alone") {
  lite_pair pair;
  attach_stun_server(pair.net, ep("10.0.0.9:3478"));
  pair.right.agent.add_stun_server(pair.net.now, ep("10.0.0.9:3478"));
  pair.signal();
  pair.run_for(2s);
  REQUIRE(pair.right.candidates.size() == 1);
  CHECK(pair.right.gathering_completes == 1);
}

TEST_CASE("a lite agent stays connected while the full one asks, also through loss") {
  link_settings link;
  link.loss_percent = 20;
  lite_pair pair(link);
  pair.signal();
  pair.run_for(300s);
  CHECK(pair.left.connected());
  CHECK(pair.right.connected());
}

TEST_CASE("a lite agent notices that the full one is gone, and fails without its consent") {
  lite_pair pair;
  pair.signal();
  pair.run_for(2s);
  pair.left.agent.close();
  pair.run_for(25s);
  CHECK(pair.right.agent.state() == ice::agent_state::disconnected);
  pair.run_for(20s);
  CHECK(pair.right.agent.state() == ice::agent_state::failed);
  CHECK(pair.right.reason.code == make_error_code(errc::consent_expired));
}

TEST_CASE("a lite agent that nobody checks fails and says why") {
  lite_pair pair;
  pair.left.deaf = true;
  pair.net.detach(ep("10.0.0.1:1000"));
  pair.signal();
  pair.run_for(60s);
  CHECK(pair.right.agent.state() == ice::agent_state::failed);
}

TEST_CASE("data goes on through a restart with a lite agent") {
  lite_pair pair;
  pair.signal();
  pair.run_for(2s);
  pair.left.agent.restart(pair.net.now);
  pair.right.agent.restart(pair.net.now);
  CHECK(pair.right.agent.data_route());
  pair.signal();
  pair.run_for(2s);
  CHECK(pair.left.nominated());
  CHECK(pair.right.nominated());
}

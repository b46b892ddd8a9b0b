#include "agent_pair.hpp"

using namespace asiortc;
using namespace asiortc::test;

namespace {

const base::endpoint relayed = ep("203.0.113.9:49152");
const base::endpoint mapped = ep("198.51.100.1:5000");

}  // namespace

TEST_CASE("a relayed address is a candidate of the lowest type, related to the mapped one") {
  agent_pair pair;
  pair.add_default_sockets();
  pair.left.add_relayed(relayed, mapped);
  const auto& candidates = pair.left.candidates;
  REQUIRE(candidates.size() == 2);
  CHECK(candidates[1].type == candidate_type::relayed);
  CHECK(candidates[1].address == relayed);
  CHECK(candidates[1].related == mapped);
  CHECK(candidates[1].priority < candidates[0].priority);
  CHECK(candidates[1].foundation != candidates[0].foundation);
  CHECK(candidates[1].ufrag == pair.left.agent.local_credentials().ufrag);
}

TEST_CASE("where nothing is direct the relayed pair carries data") {
  agent_pair pair;
  nat left_nat(*base::ip_address::parse("198.51.100.1"), true);
  nat right_nat(*base::ip_address::parse("198.51.100.2"), true);
  pair.left.add_socket(ep("192.168.0.5:5000"), &left_nat);
  pair.right.add_socket(ep("192.168.1.5:5000"), &right_nat);
  pair.left.add_relayed(relayed, mapped);
  pair.signal();
  pair.run_for(3s);
  REQUIRE(pair.left.connected());
  CHECK(pair.left.selected_row()->local.type == candidate_type::relayed);
  CHECK(pair.right.selected_row()->remote.type == candidate_type::relayed);
  CHECK(pair.left.send_data());
}

TEST_CASE("a direct pair is preferred to a relayed one") {
  agent_pair pair;
  pair.left.add_relayed(relayed, mapped);
  pair.add_default_sockets();
  pair.signal();
  pair.run_for(3s);
  REQUIRE(pair.left.nominated());
  CHECK(pair.left.selected_row()->local.type == candidate_type::host);
}

TEST_CASE("a relay is left as soon as the direct path works, at first and after it was dead") {
  agent_pair pair;
  bool dead = true;
  const auto are_hosts = [](const base::endpoint& from, const base::endpoint& to) {
    return from.address != relayed.address && to.address != relayed.address;
  };
  pair.net.pass = [&](base::byte_span, const base::endpoint& from, const base::endpoint& to) {
    return !dead || !are_hosts(from, to);
  };
  pair.left.add_relayed(relayed, mapped);
  pair.add_default_sockets();
  const auto has_nominated = [&](candidate_type type) {
    return pair.left.nominated() && pair.right.nominated() &&
           pair.left.selected_row()->local.type == type &&
           pair.right.selected_row()->remote.type == type;
  };
  pair.signal();
  REQUIRE(pair.run_until([&] { return has_nominated(candidate_type::relayed); }, 3s));
  pair.run_for(1s);
  for (int round = 0; round < 2; ++round) {
    CAPTURE(round);
    dead = false;
    REQUIRE(pair.run_until([&] { return has_nominated(candidate_type::host); }, 20s));
    dead = true;
    REQUIRE(pair.run_until([&] { return has_nominated(candidate_type::relayed); }, 20s));
  }
}

TEST_CASE("relay_only tells, checks and uses the relayed address alone, without the mapped one") {
  ice::agent_settings settings;
  settings.relay_only = true;
  agent_pair pair(1, {}, settings);
  pair.add_default_sockets();
  pair.left.add_relayed(relayed, mapped);
  pair.right.add_relayed(ep("203.0.113.9:49153"), mapped);
  pair.left.agent.add_reflexive_address(pair.net.now, base::socket_id{1}, mapped, relayed);
  pair.signal();
  pair.run_for(3s);
  REQUIRE(pair.left.candidates.size() == 1);
  CHECK(pair.left.candidates[0].related == ep("0.0.0.0:9"));
  REQUIRE(pair.left.nominated());
  CHECK(pair.left.selected_row()->remote.type == candidate_type::relayed);
}

TEST_CASE("the address that a TURN server saw is a server-reflexive candidate, once") {
  agent_pair pair;
  const auto id = pair.left.add_socket(ep("192.168.0.5:5000"));
  for (int i = 0; i < 2; ++i) {
    pair.left.agent.add_reflexive_address(pair.net.now, id, mapped, relayed);
  }
  pair.left.pump();
  REQUIRE(pair.left.candidates.size() == 2);
  CHECK(pair.left.candidates[1].type == candidate_type::server_reflexive);
  CHECK(pair.left.candidates[1].address == mapped);
}

TEST_CASE("what is released after the end completes nothing") {
  agent_pair pair;
  pair.left.agent.hold_gathering();
  pair.left.agent.finish_gathering(pair.net.now);
  pair.left.agent.close();
  pair.left.agent.release_gathering(pair.net.now);
  CHECK_FALSE(pair.left.agent.poll_event());
}

TEST_CASE("gathering waits for what is held, and a lost relay ends its pairs") {
  agent_pair pair;
  pair.add_default_sockets();
  pair.left.agent.hold_gathering();
  pair.left.agent.finish_gathering(pair.net.now);
  pair.left.pump();
  CHECK(pair.left.gathering_completes == 0);
  const auto id = pair.left.add_relayed(relayed, mapped);
  pair.left.agent.release_gathering(pair.net.now);
  pair.left.pump();
  CHECK(pair.left.gathering_completes == 1);
  pair.signal();
  pair.run_for(3s);
  pair.left.remove_socket(id);
  for (const auto& row : pair.left.agent.pairs()) {
    CHECK(row.local.type != candidate_type::relayed);
  }
  CHECK(pair.left.connected());
  CHECK(pair.left.lost_paths == 0);  // it was in reserve
}

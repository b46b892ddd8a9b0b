// What an agent counts for statistics.
#include "agent_pair.hpp"

#include <doctest/doctest.h>

#include <set>

using namespace asiortc;
using namespace asiortc::ice;
using namespace asiortc::test;
using namespace std::chrono_literals;

TEST_CASE("each request that arrives is answered once, and counted on both sides") {
  agent_pair pair;
  pair.add_default_sockets();
  pair.signal();
  pair.run_for(60s);
  const auto left = *pair.left.selected_row();
  const auto right = *pair.right.selected_row();
  CHECK(left.requests_sent == right.requests_received);
  CHECK(right.responses_sent == right.requests_received);
  // Of what was sent again both answers come, and one of them is enough.
  CHECK(right.responses_sent == left.responses_received + left.requests_repeated);
  CHECK(left.consent_requests_sent >= 9);  // one in 4 to 6 s
  CHECK(left.requests_sent - left.consent_requests_sent >= 1);
  CHECK(pair.left.agent.selected_pair_changes() == 1);
}

TEST_CASE("a request that is sent again is told apart") {
  agent_pair pair;
  pair.add_default_sockets();
  int to_lose = 3;
  pair.net.pass = [&](auto&&...) { return to_lose-- <= 0; };
  pair.signal();
  pair.run_for(5s);
  const auto left = *pair.left.selected_row();
  const auto right = *pair.right.selected_row();
  CHECK(left.requests_repeated + right.requests_repeated >= 1);
  CHECK(left.requests_sent > left.requests_repeated + left.consent_requests_sent);
}

TEST_CASE("checks that come before the answer are counted once it is there") {
  agent_pair pair;
  pair.add_default_sockets();
  pair.trickle(pair.left, pair.right);
  pair.right.agent.set_remote_credentials(pair.net.now, pair.left.agent.local_credentials());
  pair.right.pump();
  pair.run_for(30s);  // several consent checks are sent and remembered
  pair.left.agent.set_remote_credentials(pair.net.now, pair.right.agent.local_credentials());
  pair.left.pump();
  pair.run_for(1s);
  const auto left = *pair.left.selected_row();
  CHECK(left.requests_received > 5);
  CHECK(left.requests_received == pair.right.selected_row()->requests_sent);
  CHECK(left.responses_sent == pair.right.selected_row()->responses_received);
}

TEST_CASE("candidates and pairs have numbers that stay, and that no generation shares") {
  agent_pair pair;
  pair.left.add_socket(ep("10.0.0.1:1000"));
  pair.left.add_socket(ep("10.0.1.1:1000"));
  pair.right.add_socket(ep("10.0.0.2:2000"));
  pair.exchange_credentials();
  // The left one becomes known by its check, and is signalled afterwards.
  CHECK(pair.left.agent.add_remote_candidate(pair.net.now, pair.right.candidates[0]).has_value());
  pair.pump();
  pair.run_for(1s);
  const auto before = *pair.right.selected_row();
  CHECK(before.remote.type == candidate_type::peer_reflexive);
  for (const auto& own : pair.left.candidates) {
    CHECK(pair.right.agent.add_remote_candidate(pair.net.now, own).has_value());
  }
  pair.pump();
  pair.run_for(1s);
  const auto after = *pair.right.selected_row();
  CHECK(after.number == before.number);
  CHECK(after.local.number == before.local.number);
  CHECK(after.remote.number == before.remote.number);
  CHECK(after.remote.type == candidate_type::host);

  std::set<std::uint64_t> remote_numbers;
  for (const auto& each : pair.right.agent.remote_candidates()) {
    CHECK(remote_numbers.insert(each.number).second);
    CHECK(each.ufrag == pair.left.agent.local_credentials().ufrag);
  }
  CHECK(remote_numbers.size() == 2);
  std::set<std::uint64_t> local_numbers;
  for (const auto& each : pair.left.agent.local_candidates()) local_numbers.insert(each.number);
  CHECK(local_numbers.size() == 2);
  pair.left.agent.restart(pair.net.now);
  pair.left.pump();
  for (const auto& each : pair.left.agent.local_candidates()) {
    CHECK(local_numbers.insert(each.number).second);
  }
  CHECK_FALSE(pair.left.selected_row()->is_of_old_generation);
  pair.left.agent.set_remote_credentials(pair.net.now, {"efgh", "12345678901234567890"});
  CHECK(pair.left.selected_row()->is_of_old_generation);
}

TEST_CASE("a pair that is lost, another that takes its place, and none are changes") {
  agent_pair pair;
  const auto first = pair.left.add_socket(ep("10.0.0.1:1000"));
  const auto second = pair.left.add_socket(ep("10.0.1.1:1000"));
  pair.right.add_socket(ep("10.0.0.2:2000"));
  pair.signal();
  pair.run_for(2s);
  const auto at_first = pair.left.agent.selected_pair_changes();
  CHECK(at_first == pair.left.selections.size());
  const bool on_first = pair.left.agent.data_route()->local == first;
  pair.left.remove_socket(on_first ? first : second);
  pair.run_for(100ms);
  CHECK(pair.left.agent.data_route());
  CHECK(pair.left.agent.selected_pair_changes() == at_first + 1);
  pair.left.remove_socket(on_first ? second : first);
  CHECK_FALSE(pair.left.agent.data_route());
  CHECK(pair.left.agent.selected_pair_changes() == at_first + 2);
}

TEST_CASE("traffic knows when its last packet went") {
  traffic sum;
  CHECK(sum.last == base::time_point::min());
  sum += {2, 300, base::time_point(5s)};
  sum += {};
  CHECK(sum.packets == 2);
  CHECK(sum.last == base::time_point(5s));
}

TEST_CASE("a closed agent still tells of its pairs") {
  agent_pair pair;
  pair.add_default_sockets();
  pair.signal();
  pair.run_for(2s);
  pair.left.agent.restart(pair.net.now);
  pair.left.pump();
  const auto before = *pair.left.selected_row();
  pair.left.agent.close();
  REQUIRE(pair.left.selected_row());
  CHECK(pair.left.selected_row()->number == before.number);
  CHECK_FALSE(pair.left.agent.data_route());
}

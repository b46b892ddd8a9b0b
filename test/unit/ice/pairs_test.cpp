// The table of pairs: what is counted, and why a pair failed.
#include "agent_pair.hpp"

using namespace asiortc;
using namespace asiortc::test;

namespace {

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("the pair in use says its round trip, its checks and when it was heard, on both sides") {
  agent_pair pair;
  pair.add_default_sockets();
  pair.signal();
  pair.run_for(1s);
  for (const ice_host* host : {&pair.left, &pair.right}) {
    const auto row = std::make_unique<ice::pair_report>(host->selected_row().value());
    CHECK(row->state == candidate_pair_state::succeeded);
    CHECK(row->nominated);
    CHECK(row->round_trip_time == 2ms);
    CHECK(row->round_trips >= 1);
    CHECK(row->total_round_trip_time == row->round_trips * 2ms);
    CHECK(row->requests_received >= 1);
    CHECK(row->responses_received >= 1);
    CHECK(row->responses_received <= row->requests_sent);
    CHECK(row->last_received <= pair.net.now);
    CHECK(row->last_received >= pair.net.now - 1s);
    CHECK(row->failure.empty());
  }
}

TEST_CASE("what was sent and received is counted for its pair and no other") {
  agent_pair pair;
  pair.add_default_sockets();
  pair.signal();
  pair.run_for(1s);
  auto& agent = pair.left.agent;
  const auto route = agent.data_route().value();
  agent.note_traffic(route, {3, 300}, {});
  agent.note_traffic(route, {1, 50}, {2, 99});
  agent.note_traffic({base::socket_id{9}, route.remote}, {1000, 1000}, {1000, 1000});
  const auto row = std::make_unique<ice::pair_report>(pair.left.selected_row().value());
  CHECK(row->data_sent.packets == 4);
  CHECK(row->data_sent.bytes == 350);
  CHECK(row->data_received.packets == 2);
  CHECK(row->data_received.bytes == 99);
}

TEST_CASE("a pair that was chosen by a check that was sent again is measured right after") {
  agent_pair pair;
  pair.add_default_sockets();
  // The first checks of both sides are lost, so the ones that work were sent again.
  const auto start = pair.net.now;
  pair.net.pass = [&](base::byte_span, const base::endpoint&, const base::endpoint&) {
    return pair.net.now >= start + 400ms;
  };
  pair.signal();
  REQUIRE(pair.run_until([&] { return pair.left.connected() && pair.right.connected(); }, 5s));
  pair.run_for(20ms);
  for (const ice_host* host : {&pair.left, &pair.right}) {
    const auto row = std::make_unique<ice::pair_report>(host->selected_row().value());
    CHECK(row->round_trip_time == 2ms);
  }
}

TEST_CASE("a failed pair says why, and the failure of all counts the reasons") {
  agent_pair pair;
  pair.left.add_socket(ep("10.0.0.1:1000"));
  pair.left.agent.finish_gathering(pair.net.now);
  pair.left.agent.set_remote_credentials(pair.net.now, {"abcd", "1234567890123456789012"});
  for (const auto* address : {"10.0.0.2:2000", "10.0.0.3:2000", "10.0.0.4:2000"}) {
    ice::candidate remote;
    remote.foundation = address;
    remote.priority = 2000000000;
    remote.address = ep(address);
    REQUIRE(pair.left.agent.add_remote_candidate(pair.net.now, remote).has_value());
  }
  pair.left.agent.end_of_remote_candidates(pair.net.now);
  pair.left.pump();
  pair.run_for(1s);
  pair.left.agent.handle_send_error(pair.net.now, {base::socket_id{1}, ep("10.0.0.3:2000")});
  pair.left.pump();
  for (const auto& row : pair.left.agent.pairs()) {
    const bool came_back = row.remote.address == ep("10.0.0.3:2000");
    CHECK(row.failure == (came_back ? "not reachable" : ""));
  }
  pair.run_for(60s);
  REQUIRE(pair.left.agent.state() == ice::agent_state::failed);
  CHECK(pair.left.reason.code == errc::checks_failed);
  CHECK(contains(pair.left.reason.detail, "3 failed (2 no answer, 1 not reachable)"));
}

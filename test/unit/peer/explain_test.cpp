// Why it failed, in the words and codes that a user is given.
#include "unit/peer/served_peer.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <string>

using namespace asiortc;
using namespace asiortc::test;
using namespace std::chrono_literals;

namespace {

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a TURN server that refuses is told with its URL, its code and the address it saw") {
  served_peer lone;
  std::uint16_t code = 486;
  SUBCASE("the quota is reached") {
    lone.server.refuse = [](const stun::message_view&) { return std::uint16_t{486}; };
    lone.gather("secret");
  }
  SUBCASE("the password is wrong") {
    code = 401;
    lone.gather("guessed");
  }
  lone.run_until(start + 10s);
  const auto errors = lone.told<peer::ice_candidate_error_event>();
  REQUIRE(errors.size() == 1);
  const ice_candidate_error& error = errors[0].value;
  CHECK(error.url == "turn:relay.test");
  CHECK(error.code == code);
  CHECK(contains(error.text, std::to_string(code)));
  CHECK(error.address == "192.0.2.1");
  CHECK(error.port == 4000);
}

TEST_CASE("a failure names the TURN server that refused, and has its cause where that was all") {
  auto settings = std::make_unique<peer::settings>();
  settings->ice.relay_only = true;
  served_peer lone(*settings);
  lone.gather("guessed");
  lone.run_until(start + 10s);
  REQUIRE(lone.peer.set_remote(sdp_type::answer, data_sdp("active")));
  REQUIRE(lone.peer.add("candidate:1 1 udp 2122260223 192.0.2.7 5000 typ host", "0"));
  REQUIRE(lone.peer.add("", "0"));
  lone.run_until(start + 120s);
  const auto states = lone.told<peer::connection_state_event>();
  REQUIRE_FALSE(states.empty());
  CHECK(states.back().now == connection_state::failed);
  CHECK(states.back().reason.code == errc::turn_unauthorized);
  CHECK(contains(states.back().reason.detail, "turn:relay.test"));
  CHECK(contains(states.back().reason.detail, "401"));
}

TEST_CASE("a TURN server that relays to none of the other side's addresses is the cause") {
  auto settings = std::make_unique<peer::settings>();
  settings->ice.relay_only = true;
  served_peer lone(*settings);
  lone.server.refuse = [](const stun::message_view& request) {
    const bool asks = request.method() == stun::method::create_permission;
    return asks ? std::optional<std::uint16_t>(403) : std::nullopt;
  };
  lone.gather("secret");
  lone.run_until(start + 1s);
  REQUIRE(lone.peer.set_remote(sdp_type::answer, data_sdp("active")));
  for (const char* port : {"5000", "5001"}) {
    const std::string at = "198.51.100.7 " + std::string(port);
    REQUIRE(lone.peer.add(
        "candidate:" + std::string(port) + " 1 udp 2122260223 " + at + " typ host", "0"));
  }
  REQUIRE(lone.peer.add("", "0"));
  lone.run_until(start + 5s);
  for (const auto& row : lone.peer->candidate_pairs(lone.now)) {
    CHECK(row.state == candidate_pair_state::failed);
    CHECK(contains(row.failure, "forbids it (403"));
  }
  lone.run_until(start + 60s);
  const auto states = lone.told<peer::connection_state_event>();
  REQUIRE_FALSE(states.empty());
  CHECK(states.back().now == connection_state::failed);
  CHECK(states.back().reason.code == errc::turn_refused);
  CHECK(contains(states.back().reason.detail, "2 TURN server 203.0.113.1:3478 forbids it (403"));
}

TEST_CASE("a socket that could not be opened is no cause while there is another") {
  served_peer lone;
  lone.peer.gather();
  lone.peer->note_socket_failure("could not bind a UDP socket to ::1");
  REQUIRE(lone.peer.set_remote(sdp_type::answer, data_sdp("active")));
  REQUIRE(lone.peer.add("candidate:1 1 udp 2122260223 192.0.2.7 5000 typ host", "0"));
  REQUIRE(lone.peer.add("", "0"));
  lone.run_until(start + 60s);
  const auto states = lone.told<peer::connection_state_event>();
  REQUIRE_FALSE(states.empty());
  CHECK(states.back().now == connection_state::failed);
  CHECK(states.back().reason.detail == "no candidate pair works: 1 failed (1 no answer)");
}

TEST_CASE("servers that could not be asked are told, and a TURN server among them is a cause") {
  served_peer lone;
  lone.peer->stun_server_failed(start, "stun:nowhere.test", "the name has no address");
  lone.peer->turn_server_failed(start, "turns:nowhere.test", "the certificate is refused: why");
  lone.run_until(start + 1s);
  const auto errors = lone.told<peer::ice_candidate_error_event>();
  REQUIRE(errors.size() == 2);
  CHECK(errors[0].value.url == "stun:nowhere.test");
  CHECK(errors[0].value.code == ice_candidate_error::not_reached);
  CHECK(errors[0].value.text == "the name has no address");
  CHECK(errors[1].value.url == "turns:nowhere.test");
  CHECK(errors[1].value.code == ice_candidate_error::not_reached);
  CHECK(contains(errors[1].value.text, "certificate"));
}

TEST_CASE("a STUN server that stays silent is told by its URL") {
  served_peer lone;
  lone.peer->add_stun_server(start, *base::endpoint::parse("203.0.113.9:3478"), "stun:silent.test");
  lone.peer.gather();
  lone.run_until(start + 12s);
  const auto errors = lone.told<peer::ice_candidate_error_event>();
  REQUIRE(errors.size() == 1);
  CHECK(errors[0].value.url == "stun:silent.test");
  CHECK(errors[0].value.code == ice_candidate_error::not_reached);
  CHECK(contains(errors[0].value.text, "no answer"));
  CHECK(errors[0].value.address == "192.0.2.1");
}

TEST_CASE("the table of pairs stays after the end as it was last") {
  served_peer lone;
  lone.peer.gather();
  REQUIRE(lone.peer.set_remote(sdp_type::answer, data_sdp("active")));
  REQUIRE(lone.peer.add("candidate:1 1 udp 2122260223 192.0.2.7 5000 typ host", "0"));
  lone.run_until(start + 2s);
  const auto before = lone.peer->candidate_pairs(lone.now);
  REQUIRE(before.size() == 1);
  CHECK(before[0].checks_sent >= 2);
  CHECK(before[0].remote.address == "192.0.2.7");
  lone.peer->close(lone.now, errc::closed);
  CHECK(lone.peer->candidate_pairs(lone.now + 1h) == before);
}

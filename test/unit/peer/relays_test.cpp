// Which of a TURN server's addresses is asked, and whom it sends us to.
#include "support/turn_server.hpp"
#include "unit/peer/fixture.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

using namespace asiortc;
using namespace asiortc::test;
using namespace std::chrono_literals;

namespace {

const auto own = *base::endpoint::parse("192.0.2.1:4000");
const auto own_second = *base::endpoint::parse("172.17.0.1:4001");

base::endpoint at(int number) {
  return *base::endpoint::parse("203.0.113." + std::to_string(number) + ":3478");
}

/// A peer that asks TURN servers over its one socket; who is not attached is silent.
class asking_peer {
 public:
  explicit asking_peer(peer::settings settings = {}) : peer(1, std::move(settings)) {
    peer.create_channel();
    REQUIRE(peer.set_local());
  }

  turn_server& attach(const base::endpoint& where) {
    turn_server& added = servers_.emplace(where, turn_server_settings{}).first->second;
    added.to_client = [this, where](const base::endpoint& to, base::byte_span bytes) {
      waiting_.push_back({where, to, base::bytes(bytes.begin(), bytes.end())});
    };
    return added;
  }

  void ask(const base::endpoint& first, std::vector<base::endpoint> further = {},
           std::string name = "turn:relay.test") {
    peer::turn_server configured;
    configured.address = first;
    configured.further = std::move(further);
    configured.username = "user";
    configured.password = "secret";
    configured.name = std::move(name);
    peer->add_turn_server(now, configured);
  }

  void add_second() {
    ice::local_socket second;
    second.id = base::socket_id{2};
    second.address = own_second;
    peer->add_local_socket(now, second);
  }

  void run_for(base::duration time) {
    const auto end = now + time;
    for (;;) {
      settle();
      const auto next = peer->next_deadline();
      if (next > end) break;
      now = std::max(now, next);
      peer->handle_timeout(now);
    }
    now = end;
  }

  std::size_t relayed() {
    const auto all = peer.candidates();
    return static_cast<std::size_t>(std::count_if(all.begin(), all.end(), [](const auto& each) {
      return each.candidate.find("typ relay") != std::string::npos;
    }));
  }
  bool is_complete() {
    return peer->current_ice_gathering_state() == ice_gathering_state::complete;
  }
  std::vector<std::string> errors() {
    std::vector<std::string> texts;
    for (const auto& each : peer.events) {
      const auto* error = std::get_if<peer::ice_candidate_error_event>(&each);
      if (error != nullptr) texts.push_back(error->value.text);
    }
    return texts;
  }

  lone_peer peer;
  base::time_point now = start;
  std::map<base::endpoint, int> asked;
  bool second_has_way = false;  ///< the socket of `add_second`
  bool hears = true;

 private:
  void settle() {
    base::packet_batch batch;
    peer->poll_transmit(now, batch);
    for (const auto& packet : batch.entries()) {
      const bool first = packet.to.local == base::socket_id{1};
      if (!first && !second_has_way) continue;
      ++asked[packet.to.remote];
      const auto found = servers_.find(packet.to.remote);
      if (found == servers_.end()) continue;
      found->second.handle_client(now, first ? own : own_second, batch.view(packet));
    }
    for (auto& [from, to, bytes] : std::exchange(waiting_, {})) {
      if (!hears) continue;
      base::datagram datagram;
      datagram.bytes = bytes;
      datagram.from = {to == own ? base::socket_id{1} : base::socket_id{2}, from};
      peer->handle_datagrams(now, {&datagram, 1});
    }
    peer.drain();
    if (!batch.empty()) settle();
  }

  std::map<base::endpoint, turn_server> servers_;
  struct answer {
    base::endpoint from;
    base::endpoint to;
    base::bytes bytes;
  };
  std::vector<answer> waiting_;
};

}  // namespace

TEST_CASE("an address of a TURN server that gives nothing is followed by the next one") {
  asking_peer one;
  one.attach(at(3));
  base::duration wait{};
  SUBCASE("it does not answer") { wait = 9500ms; }
  SUBCASE("it refuses") {
    one.attach(at(1)).refuse = [](const stun::message_view&) { return std::uint16_t{486}; };
  }
  SUBCASE("nobody listens there") {
    one.ask(at(1), {at(3)});
    one.peer.gather();
    one.run_for(100ms);
    one.peer->handle_send_error(one.now, {base::socket_id{1}, at(1)});
  }
  one.ask(at(1), {at(3)});
  one.peer.gather();
  one.run_for(wait + 200ms);
  CHECK(one.relayed() == 1);
  CHECK(one.is_complete());
  CHECK(one.errors().empty());
  // Asked for anew, it is the allocation that stands.
  const int before = one.asked[at(1)];
  one.ask(at(1), {at(3)});
  one.ask(at(3), {at(1)});
  one.run_for(1s);
  CHECK(one.asked[at(1)] == before);
  CHECK(one.relayed() == 1);
}

TEST_CASE("all addresses of a TURN server together are asked no longer than one, and told once") {
  asking_peer one;
  one.ask(at(1), {at(2), at(3), at(4)});
  one.peer.gather();
  one.run_for(39s);
  CHECK_FALSE(one.is_complete());
  for (int number = 1; number <= 4; ++number) CHECK(one.asked[at(number)] >= 5);
  CHECK(one.errors().empty());
  one.run_for(1s);
  CHECK(one.is_complete());
  CHECK(one.errors().size() == 1);
}

TEST_CASE("a last address that nobody listens at is asked on, since the server may come back") {
  asking_peer one;
  one.ask(at(1));
  one.peer.gather();
  one.run_for(3s);
  one.peer->handle_send_error(one.now, {base::socket_id{1}, at(1)});
  one.attach(at(1));
  one.run_for(10s);
  CHECK(one.relayed() == 1);
}

TEST_CASE("a TURN server that sends us to another one is followed once") {
  asking_peer one;
  one.attach(at(1)).settings().alternate = at(2);
  one.attach(at(1)).refuse = [](const stun::message_view&) { return std::uint16_t{300}; };
  SUBCASE("which has an address for us") {
    one.attach(at(2));
    one.ask(at(1));
    one.peer.gather();
    one.run_for(1s);
    CHECK(one.relayed() == 1);
    CHECK(one.errors().empty());
  }
  SUBCASE("which sends us on") {
    one.attach(at(2)).settings().alternate = at(1);
    one.attach(at(2)).refuse = [](const stun::message_view&) { return std::uint16_t{300}; };
    one.ask(at(1));
    one.peer.gather();
    one.run_for(1s);
    CHECK(one.relayed() == 0);
    REQUIRE(one.errors().size() == 1);
    CHECK(one.errors()[0].find("300") != std::string::npos);
  }
  CHECK(one.is_complete());
}

TEST_CASE(
    "a local address without a way to the TURN server holds gathering no longer than STUN's") {
  asking_peer one;
  one.attach(at(1));
  one.add_second();
  SUBCASE("with one address") { one.ask(at(1)); }
  SUBCASE("with several") { one.ask(at(1), {at(2), at(3)}); }
  one.peer.gather();
  one.run_for(9s);
  CHECK(one.relayed() == 1);
  CHECK_FALSE(one.is_complete());
  one.run_for(1s);
  CHECK(one.is_complete());
}

TEST_CASE("an answer of a TURN server explains a failure, not the silence of another address") {
  peer::settings settings;
  settings.ice.relay_only = true;
  asking_peer one(std::move(settings));
  one.attach(at(1)).refuse = [](const stun::message_view&) { return std::uint16_t{486}; };
  SUBCASE("of another server") {
    one.ask(at(1));
    one.ask(at(2), {}, "turn:silent.test");
  }
  SUBCASE("of another server, which is asked later") {
    one.ask(at(1));
    one.run_for(1s);
    one.ask(at(2), {}, "turn:silent.test");
  }
  SUBCASE("of the same one") { one.ask(at(1), {at(2)}); }
  one.peer.gather();
  REQUIRE(one.peer.set_remote(sdp_type::answer, data_sdp("active")));
  REQUIRE(one.peer.add("candidate:1 1 udp 2122260223 192.0.2.7 5000 typ host", "0"));
  REQUIRE(one.peer.add("", "0"));
  one.run_for(60s);
  const auto errors = one.errors();
  CHECK(std::any_of(errors.begin(), errors.end(), [](const std::string& text) {
    return text.find("(486") != std::string::npos;
  }));
  const auto found = std::find_if(one.peer.events.rbegin(), one.peer.events.rend(), [](auto& each) {
    return std::holds_alternative<peer::connection_state_event>(each);
  });
  REQUIRE(found != one.peer.events.rend());
  const auto& last = std::get<peer::connection_state_event>(*found);
  CHECK(last.now == connection_state::failed);
  CHECK(last.reason.code == errc::turn_refused);
  CHECK(last.reason.detail.find("(486") != std::string::npos);
}

TEST_CASE("a server that another one names is asked from each socket, and again without an error") {
  asking_peer one;
  one.second_has_way = true;
  one.add_second();
  one.attach(at(1)).settings().alternate = at(2);
  one.attach(at(1)).refuse = [](const stun::message_view&) { return std::uint16_t{300}; };
  one.attach(at(2));
  one.ask(at(1));
  one.peer.gather();
  one.run_for(1s);
  CHECK(one.relayed() == 2);
  one.ask(at(1));
  one.run_for(1s);
  CHECK(one.relayed() == 2);
  CHECK(one.errors().empty());
}

TEST_CASE("an allocation whose answer never comes is given back when the server is given up") {
  asking_peer one;
  turn_server& server = one.attach(at(1));
  one.ask(at(1));
  one.peer.gather();
  server.refuse = [&one](const stun::message_view& request) -> std::optional<std::uint16_t> {
    if (request.has_integrity()) one.hears = false;
    return std::nullopt;
  };
  one.run_for(39s);
  CHECK(server.allocations(one.now) == 1);
  one.run_for(1s);
  CHECK(server.allocations(one.now) == 0);
  CHECK(one.relayed() == 0);
}

// Renegotiation while data flows: glare, rollback, ICE restart.
#include "sim/sim.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>

namespace asiortc::test {
namespace {

using namespace std::chrono_literals;

std::string ufrag_of(const std::optional<session_description>& description) {
  REQUIRE(description);
  const auto start = description->sdp.find("a=ice-ufrag:") + 12;
  return description->sdp.substr(start, description->sdp.find('\r', start) - start);
}

}  // namespace

TEST_CASE("two offers at once are settled by the polite side's rollback") {
  virtual_pair pair(sim_options());
  const auto ours = pair.a.create_channel("from a");
  const auto theirs = pair.b.create_channel("from b");
  REQUIRE(pair.connect());
  REQUIRE(pair.run_until([&] { return pair.a.is_open(ours) && pair.b.is_open(theirs); }, 60s));
  CHECK(pair.b.signaling_states ==
        std::vector{signaling_state::have_local_offer, signaling_state::stable,
                    signaling_state::have_remote_offer, signaling_state::stable});
  pair.a.send(ours, make_message(10, 1));
  pair.b.send(theirs, make_message(10, 2));
  REQUIRE(pair.run_until([&] { return pair.a.received.size() == 1 && pair.b.received.size() == 1; },
                         60s));
}

TEST_CASE("an ICE restart changes the credentials and loses no data") {
  virtual_pair pair(sim_options());
  const auto ours = pair.a.create_channel("data");
  REQUIRE(pair.connect());
  REQUIRE(pair.run_until([&] { return pair.a.is_open(ours); }, 60s));
  const auto before_a = ufrag_of(pair.a.core().current_local_description());
  const auto before_b = ufrag_of(pair.b.core().current_local_description());
  for (int side = 0; side < 2; ++side) {
    auto& restarting = side == 0 ? pair.a : pair.b;
    restarting.core().restart_ice(pair.now());
    for (std::size_t index = 0; index < 50; ++index) {
      pair.a.send(ours, make_message(2000, index));
      pair.run_for(20ms);
    }
  }
  REQUIRE(pair.run_until([&] { return pair.b.received.size() == 100; }, 120s));
  for (std::size_t index = 0; index < 100; ++index) {
    CHECK(pair.b.received[index].value == make_message(2000, index % 50));
  }
  CHECK(ufrag_of(pair.a.core().current_local_description()) != before_a);
  CHECK(ufrag_of(pair.b.core().current_local_description()) != before_b);
  REQUIRE(pair.connect());
  pair.run_for(60s);
  CHECK(pair.a.has_state(connection_state::connected));
  CHECK(pair.b.has_state(connection_state::connected));
  CHECK(pair.a.closed_channels.empty());
}

TEST_CASE("a restart that loses against a plain offer is made good by a further exchange") {
  virtual_pair pair(pair_options{});
  const auto ours = pair.a.create_channel("data");
  REQUIRE(pair.connect());
  REQUIRE(pair.run_until([&] { return pair.a.is_open(ours); }, 60s));
  const auto before_a = ufrag_of(pair.a.core().current_local_description());
  const auto before_b = ufrag_of(pair.b.core().current_local_description());
  std::vector<std::string> told;
  pair.description_filter = [&](const virtual_peer& from, const session_description& each) {
    const auto& before = &from == &pair.a ? before_a : before_b;
    told.push_back(std::string(&from == &pair.a ? "a " : "b ") + std::string(to_string(each.type)) +
                   (ufrag_of(each) == before ? "" : ", restarted"));
    return true;
  };
  pair.b.core().restart_ice(pair.now());
  pair.a.negotiation_needed = true;  // an offer without a need
  for (std::size_t index = 0; index < 50; ++index) {
    pair.a.send(ours, make_message(500, index));
    pair.run_for(20ms);
  }
  CHECK(std::count(pair.b.signaling_states.begin(), pair.b.signaling_states.end(),
                   signaling_state::have_local_offer) >= 1);
  // Long enough for consent to be lost, if the two did not agree.
  pair.run_for(90s);
  CHECK(pair.a.has_state(connection_state::connected));
  CHECK(pair.b.has_state(connection_state::connected));
  CHECK(pair.b.received.size() == 50);
  CHECK(pair.a.core().current_signaling_state() == signaling_state::stable);
  CHECK_FALSE(pair.a.negotiation_needed);
  // RFC 9429 5.3.1: the answer to a plain offer has the credentials of before. What the loser
  // wanted it offers again by itself; the other side need only answer.
  std::sort(told.begin(), told.begin() + std::min<std::ptrdiff_t>(2, std::ssize(told)));
  CHECK(told == std::vector<std::string>{"a offer", "b offer, restarted", "b answer",
                                         "b offer, restarted", "a answer, restarted"});
}

TEST_CASE("a restart offer that is created and never set changes nothing") {
  virtual_pair pair(pair_options{});
  const auto ours = pair.a.create_channel("data");
  REQUIRE(pair.connect());
  REQUIRE(pair.run_until([&] { return pair.a.is_open(ours); }, 60s));
  const auto before_a = ufrag_of(pair.a.core().current_local_description());
  const auto before_b = ufrag_of(pair.b.core().current_local_description());
  for (auto* const side : {&pair.a, &pair.b}) {
    peer::offer_options options;
    options.ice_restart = true;
    CHECK(ufrag_of(side->core().create_offer(pair.now(), options).value()) != before_a);
  }
  for (auto* const offerer : {&pair.a, &pair.b}) {
    offerer->negotiation_needed = true;  // an offer without a need
    for (std::size_t index = 0; index < 50; ++index) {
      pair.a.send(ours, make_message(500, index));
      pair.run_for(20ms);
    }
    pair.run_for(90s);
    CHECK(ufrag_of(pair.a.core().current_local_description()) == before_a);
    CHECK(ufrag_of(pair.b.core().current_local_description()) == before_b);
  }
  CHECK(pair.a.signaling_states.size() == 6);
  CHECK(pair.b.received.size() == 100);
  for (auto* const side : {&pair.a, &pair.b}) {
    CHECK(side->has_state(connection_state::connected));
    for (const auto& change : side->connection_states) {
      CHECK(change.now != connection_state::disconnected);
    }
  }
}

TEST_CASE("an ICE restart saves a connection that was never made") {
  virtual_pair pair(pair_options{});
  const auto ours = pair.a.create_channel("data");
  pair.a.send(ours, make_message(10, 1));
  bool blocked = true;
  pair.network.filter = [&blocked](const virtual_packet&) { return !blocked; };
  REQUIRE(pair.run_until(
      [&] {
        return pair.a.has_state(connection_state::failed) &&
               pair.b.has_state(connection_state::failed);
      },
      120s));
  blocked = false;
  pair.a.core().restart_ice(pair.now());
  REQUIRE(pair.connect(60s));
  CHECK(pair.run_until([&] { return pair.b.received.size() == 1; }, 10s));
}

TEST_CASE("a second channel needs no second offer") {
  virtual_pair pair(pair_options{});
  pair.a.create_channel("one");
  REQUIRE(pair.connect());
  const auto states = pair.a.signaling_states.size();
  const auto second = pair.b.create_channel("two");
  REQUIRE(pair.run_until([&] { return pair.b.is_open(second); }, 10s));
  CHECK(pair.a.signaling_states.size() == states);
  CHECK_FALSE(pair.b.negotiation_needed);
}

}  // namespace asiortc::test

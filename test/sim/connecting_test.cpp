// Ways to get connected, and how long they take.
#include "sim/sim.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>

namespace asiortc::test {
namespace {

using namespace std::chrono_literals;

bool is_dtls(const virtual_packet& packet) {
  return !packet.bytes.empty() && packet.bytes.front() >= 20 && packet.bytes.front() <= 63;
}

}  // namespace

TEST_CASE("two peers connect by trickle") {
  virtual_pair pair(sim_options());
  pair.a.create_channel("data");
  REQUIRE(pair.connect());
  REQUIRE(pair.run_until([&] { return !pair.b.opened_by_peer.empty(); }, 60s));
  std::vector<connection_state> states;
  for (const auto& each : pair.a.connection_states) states.push_back(each.now);
  CHECK(states == std::vector{connection_state::connecting, connection_state::connected});
  CHECK(pair.a.selected_pairs.size() >= 1);
  CHECK(pair.b.core().sctp()->max_message_size == 262144);
  CHECK(pair.a.core().sctp()->state == sctp_transport_state::connected);
}

TEST_CASE("a loss-free network of 20 ms costs no more than the round trips that are needed") {
  pair_options options;
  options.signaling_delay = 0ms;
  virtual_pair pair(options);
  const auto start = pair.now();
  const auto ours = pair.a.create_channel("data");
  REQUIRE(pair.run_until([&] { return pair.a.is_open(ours); }, 5s));
  // ICE 1, DTLS 2, SCTP 2 (the open needs no ACK), and half a trip for whoever begins later.
  CHECK(pair.now() - start <= 6 * 40ms);
}

TEST_CASE("a ClientHello that overtakes the answer is not lost") {
  pair_options options;
  virtual_pair pair(options);
  pair.a.create_channel("data");
  base::time_point answered{};
  pair.description_filter = [&](const virtual_peer& from, session_description& description) {
    if (&from == &pair.b && description.type == sdp_type::answer) {
      pair.signaling_delay = 400ms;
      answered = pair.now();
    }
    return true;
  };
  std::optional<base::time_point> hello;
  pair.network.filter = [&](const virtual_packet& packet) {
    if (is_dtls(packet) && !hello) hello = pair.now();
    return true;
  };
  REQUIRE(pair.connect());
  REQUIRE(hello);
  const auto answer_arrival = answered + 400ms;
  CHECK(*hello < answer_arrival - 100ms);
  // From the answer on: two DTLS round trips less the ClientHello, and not a retransmission.
  CHECK(pair.now() <= answer_arrival + 120ms);
}

TEST_CASE("a DTLS flight that is lost in virtual time is resent without wall time passing") {
  virtual_pair pair(pair_options{});
  pair.a.create_channel("data");
  int to_lose = 3;
  pair.network.filter = [&](const virtual_packet& packet) {
    return !(is_dtls(packet) && to_lose > 0 && to_lose-- > 0);
  };
  const auto virtual_start = pair.now();
  const auto wall_start = std::chrono::steady_clock::now();
  REQUIRE(pair.connect());
  CHECK(to_lose == 0);
  CHECK(pair.now() - virtual_start >= 500ms);
  CHECK(std::chrono::steady_clock::now() - wall_start < 400ms);
}

TEST_CASE("an mDNS name that is resolved connects where nothing else can") {
  virtual_pair pair(pair_options{});
  pair.a.create_channel("data");
  // Neither side is told an address: b's candidate is a name, and a's is withheld.
  pair.b.hidden_behind = "3f1c5a2e-9c1b-4b0e-8f6a-0123456789ab.local";
  pair.candidate_filter = [&](const virtual_peer& from, ice_candidate& candidate) {
    return &from != &pair.a || candidate.candidate.empty();
  };
  pair.description_filter = [&](const virtual_peer&, session_description& description) {
    return description.sdp.find("a=candidate") == std::string::npos;
  };
  std::vector<std::string> asked;
  pair.a.resolve = [&](const std::string& name) {
    asked.push_back(name);
    return std::vector{pair.b.address().address};
  };
  REQUIRE(pair.connect());
  CHECK(asked == std::vector{*pair.b.hidden_behind});
  const auto selected = pair.a.core().selected_candidate_pair();
  REQUIRE(selected);
  CHECK(selected->remote.address == *pair.b.hidden_behind);
}

TEST_CASE("a name that does not resolve drops that candidate only") {
  virtual_pair pair(pair_options{});
  pair.a.create_channel("data");
  pair.b.hidden_behind = "nobody.local";
  pair.a.resolve = [](const std::string&) { return std::vector<base::ip_address>{}; };
  CHECK(pair.connect());  // by the peer-reflexive candidate that b's checks show
}

TEST_CASE("a certificate that does not match the fingerprint is refused by name") {
  virtual_pair pair(pair_options{});
  const auto ours = pair.a.create_channel("data");
  pair.description_filter = [](const virtual_peer&, session_description& description) {
    if (description.type != sdp_type::answer) return true;
    const auto position = description.sdp.find("sha-256 ") + 8;
    description.sdp[position] = description.sdp[position] == '0' ? '1' : '0';
    return true;
  };
  REQUIRE(pair.run_until([&] { return pair.a.has_state(connection_state::failed); }, 30s));
  CHECK(pair.a.connection_states.back().reason.code == errc::fingerprint_mismatch);
  REQUIRE(pair.a.closed_channels.count(ours) == 1);
  CHECK(pair.a.closed_channels.at(ours).code == errc::fingerprint_mismatch);
  REQUIRE(pair.run_until(
      [&] {
        return pair.b.has_state(connection_state::failed) ||
               pair.b.has_state(connection_state::closed);
      },
      60s));
  CHECK(pair.b.received.empty());
}

TEST_CASE("peers that cannot reach each other fail with the cause, after the PAC timer") {
  virtual_pair pair(pair_options{});
  pair.a.create_channel("data");
  pair.network.filter = [](const virtual_packet&) { return false; };
  const auto start = pair.now();
  REQUIRE(pair.run_until([&] { return pair.a.has_state(connection_state::failed); }, 120s));
  CHECK(pair.now() - start >= 39s);
  CHECK(pair.a.connection_states.back().reason.code == errc::checks_failed);
  CHECK(pair.a.closed_channels.empty());
}

}  // namespace asiortc::test

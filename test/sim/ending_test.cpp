// Every way in which a connection ends.
#include "sim/sim.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>

namespace asiortc::test {
namespace {

using namespace std::chrono_literals;

struct connected_pair : virtual_pair {
  explicit connected_pair(const pair_options& options) : virtual_pair(options) {
    ours = a.create_channel("data");
    REQUIRE(connect());
    REQUIRE(run_until([this] { return a.is_open(ours) && !b.opened_by_peer.empty(); }, 60s));
    theirs = b.opened_by_peer.front();
  }

  datachannel::channel_key ours{};
  datachannel::channel_key theirs{};
};

// The content types of DTLS records (RFC 6347 4.1), which are their first bytes.
constexpr std::uint8_t alert_record = 21;
constexpr std::uint8_t data_record = 23;

/// `a` ends at once, and of its farewell the other side hears the records of that type alone.
void end_heard_in(connected_pair& pair, std::uint8_t record) {
  const auto second = pair.b.create_channel("second");
  REQUIRE(pair.run_until([&] { return pair.b.is_open(second); }, 10s));
  pair.network.filter = [&pair, record](const virtual_packet& packet) {
    return packet.from == pair.a.address() && packet.bytes.front() == record;
  };
  pair.a.core().close(pair.now(), errc::closed);
  REQUIRE(pair.run_until([&] { return pair.b.closed_channels.size() == 2; }, 1s));
  for (const auto key : {pair.theirs, second}) {
    CHECK(pair.b.closed_channels.at(key).code == errc::remote_closed);
  }
}

}  // namespace

TEST_CASE("a graceful end delivers all that was queued, then tells the other side") {
  connected_pair pair(sim_options());
  for (std::size_t index = 0; index < 40; ++index) {
    pair.a.send(pair.ours, make_message(16384, index));
  }
  pair.a.core().shutdown(pair.now(), pair.now() + 600s);
  REQUIRE(pair.run_until([&] { return pair.a.has_state(connection_state::closed); }, 601s));
  CHECK(pair.b.received.size() == 40);
  CHECK(pair.a.connection_states.back().reason.code == errc::closed);
  if (sim_options().network.loss > 0) return;  // the farewell is said once and may be lost
  REQUIRE(pair.run_until([&] { return pair.b.has_state(connection_state::closed); }, 1s));
  CHECK(pair.b.connection_states.back().reason.code == errc::remote_closed);
  REQUIRE(pair.b.closed_channels.count(pair.theirs) == 1);
  CHECK_FALSE(pair.b.closed_channels.at(pair.theirs).code);
}

TEST_CASE("a graceful end waits no longer than its deadline") {
  connected_pair pair(pair_options{});
  pair.network.filter = [](const virtual_packet&) { return false; };
  pair.a.send(pair.ours, make_message(1000, 1));
  const auto start = pair.now();
  pair.a.core().shutdown(pair.now(), pair.now() + 3s);
  REQUIRE(pair.run_until([&] { return pair.a.has_state(connection_state::closed); }, 10s));
  CHECK(pair.now() - start == 3s);
  CHECK(pair.a.core().next_deadline() == base::never);
}

TEST_CASE("a graceful end with nothing to drain takes two round trips, not the deadline") {
  connected_pair pair(pair_options{});
  const auto start = pair.now();
  pair.a.core().shutdown(pair.now(), pair.now() + 30s);
  REQUIRE(pair.run_until([&] { return pair.a.has_state(connection_state::closed); }, 10s));
  CHECK(pair.now() - start <= 150ms);
}

TEST_CASE("a graceful end before anything was negotiated is immediate") {
  virtual_pair pair(pair_options{});
  pair.a.core().shutdown(pair.now(), pair.now() + 30s);
  CHECK(pair.a.has_state(connection_state::closed));
}

TEST_CASE("an abrupt end reaches the other side at once and ends every channel with the cause") {
  connected_pair pair(pair_options{});
  pair.a.send(pair.ours, make_message(100, 1));
  pair.run_for(200ms);
  pair.a.core().close(pair.now(), errc::closed);
  CHECK(pair.a.has_state(connection_state::closed));
  CHECK(pair.a.core().current_signaling_state() == signaling_state::closed);
  REQUIRE(pair.run_until([&] { return pair.b.has_state(connection_state::closed); }, 100ms));
  CHECK(pair.b.connection_states.back().reason.code == errc::remote_closed);
  REQUIRE(pair.b.closed_channels.count(pair.theirs) == 1);
  CHECK(pair.b.closed_channels.at(pair.theirs).code == errc::remote_closed);
  CHECK(pair.b.received.size() == 1);
  REQUIRE(pair.a.closed_channels.count(pair.ours) == 1);
  CHECK(pair.a.closed_channels.at(pair.ours).code == errc::closed);
  // Nothing is left that would send or wake.
  const auto sent = pair.network.sent();
  pair.run_for(60s);
  CHECK(pair.network.sent() == sent);
}

TEST_CASE("a close_notify without an ABORT ends every channel with the cause") {
  connected_pair pair(pair_options{});
  end_heard_in(pair, alert_record);
  CHECK(pair.b.has_state(connection_state::closed));
}

TEST_CASE("an ABORT without a close_notify ends every channel with the cause, and nothing else") {
  connected_pair pair(pair_options{});
  end_heard_in(pair, data_record);
  CHECK(pair.b.has_state(connection_state::connected));
}

TEST_CASE("a peer that fell silent is disconnected after 5 s and failed for want of consent") {
  connected_pair pair(pair_options{});
  pair.run_for(7s);
  const auto silent_since = pair.now();
  pair.network.filter = [](const virtual_packet&) { return false; };
  REQUIRE(pair.run_until([&] { return pair.a.has_state(connection_state::disconnected); }, 15s));
  CHECK(pair.now() - silent_since >= 4s);
  CHECK(pair.a.closed_channels.empty());
  REQUIRE(pair.run_until([&] { return pair.a.has_state(connection_state::failed); }, 60s));
  // RFC 7675 5.1: 30 s after the last answer, which was at most one interval before the silence.
  CHECK(pair.now() - silent_since <= 31s);
  CHECK(pair.now() - silent_since >= 23s);
  CHECK(pair.a.connection_states.back().reason.code == errc::consent_expired);
  REQUIRE(pair.run_until([&] { return pair.a.closed_channels.count(pair.ours) == 1; }, 1s));
  CHECK(pair.a.closed_channels.at(pair.ours).code == errc::consent_expired);
}

TEST_CASE("a silence shorter than consent is survived, and what was queued arrives") {
  connected_pair pair(pair_options{});
  bool silent = true;
  pair.network.filter = [&silent](const virtual_packet&) { return !silent; };
  pair.a.send(pair.ours, make_message(5000, 5));
  pair.run_for(15s);
  CHECK(pair.a.has_state(connection_state::disconnected));
  silent = false;
  REQUIRE(pair.run_until([&] { return pair.b.received.size() == 1; }, 30s));
  REQUIRE(pair.run_until([&] { return pair.a.has_state(connection_state::connected); }, 10s));
}

TEST_CASE("an idle connection stays up for an hour") {
  connected_pair pair(pair_options{});
  pair.run_for(3600s);
  CHECK(pair.a.has_state(connection_state::connected));
  pair.b.send(pair.theirs, make_message(10, 1));
  CHECK(pair.run_until([&] { return pair.a.received.size() == 1; }, 5s));
}

}  // namespace asiortc::test

#include "support/seeded_random.hpp"
#include "unit/dtls/endpoint_pair.hpp"

#include <doctest/doctest.h>

#include <chrono>

using namespace asiortc;
using namespace asiortc::test;
using namespace std::chrono_literals;
using dtls::state;

namespace {

std::size_t packets_of_a_handshake() {
  endpoint_pair pair;
  pair.start();
  pair.carry();
  return pair.carried.size();
}

dtls::settings small_packets() {
  auto settings = settings_for(shared_identity(), *shared_identity());
  settings.mtu = 256;
  return settings;
}

}  // namespace

TEST_CASE("each packet of the handshake may be lost, and the retransmission costs no wall time") {
  const auto wall_start = std::chrono::steady_clock::now();
  const std::size_t count = packets_of_a_handshake();
  REQUIRE(count >= 4);
  for (std::size_t victim = 0; victim < count; ++victim) {
    CAPTURE(victim);
    endpoint_pair pair;
    pair.wire = [&](const packet& sent) { return sent.ordinal == victim ? lost() : once(sent); };
    const auto start = virtual_time::now();
    pair.start();
    pair.run();
    CHECK(pair.connected());
    CHECK(virtual_time::now() - start >= 380ms);
    CHECK(virtual_time::now() - start < 900ms);
    // Both may repeat a flight, which takes no more datagrams than it did at first.
    CHECK(pair.carried.size() <= count + 3);
    CHECK(exchanges_data(pair));
  }
  CHECK(std::chrono::steady_clock::now() - wall_start < 2s);
}

TEST_CASE("each packet of a handshake in small packets may be lost, three times in a row") {
  std::size_t count = 1;
  for (std::size_t victim = 0; victim < count; ++victim) {
    CAPTURE(victim);
    endpoint_pair pair(small_packets(), small_packets());
    std::size_t losses = 0;
    pair.wire = [&](const packet& sent) {
      const bool lose = sent.ordinal >= victim && losses < 3;
      if (lose) ++losses;
      return lose ? lost() : once(sent);
    };
    pair.start();
    pair.run();
    CHECK(pair.connected());
    CHECK(exchanges_data(pair));
    if (victim == 0) count = pair.carried.size();
  }
  CHECK(count > 10);
}

TEST_CASE("every packet may come twice") {
  endpoint_pair pair;
  pair.wire = [](const packet& sent) { return twice(sent); };
  pair.start();
  pair.run();
  CHECK(pair.connected());
  CHECK(exchanges_data(pair));
  CHECK(pair.carried.size() < 30);  // answers to repetitions do not multiply
}

TEST_CASE("each packet may come again at any later time") {
  const std::size_t count = packets_of_a_handshake();
  for (std::size_t repeated = 0; repeated < count; ++repeated) {
    CAPTURE(repeated);
    endpoint_pair pair;
    pair.start();
    pair.carry();
    REQUIRE(pair.connected());
    const packet old = pair.carried[repeated];
    (old.from_client ? pair.server : pair.client).deliver(old.bytes);
    pair.carry();
    CHECK(pair.connected());
    CHECK(exchanges_data(pair));
  }
}

TEST_CASE("the packets of a flight may come in reverse order") {
  endpoint_pair pair(small_packets(), small_packets());
  pair.reversed = true;
  pair.start();
  pair.run();
  CHECK(pair.connected());
  CHECK(exchanges_data(pair));
}

TEST_CASE("a handshake survives a third of its packets lost or doubled, whatever the seed") {
  int connected = 0;
  constexpr int seeds = 100;
  for (std::uint64_t seed = 0; seed < seeds; ++seed) {
    seeded_random random(seed);
    endpoint_pair pair(small_packets(), small_packets());
    pair.wire = [&](const packet& sent) {
      const auto dice = random.below(6);
      if (dice == 0) return lost();
      if (dice == 1) return twice(sent);
      return once(sent);
    };
    pair.start();
    pair.run();
    if (pair.connected()) ++connected;
  }
  // With 40 packets a flight has to come through in pieces; OpenSSL keeps what it got.
  CHECK(connected >= seeds - 2);
}

TEST_CASE("a handshake that nobody answers fails in time, after a bounded number of tries") {
  auto settings = settings_for(shared_identity(), *shared_identity());
  settings.handshake_timeout = 30s;
  endpoint_pair pair(settings, settings);
  pair.wire = [](const packet&) { return lost(); };
  const auto start = virtual_time::now();
  pair.start();
  pair.run();
  CHECK(pair.client.state() == state::failed);
  CHECK(pair.client.reason() == errc::dtls_timeout);
  CHECK(pair.server.reason() == errc::dtls_timeout);
  CHECK(virtual_time::now() - start == 30s);
  CHECK(pair.carried.size() >= 8);
  CHECK(pair.carried.size() <= 13);
  CHECK(pair.client.dtls->next_deadline() == base::never);
}

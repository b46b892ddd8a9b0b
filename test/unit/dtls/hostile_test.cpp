#include "support/seeded_random.hpp"
#include "unit/dtls/endpoint_pair.hpp"

#include <doctest/doctest.h>

using namespace asiortc;
using namespace asiortc::test;
using namespace std::chrono_literals;
using dtls::state;

namespace {

/// Bytes that a demultiplexer would take for DTLS (RFC 7983).
base::bytes junk(seeded_random& random) {
  base::bytes bytes(1 + random.below(300));
  random.fill(bytes);
  bytes[0] = static_cast<std::uint8_t>(20 + random.below(44));
  return bytes;
}

base::bytes flipped(seeded_random& random, base::bytes bytes) {
  bytes[random.below(bytes.size())] ^= static_cast<std::uint8_t>(1 + random.below(255));
  return bytes;
}

/// A well-formed record header before random content.
base::bytes forged_record(seeded_random& random, std::uint8_t type, std::uint16_t epoch) {
  base::bytes record;
  base::byte_writer writer(record);
  writer.u8(type);
  writer.u16(0xfefd);
  writer.u16(epoch);
  writer.u16(0);
  writer.u32(random.u32());
  writer.u16(100);
  base::bytes content(100);
  random.fill(content);
  writer.append(content);
  return record;
}

}  // namespace

TEST_CASE("junk before and during the handshake is dropped and counted") {
  seeded_random random(1);
  endpoint_pair pair;
  pair.wire = [&](const packet& sent) { return arrivals{junk(random), sent.bytes, junk(random)}; };
  pair.start();
  pair.run();
  CHECK(pair.connected());
  CHECK(pair.client.dtls->dropped() >= 4);
  CHECK(exchanges_data(pair));
}

TEST_CASE("junk, forged records and altered ones do not disturb a connected endpoint") {
  seeded_random random(2);
  endpoint_pair pair;
  pair.start();
  pair.carry();
  REQUIRE(pair.connected());
  constexpr int rounds = 500;
  for (int i = 0; i < rounds; ++i) {
    pair.server.deliver(junk(random));
    pair.server.deliver(flipped(random, pair.client.seal("altered")));
    for (std::uint8_t type = 20; type <= 23; ++type) {
      pair.server.deliver(forged_record(random, type, 0));
      pair.server.deliver(forged_record(random, type, 1));
      pair.server.deliver(forged_record(random, type, 2));
    }
    CHECK(pair.server.poll().empty());
  }
  CHECK(pair.server.received.empty());
  CHECK(pair.server.dtls->dropped() >= rounds * 10);
  CHECK(exchanges_data(pair));
}

TEST_CASE("a record is opened once, however often it comes") {
  endpoint_pair pair;
  pair.start();
  pair.carry();
  const auto sealed = pair.client.seal("once");
  pair.server.deliver(sealed);
  pair.server.deliver(sealed);
  CHECK(pair.server.received == std::vector<std::string>{"once"});
  CHECK(pair.server.dtls->dropped() == 1);
}

TEST_CASE("several records in one datagram come out as several packets, in order") {
  endpoint_pair pair;
  pair.start();
  pair.carry();
  base::bytes datagram;
  for (const char* text : {"one", "two", "three"}) {
    const auto sealed = pair.client.seal(text);
    datagram.insert(datagram.end(), sealed.begin(), sealed.end());
  }
  pair.server.deliver(datagram);
  CHECK(pair.server.received == std::vector<std::string>{"one", "two", "three"});
}

TEST_CASE("a ClientHello before start is kept, and saves the retransmission") {
  endpoint_pair pair;
  const auto start = virtual_time::now();
  pair.client.dtls->start(start, dtls::role::client);
  pair.carry();
  CHECK(pair.server.state() == state::new_);
  pair.server.dtls->start(start, dtls::role::server);
  pair.run();
  CHECK(pair.connected());
  CHECK(virtual_time::now() == start);
}

TEST_CASE("what is kept before start is bounded") {
  endpoint_pair pair;
  for (int i = 0; i < 100; ++i) pair.server.deliver(base::bytes(1000, 22));
  CHECK(pair.server.dtls->dropped() >= 80);
}

TEST_CASE("application data that overtakes the last flight is kept and delivered") {
  endpoint_pair pair;
  const auto held = hold_last_flight(pair);
  REQUIRE(pair.server.state() == state::connected);
  REQUIRE(pair.client.state() == state::connecting);
  pair.client.deliver(pair.server.seal("first"));
  pair.client.deliver(pair.server.seal("second"));
  CHECK(pair.client.received.empty());
  CHECK(pair.client.dtls->dropped() == 0);
  pair.client.deliver(held);
  CHECK(pair.client.state() == state::connected);
  CHECK(pair.client.received == std::vector<std::string>{"first", "second"});
}

TEST_CASE("application data in the clear, and endless early data, never hurt a handshake") {
  seeded_random random(3);
  endpoint_pair pair;
  pair.wire = [&](const packet& sent) {
    arrivals flood(200, forged_record(random, 23, 1));
    flood.push_back(forged_record(random, 23, 0));
    flood.push_back(forged_record(random, 22, 1));
    flood.push_back(sent.bytes);
    return flood;
  };
  pair.start();
  pair.run();
  CHECK(pair.connected());
  CHECK(pair.client.dtls->dropped() > 400);
  pair.wire = once;
  CHECK(exchanges_data(pair));
}

TEST_CASE("forged records of the next epoch are given to OpenSSL in bounded number") {
  seeded_random random(4);
  endpoint_pair pair;
  pair.start();
  for (int i = 0; i < 1000; ++i) pair.server.deliver(forged_record(random, 22, 1));
  CHECK(pair.server.dtls->dropped() >= 980);
  CHECK(pair.server.state() == state::connecting);
}

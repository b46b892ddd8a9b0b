// Messages whose fragments never end, and what is left of those that were given up.
#include "forged_sender.hpp"
#include "sctp/wire.hpp"
#include "virtual_time.hpp"

#include <doctest/doctest.h>

#include <array>
#include <random>

namespace asiortc::test {

using namespace std::chrono_literals;

#ifndef ASIORTC_USRSCTP_IS_SYSTEM
TEST_CASE("messages that never end close the window, ordered or not") {
  constexpr std::uint32_t size = 1100;
  constexpr std::uint32_t a_stream = 25;  // fragments, too few for a part to be delivered
  for (const bool unordered : {false, true}) {
    CAPTURE(unordered);
    pair ends;
    forged_sender peer(ends);
    ends.connect();
    for (std::uint32_t i = 0; i < 100 * a_stream; ++i) {
      peer.send(
          {static_cast<std::uint16_t>(i / a_stream), unordered, i % a_stream == 0, false, size});
    }
    CHECK(peer.window() == 0);
    CHECK(peer.acknowledged_chunks() * size <= 65536 + size);
    CHECK(ends.b.received_bytes() == 0);
  }
}

TEST_CASE("an unordered message of many fragments is whole however they are ordered") {
  network_settings network;
  network.loss = 0.1;
  network.jitter = 8ms;
  network.seed = 5;
  pair ends(network);
  ends.connect();
  sctp::send_options options;
  options.unordered = true;
  for (std::uint8_t i = 0; i < 60; ++i) {
    options.stream = sctp::stream_id{static_cast<std::uint16_t>(i % 4)};
    while (!*ends.a.association->send(virtual_now(), options, pattern(50000, i))) ends.run_for(1ms);
  }
  REQUIRE(ends.run_until([&] { return ends.b.received_bytes() == 60 * 50000; }));
  std::size_t right = 0;
  for (const auto& message : ends.b.all<sctp::message_received>()) {
    if (message.payload == pattern(50000, message.payload[0])) ++right;
  }
  CHECK(right == 60);
}

/// Sends messages of which most are given up.
struct lossy_sending {
  double loss = 0;
  std::size_t size = 0;
  bool unordered = false;

  /// How many came. Checks that each is whole, that the next come and that the window is as before.
  std::size_t run() const {
    std::uint32_t window = 0;
    pair ends;
    ends.tap = [&window](bool from_a, base::bytes& packet) {
      if (from_a) return;
      sctp::for_each_chunk(packet, [&](const sctp::chunk& part) {
        if (part.type != sctp::chunk_type::sack) return;
        base::byte_reader body(part.body);
        body.u32();
        window = body.u32();
      });
    };
    ends.connect();
    ends.a.send(0, pattern(10, 0));
    ends.run_for(1s);
    const std::uint32_t whole = window;
    CHECK(whole > 60000);
    ends.network.loss = loss;
    sctp::send_options options;
    options.unordered = unordered;
    options.max_retransmits = 0;
    for (std::uint16_t i = 0; i < count; ++i) {
      options.stream = sctp::stream_id{static_cast<std::uint16_t>(1 + i % 3)};
      REQUIRE(*ends.a.association->send(virtual_now(), options,
                                        pattern(size, static_cast<std::uint8_t>(i))));
      ends.run_for(1s);
    }
    ends.network.loss = 0;
    ends.run_for(10s);
    for (const auto stream :
         {std::uint16_t{1}, std::uint16_t{2}, std::uint16_t{3}, std::uint16_t{0}}) {
      ends.a.send(stream, pattern(10, 0));
      ends.run_for(1s);
    }
    CHECK(window >= whole);
    const auto told = ends.b.all<sctp::message_received>();
    const std::size_t came = told.size() - 5;
    for (const auto& message : told) {
      const std::size_t expected = message.payload.size() == 10 ? 10 : size;
      CHECK(message.payload == pattern(expected, message.payload[0]));
    }
    return came;
  }

  static constexpr std::size_t count = 150;
};

TEST_CASE("messages that are given up half sent are not told, and leave the window as it was") {
  for (const bool unordered : {false, true}) {
    for (const auto& way : {lossy_sending{0.3, 20000, unordered},
                            {0.03, 50000, unordered},
                            {0.01, 200000, unordered}}) {
      CAPTURE(unordered);
      CAPTURE(way.size);
      // Else nothing was given up.
      CHECK(way.run() < lossy_sending::count);
    }
  }
}
TEST_CASE("of a message that the peer's end cuts off nothing is told") {
  for (const bool unordered : {false, true}) {
    CAPTURE(unordered);
    pair ends;
    ends.connect();
    ends.b.association->pause_receive(true);
    ends.a.send(0, pattern(5000, 1));
    sctp::send_options options;
    options.stream = sctp::stream_id{1};
    options.unordered = unordered;
    REQUIRE(*ends.a.association->send(virtual_now(), options, pattern(200000, 2)));
    ends.run_for(1s);
    ends.a.association->abort(virtual_now());
    ends.run_for(1s);
    ends.b.association->pause_receive(false);
    ends.b.poll();
    CHECK(ends.b.received_bytes() == 5000);
    CHECK(ends.b.has<sctp::closed>());
  }
}

TEST_CASE("of a message that is given up half received nothing is told, and the next are whole") {
  for (const bool unordered : {false, true}) {
    CAPTURE(unordered);
    pair ends;
    ends.connect();
    ends.b.association->pause_receive(true);
    sctp::send_options options;
    options.stream = sctp::stream_id{1};
    options.unordered = unordered;
    options.lifetime = 500ms;
    REQUIRE(*ends.a.association->send(virtual_now(), options, pattern(200000, 2)));
    ends.run_for(2s);
    ends.b.association->pause_receive(false);
    ends.run_for(5s);
    options.lifetime = std::nullopt;
    REQUIRE(*ends.a.association->send(virtual_now(), options, pattern(100000, 3)));
    ends.run_for(5s);
    const auto told = ends.b.all<sctp::message_received>();
    REQUIRE(told.size() == 1);
    CHECK(told[0].payload == pattern(100000, 3));
  }
}

TEST_CASE("unreliable messages of all kinds under way at once harm no reliable one") {
  constexpr std::array<std::size_t, 3> sizes{100, 5000, 20000};
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    network_settings network;
    network.delay = 20ms;
    network.jitter = 5ms;
    network.seed = seed;
    pair ends(network);
    ends.connect();
    ends.network.loss = 0.02;
    std::mt19937_64 random(seed);
    std::size_t reliable = 0;
    for (std::size_t i = 0; i < 500; ++i) {
      sctp::send_options options;
      const std::uint64_t kind = random();
      options.unordered = (kind & 1) != 0;
      const bool gives_up = i % 10 != 0;
      // Streams 1 and 2 are unreliable, 3 and 4 are not.
      const auto stream = static_cast<std::uint16_t>((gives_up ? 1 : 3) + (kind >> 1 & 1));
      options.stream = sctp::stream_id{stream};
      if (gives_up && (kind & 4) != 0) options.max_retransmits = 0;
      if (gives_up && (kind & 4) == 0) options.lifetime = 50ms;
      const auto payload = pattern(sizes[(kind >> 3) % sizes.size()], static_cast<std::uint8_t>(i));
      const auto sent = ends.a.association->send(virtual_now(), options, payload);
      REQUIRE(sent.has_value());
      if (!gives_up && *sent) ++reliable;
      ends.run_for(20ms);
    }
    ends.network.loss = 0;
    ends.run_for(10s);
    CHECK_FALSE(ends.b.has<sctp::closed>());
    std::size_t came = 0;
    for (const auto& message : ends.b.all<sctp::message_received>()) {
      if (message.stream >= sctp::stream_id{3}) ++came;
      CHECK(message.payload == pattern(message.payload.size(), message.payload[0]));
    }
    CHECK(came == reliable);
  }
}

#endif

}  // namespace asiortc::test

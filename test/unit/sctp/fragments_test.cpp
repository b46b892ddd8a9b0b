// Messages whose fragments never end, and what is left of those that were given up.
#include "forged_sender.hpp"
#include "sctp/wire.hpp"
#include "virtual_time.hpp"

#include <doctest/doctest.h>

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

TEST_CASE("unordered messages that are given up half sent leave the window as it was") {
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
  REQUIRE(whole > 60000);
  ends.network.loss = 0.3;
  sctp::send_options options;
  options.unordered = true;
  options.max_retransmits = 0;
  for (std::uint16_t i = 0; i < 200; ++i) {
    options.stream = sctp::stream_id{static_cast<std::uint16_t>(1 + i % 3)};
    REQUIRE(*ends.a.association->send(virtual_now(), options, pattern(40000, 1)));
    ends.run_for(1s);
  }
  ends.network.loss = 0;
  ends.run_for(10s);
  const std::size_t arrived = ends.b.received_bytes();
  CHECK(arrived < 200 * 40000);  // else nothing was given up
  ends.a.send(0, pattern(10, 0));
  ends.run_for(1s);
  CHECK(ends.b.received_bytes() == arrived + 10);
  CHECK(window >= whole);
}
#endif

}  // namespace asiortc::test

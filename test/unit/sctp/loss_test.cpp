#include "pair.hpp"
#include "virtual_time.hpp"

#include <doctest/doctest.h>

namespace asiortc::test {

using namespace std::chrono_literals;

TEST_CASE("reliable messages arrive once and in order over a bad network") {
  for (const double loss : {0.0, 0.05, 0.20}) {
    for (std::uint64_t seed = 1; seed <= 3; ++seed) {
      CAPTURE(loss);
      CAPTURE(seed);
      network_settings network;
      network.loss = loss;
      network.duplication = 0.05;
      network.jitter = 8ms;
      network.seed = seed;
      pair ends(network);
      ends.connect();
      for (std::size_t i = 0; i < 20; ++i) {
        const std::size_t size = i % 5 == 0 ? 20000 : 900;
        ends.a.send(static_cast<std::uint16_t>(i % 3), pattern(size, static_cast<std::uint8_t>(i)));
        ends.b.send(7, pattern(700, static_cast<std::uint8_t>(i)));
      }
      REQUIRE(ends.run_until([&] {
        return ends.b.all<sctp::message_received>().size() == 20 &&
               ends.a.all<sctp::message_received>().size() == 20;
      }));
      std::map<sctp::stream_id, std::size_t> next{
          {sctp::stream_id{0}, 0}, {sctp::stream_id{1}, 1}, {sctp::stream_id{2}, 2}};
      for (const auto& message : ends.b.all<sctp::message_received>()) {
        const std::size_t i = next[message.stream];
        next[message.stream] += 3;
        CHECK(message.payload == pattern(i % 5 == 0 ? 20000 : 900, static_cast<std::uint8_t>(i)));
      }
      REQUIRE(ends.run_until([&] {
        return ends.a.association->unacknowledged() == 0 &&
               ends.b.association->unacknowledged() == 0;
      }));
      CHECK(ends.b.all<sctp::message_received>().size() == 20);
    }
  }
}

TEST_CASE("unreliable messages are given up under loss, and none stays unacknowledged") {
  for (const bool by_time : {false, true}) {
    CAPTURE(by_time);
    network_settings network;
    network.seed = 11;
    pair ends(network);
    ends.connect();
    ends.network.loss = 0.2;
    sctp::send_options options;
    options.stream = sctp::stream_id{3};
    options.unordered = true;
    if (by_time) {
      options.lifetime = 30ms;
    } else {
      options.max_retransmits = 0;
    }
    std::size_t sent = 0;
    for (int i = 0; i < 300; ++i) {
      if (ends.a.association->send(virtual_now(), options, pattern(3000, 1)).value()) ++sent;
      ends.run_for(5ms);
    }
    CHECK(ends.run_until([&] { return ends.a.association->unacknowledged() == 0; }));
    ends.run_for(1s);
    const std::size_t arrived = ends.b.all<sctp::message_received>().size();
    CHECK(arrived < sent);
    CHECK(arrived > sent / 5);
    std::size_t acknowledged = 0;
    for (const auto& part : ends.a.all<sctp::acknowledged>()) acknowledged += part.bytes;
    CHECK(acknowledged == sent * 3000);
    // The association is as good as before.
    ends.network.loss = 0;
    ends.a.send(4, pattern(50, 2));
    CHECK(
        ends.run_until([&] { return ends.b.all<sctp::message_received>().size() == arrived + 1; }));
  }
}

TEST_CASE("an association survives minutes without any packet and goes on") {
  pair ends;
  ends.connect();
  ends.network.loss = 1;
  ends.a.send(1, pattern(3000, 1));
  ends.run_for(20min);
  CHECK_FALSE(ends.a.has<sctp::closed>());
  ends.network.loss = 0;
  CHECK(ends.run_until([&] { return ends.b.has<sctp::message_received>(); }));
}

#ifndef ASIORTC_USRSCTP_IS_SYSTEM  // where it waits by the time that the handshake took

TEST_CASE("what is lost after a handshake that took long is sent again every three seconds") {
  pair ends;
  ends.network.loss = 1;
  ends.a.association->connect(virtual_now());
  ends.b.association->connect(virtual_now());
  ends.run_for(10s);
  ends.network.loss = 0;
  const auto are_connected = [&] {
    return ends.a.has<sctp::connected>() && ends.b.has<sctp::connected>();
  };
  REQUIRE(ends.run_until(are_connected));
  for (auto* const from : {&ends.a, &ends.b}) {
    ends.run_for(1s);
    ends.network.loss = 1;
    const std::size_t before = from->packets_sent;
    from->send(1, pattern(100, 1));
    ends.run_for(10s);
    CHECK(from->packets_sent - before >= 4);
    ends.network.loss = 0;
    auto& to = from == &ends.a ? ends.b : ends.a;
    CHECK(ends.run_until([&] { return to.has<sctp::message_received>(); }, 3100ms));
  }
}

#endif

TEST_CASE("timers wake the owner, whose next fetch gets the retransmission") {
  pair ends;
  ends.connect();
  ends.run_for(std::chrono::milliseconds(100));
  ends.a.send(1, pattern(100, 1));
  base::packet_batch lost;
  ends.a.association->poll_packets(lost);
  REQUIRE(lost.size() == 1);
  const std::size_t before = ends.a.wakes;
  for (int i = 0; i < 400; ++i) {
    advance_virtual_time(10ms);
    sctp::usrsctp_engine().tick(virtual_now());
  }
  CHECK(ends.a.wakes == before + 1);
  CHECK(ends.run_until([&] { return ends.b.has<sctp::message_received>(); }));
}

}  // namespace asiortc::test

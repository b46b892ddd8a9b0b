#include "pair.hpp"
#include "sctp/crc32c.hpp"
#include "virtual_time.hpp"

#include <doctest/doctest.h>

namespace asiortc::test {

using namespace std::chrono_literals;

TEST_CASE("two associations that connect at once are connected with all streams each way") {
  pair ends;
  ends.connect();
  REQUIRE(ends.a.all<sctp::connected>().size() == 1);
  CHECK(ends.a.all<sctp::connected>()[0].incoming_streams == 65535);
  CHECK(ends.a.all<sctp::connected>()[0].outgoing_streams == 65535);
  CHECK(ends.b.all<sctp::connected>().size() == 1);
}

TEST_CASE("the smaller of both sides' stream numbers holds") {
  sctp::settings few;
  few.max_streams = 100;
  pair ends({}, {}, few);
  ends.connect();
  CHECK(ends.a.all<sctp::connected>()[0].outgoing_streams == 100);
  sctp::send_options options;
  options.stream = sctp::stream_id{100};
  CHECK_FALSE(ends.a.association->send(virtual_now(), options, pattern(4, 0)).has_value());
  options.stream = sctp::stream_id{99};
  CHECK(ends.a.association->send(virtual_now(), options, pattern(4, 0)).value());
}

TEST_CASE("packets that come before connect are kept and handled on connect") {
  pair ends;
  ends.a.association->connect(virtual_now());
  ends.run_for(30ms);
  CHECK_FALSE(ends.a.has<sctp::connected>());
  ends.b.association->connect(virtual_now());
  // Without the kept INIT, a's retransmission after a second would be what connects.
  const bool connected = ends.run_until([&] { return ends.a.has<sctp::connected>(); }, 100ms);
  CHECK(connected);
}

TEST_CASE("a flood before connect is bounded and does no harm") {
  pair ends;
  base::packet_batch flood;
  for (int i = 0; i < 1000; ++i) flood.append(pattern(1000, static_cast<std::uint8_t>(i)));
  ends.b.association->handle_packets(virtual_now(), flood);
  ends.connect();
}

TEST_CASE("the INIT is retried for minutes until the peer is there") {
  pair ends;
  ends.network.loss = 1;
  ends.a.association->connect(virtual_now());
  ends.b.association->connect(virtual_now());
  ends.run_for(10min);
  CHECK(ends.a.events.empty());
  CHECK(ends.a.wakes > 0);
  ends.network.loss = 0;
  CHECK(ends.run_until(
      [&] { return ends.a.has<sctp::connected>() && ends.b.has<sctp::connected>(); }));
}

TEST_CASE("packets with a wrong checksum are dropped") {
  pair ends;
  ends.connect();
  int corrupted = 0;
  ends.tap = [&](bool from_a, base::bytes& packet) {
    if (from_a && ++corrupted % 3 == 0) packet[packet.size() / 2] ^= 1;
  };
  for (int i = 0; i < 30; ++i) ends.a.send(1, pattern(1000, static_cast<std::uint8_t>(i)));
  REQUIRE(ends.run_until([&] { return ends.b.all<sctp::message_received>().size() == 30; }));
  const auto messages = ends.b.all<sctp::message_received>();
  for (std::size_t i = 0; i < 30; ++i) {
    CHECK(messages[i].payload == pattern(1000, static_cast<std::uint8_t>(i)));
  }
}

TEST_CASE("every packet that leaves has a right checksum and fits the given size") {
  sctp::settings small;
  small.max_packet_size = 1156;
  pair ends({}, small, small);
  bool all_right = true;
  ends.tap = [&](bool, base::bytes& packet) {
    all_right = all_right && sctp::checksum_is_right(packet);
  };
  ends.connect();
  ends.a.send(1, pattern(200000, 1));
  REQUIRE(ends.run_until([&] { return ends.b.received_bytes() == 200000; }));
  CHECK(all_right);
  CHECK(ends.a.largest_packet <= 1156);
  CHECK(ends.a.largest_packet > 1100);
}

TEST_CASE("two tickers advance the engine's time only once") {
  pair ends;
  ends.network.loss = 1;
  ends.a.association->connect(virtual_now());
  ends.run_for(100ms);
  const std::size_t before = ends.a.packets_sent;
  // The INIT timer is a second: a hundred ticks that say the same time must not reach it.
  for (int i = 0; i < 100; ++i) sctp::usrsctp_engine().tick(virtual_now());
  ends.collect();
  CHECK(ends.a.packets_sent == before);
  // A time that lies behind is no step back either.
  sctp::usrsctp_engine().tick(virtual_now() - 50ms);
  ends.run_for(1s);
  CHECK(ends.a.packets_sent == before + 1);
}

TEST_CASE("200 associations live in one process") {
  std::vector<std::unique_ptr<pair>> pairs;
  for (int i = 0; i < 100; ++i) {
    pairs.push_back(std::make_unique<pair>());
    pairs.back()->a.association->connect(virtual_now());
    pairs.back()->b.association->connect(virtual_now());
  }
  for (int round = 0; round < 40; ++round) {
    for (auto& ends : pairs) ends->run_for(1ms);
  }
  for (auto& ends : pairs) {
    REQUIRE(ends->a.has<sctp::connected>());
    ends->a.send(3, pattern(5000, 9));
  }
  for (int round = 0; round < 40; ++round) {
    for (auto& ends : pairs) ends->run_for(1ms);
  }
  for (auto& ends : pairs) CHECK(ends->b.received_bytes() == 5000);
}

}  // namespace asiortc::test

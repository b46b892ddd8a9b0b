#include "pair.hpp"
#include "virtual_time.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <variant>

namespace asiortc::test {

using namespace std::chrono_literals;

namespace {

#ifdef ASIORTC_USRSCTP_IS_SYSTEM
constexpr bool usrsctp_is_patched = false;
#else
constexpr bool usrsctp_is_patched = true;
#endif

template <class Event>
std::multiset<sctp::stream_id> streams_of(const side& end) {
  std::multiset<sctp::stream_id> result;
  for (const auto& event : end.all<Event>())
    result.insert(event.streams.begin(), event.streams.end());
  return result;
}

void reset(side& from, std::uint16_t stream) {
  const std::vector<sctp::stream_id> one{sctp::stream_id{stream}};
  from.association->reset_streams(virtual_now(), one);
}

/// Sends so many bytes, or as much of them as is taken.
void fill(side& from, std::uint16_t stream, std::size_t bytes, std::size_t message_size) {
  sctp::send_options options;
  options.stream = sctp::stream_id{stream};
  for (std::size_t sent = 0; sent < bytes; sent += message_size) {
    const base::bytes part = pattern(std::min(message_size, bytes - sent), 1);
    const auto taken = from.association->send(virtual_now(), options, part);
    REQUIRE(taken.has_value());
    if (!*taken) return;
  }
}

}  // namespace

TEST_CASE(
    "a reset comes after what was queued, is told to both, and the stream can be used again") {
  pair ends;
  ends.connect();
  ends.a.send(4, pattern(40000, 1));
  const std::vector<sctp::stream_id> streams{sctp::stream_id{4}};
  ends.a.association->reset_streams(virtual_now(), streams);
  sctp::send_options options;
  options.stream = sctp::stream_id{4};
  const auto refused = ends.a.association->send(virtual_now(), options, pattern(1, 1));
  REQUIRE(refused.has_error());
  CHECK(refused.error().code == errc::invalid_state);
  REQUIRE(ends.run_until([&] { return ends.a.has<sctp::outgoing_streams_reset>(); }));
  CHECK(ends.b.received_bytes() == 40000);
  REQUIRE(ends.b.all<sctp::incoming_streams_reset>().size() == 1);
  CHECK(ends.b.all<sctp::incoming_streams_reset>()[0].streams == streams);
  CHECK(ends.a.all<sctp::outgoing_streams_reset>()[0].streams == streams);

  ends.b.association->reset_streams(virtual_now(), streams);
  REQUIRE(ends.run_until([&] { return ends.a.has<sctp::incoming_streams_reset>(); }));
  ends.a.send(4, pattern(9, 2));
  CHECK(ends.run_until([&] { return ends.b.received_bytes() == 40009; }));
}

TEST_CASE("256 streams reset one by one at once are each told exactly once, also under loss") {
  // Without our patch of usrsctp, a reset that waits for lost data waits for ever.
  const std::vector<double> losses =
      usrsctp_is_patched ? std::vector<double>{0.0, 0.1} : std::vector<double>{0.0};
  for (const double loss : losses) {
    CAPTURE(loss);
    network_settings network;
    network.loss = loss;
    network.duplication = loss;
    network.seed = 5;
    pair ends(network);
    ends.connect();
    for (std::uint16_t id = 0; id < 256; ++id) {
      ends.a.send(id, pattern(20, 1));
      const std::vector<sctp::stream_id> one{sctp::stream_id{id}};
      ends.a.association->reset_streams(virtual_now(), one);
      ends.b.association->reset_streams(virtual_now(), one);
    }
    REQUIRE(ends.run_until([&] {
      return streams_of<sctp::outgoing_streams_reset>(ends.a).size() >= 256 &&
             streams_of<sctp::outgoing_streams_reset>(ends.b).size() >= 256 &&
             streams_of<sctp::incoming_streams_reset>(ends.b).size() >= 256;
    }));
    ends.run_for(20s);
    for (const auto& streams : {streams_of<sctp::outgoing_streams_reset>(ends.a),
                                streams_of<sctp::incoming_streams_reset>(ends.b),
                                streams_of<sctp::outgoing_streams_reset>(ends.b),
                                streams_of<sctp::incoming_streams_reset>(ends.a)}) {
      CHECK(streams.size() == 256);
      CHECK(std::set<sctp::stream_id>(streams.begin(), streams.end()).size() == 256);
    }
    CHECK(ends.b.all<sctp::message_received>().size() == 256);
  }
}

TEST_CASE("a reset that is asked for twice, or before the handshake, is performed once") {
  pair ends;
  const std::vector<sctp::stream_id> twice{sctp::stream_id{9}, sctp::stream_id{9}};
  ends.a.association->connect(virtual_now());
  ends.a.association->reset_streams(virtual_now(), twice);
  ends.a.association->reset_streams(virtual_now(), twice);
  ends.b.association->connect(virtual_now());
  REQUIRE(ends.run_until([&] { return ends.a.has<sctp::outgoing_streams_reset>(); }));
  ends.run_for(5s);
  CHECK(streams_of<sctp::outgoing_streams_reset>(ends.a).size() == 1);
  CHECK(streams_of<sctp::incoming_streams_reset>(ends.b).size() == 1);
}

// What follows needs our patches of usrsctp.
#ifndef ASIORTC_USRSCTP_IS_SYSTEM

TEST_CASE("a reset is told however full the buffer of a paused reader is") {
  constexpr std::uint16_t count = 20;
  // The buffer has 64 KiB, in which the last bytes make the difference.
  for (std::size_t bytes = 40000; bytes <= 80000; bytes += 500) {
    CAPTURE(bytes);
    pair ends;
    ends.connect();
    ends.b.association->pause_receive(true);
    fill(ends.a, 1, bytes, 8000);
    ends.run_for(2s);
    for (std::uint16_t stream = 2; stream < 2 + count; ++stream) reset(ends.a, stream);
    ends.run_for(3s);
    ends.b.association->pause_receive(false);
    REQUIRE(ends.run_until([&] {
      return streams_of<sctp::incoming_streams_reset>(ends.b).size() == count &&
             streams_of<sctp::outgoing_streams_reset>(ends.a).size() == count;
    }));
  }
}

TEST_CASE("while a reader is paused, resets are told but for those behind its unread messages") {
  pair ends;
  ends.connect();
  ends.b.association->pause_receive(true);
  fill(ends.a, 1, 40000, 8000);
  ends.run_for(1s);
  reset(ends.a, 1);
  ends.run_for(1s);
  reset(ends.a, 2);
  reset(ends.b, 3);
  ends.run_for(1s);
  CHECK(streams_of<sctp::incoming_streams_reset>(ends.b) ==
        std::multiset<sctp::stream_id>{sctp::stream_id{2}});
  CHECK(streams_of<sctp::outgoing_streams_reset>(ends.b).size() == 1);
  CHECK(ends.b.received_bytes() == 0);
  ends.b.association->pause_receive(false);
  ends.b.poll();
  CHECK(ends.b.received_bytes() == 40000);
  REQUIRE(std::holds_alternative<sctp::incoming_streams_reset>(ends.b.events.back()));
  CHECK(std::get<sctp::incoming_streams_reset>(ends.b.events.back()).streams.front() ==
        sctp::stream_id{1});
}

TEST_CASE("a reset that waits behind a closed window has some read, and not without end") {
  constexpr std::size_t bound = (std::size_t{1} << 20) + 65536;
  pair ends;
  ends.connect();
  ends.b.association->pause_receive(true);
  fill(ends.a, 1, 4 * bound, 60000);
  ends.run_for(2s);
  CHECK(ends.b.received_bytes() == 0);
  reset(ends.a, 2);
  CHECK(ends.run_until([&] { return ends.b.has<sctp::incoming_streams_reset>(); }, 10s));
  const std::size_t for_one = ends.b.received_bytes();
  MESSAGE("read for the first reset: " << for_one);
  CHECK(for_one < bound / 2);
  for (std::uint16_t stream = 3; stream < 60; ++stream) {
    fill(ends.a, 1, bound, 60000);
    reset(ends.a, stream);
    ends.run_for(1s);
  }
  MESSAGE("resets told: " << streams_of<sctp::incoming_streams_reset>(ends.b).size());
  CHECK(ends.b.received_bytes() <= bound);
  ends.b.association->pause_receive(false);
  CHECK(ends.run_until(
      [&] { return streams_of<sctp::incoming_streams_reset>(ends.b).size() == 58; }));
}

TEST_CASE("a peer that resets again and again behind unread messages has to wait") {
  pair ends;
  ends.connect();
  ends.b.association->pause_receive(true);
  // 256 may wait, and then some are read, until it is a MiB with 64 bytes a message.
  constexpr std::size_t size = 200;
  constexpr std::size_t most = 256 + (std::size_t{1} << 20) / (size + 64) + 256;
  std::size_t done = 0;
  const auto told = [&] { return ends.a.has<sctp::outgoing_streams_reset>(); };
  for (; done <= most; ++done) {
    ends.a.events.clear();
    fill(ends.a, 1, size, size);
    reset(ends.a, 1);
    if (!ends.run_until(told, 10s)) break;
  }
  CHECK(done > 256);
  CHECK(done <= most);
  ends.b.association->pause_receive(false);
  CHECK(ends.run_until(told));
  CHECK(streams_of<sctp::incoming_streams_reset>(ends.b).size() == done + 1);
  CHECK(ends.b.received_bytes() == (done + 1) * size);
}

#endif

TEST_CASE("a stream beyond what was negotiated is reset by doing nothing") {
  sctp::settings few;
  few.max_streams = 8;
  pair ends({}, {}, few);
  ends.connect();
  const std::vector<sctp::stream_id> beyond{sctp::stream_id{100}};
  ends.a.association->reset_streams(virtual_now(), beyond);
  CHECK(ends.run_until([&] { return ends.a.has<sctp::outgoing_streams_reset>(); }, 100ms));
}

}  // namespace asiortc::test

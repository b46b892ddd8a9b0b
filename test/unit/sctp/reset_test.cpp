#include "pair.hpp"
#include "virtual_time.hpp"

#include <doctest/doctest.h>

#include <set>

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

#include "table_pair.hpp"

#include <doctest/doctest.h>

using namespace asiortc;
using namespace asiortc::test;
using datachannel::send_finished;

namespace {

struct connected_pair : table_pair {
  connected_pair() {
    connect();
    here = a.create("x");
    settle();
    there = *b.opened();
  }
  channel_key here{};
  channel_key there{};
};

}  // namespace

TEST_CASE("a close drains what is queued, then resets both ways, then both are closed") {
  connected_pair pair;
  pair.a.association.send_buffer = 100;
  for (int i = 0; i < 5; ++i) pair.a.send(pair.here, binary(100));
  pair.a.close(pair.here);
  CHECK(pair.a.state(pair.here) == data_channel_state::closing);
  CHECK(pair.a.resets_in_flight().empty());
  CHECK_FALSE(pair.a.table.idle());
  CHECK(pair.a.table.statistics().channels_closed == 1);  // it has left open
  pair.settle();
  CHECK(pair.b.texts(pair.there).size() == 5);
  for (const auto& [side, key] : {std::pair(&pair.a, pair.here), std::pair(&pair.b, pair.there)}) {
    REQUIRE(side->closed(key));
    CHECK_FALSE(side->closed(key)->reason.code);
    CHECK(side->table.idle());
  }
  CHECK(pair.a.table.statistics().channels_closed == 1);
}

TEST_CASE("the id comes free only after both resets") {
  connected_pair pair;
  pair.a.close(pair.here);
  REQUIRE(pair.a.association.move_one(nullptr));
  pair.a.pump();
  CHECK(pair.a.state(pair.here) == data_channel_state::closing);  // the peer's is missing
  CHECK(pair.a.table.info(pair.a.create("y"))->id == 2);
  pair.a.association.receive(sctp::incoming_streams_reset{{sctp::stream_id{0}}});
  pair.a.pump();
  CHECK(pair.a.closed(pair.here));
  CHECK(pair.a.table.info(pair.a.create("z"))->id == 0);
}

TEST_CASE("both sides may close at once") {
  connected_pair pair;
  pair.a.close(pair.here);
  pair.b.close(pair.there);
  pair.settle();
  CHECK(pair.a.closed(pair.here));
  CHECK(pair.b.closed(pair.there));
  CHECK(pair.a.association.reset_calls == 1);
  CHECK(pair.b.association.reset_calls == 1);
}

TEST_CASE("what is queued when the peer closes is given up and says so") {
  connected_pair pair;
  pair.a.association.send_buffer = 10;
  pair.a.send(pair.here, binary(10));
  const auto in_flight = pair.a.table.flush(pair.here);
  const auto queued = pair.a.send(pair.here, binary(10));
  const auto hopeless = pair.a.table.flush(pair.here);
  pair.a.association.receive(sctp::incoming_streams_reset{{sctp::stream_id{0}}});
  pair.a.pump();
  CHECK(pair.a.state(pair.here) == data_channel_state::closing);
  CHECK(pair.a.all<send_finished>().back().ticket == queued);
  CHECK(pair.a.all<send_finished>().back().error == errc::remote_closed);
  CHECK(pair.a.all<datachannel::flushed>().back().ticket == *hopeless);
  CHECK(pair.a.all<datachannel::flushed>().back().error == errc::remote_closed);
  pair.settle();
  CHECK(pair.a.was_flushed(*in_flight));
}

TEST_CASE("256 channels closed at once are all reset, and the ids come again") {
  table_pair pair;
  pair.connect();
  std::vector<channel_key> keys;
  for (int i = 0; i < 256; ++i) keys.push_back(pair.a.create("x"));
  pair.settle();
  for (const auto key : keys) pair.a.table.close(pair.a.now, key);
  pair.settle();
  for (const auto key : keys) CHECK(pair.a.closed(key));
  CHECK(pair.b.table.statistics().channels_closed == 256);
  // The peer answers a whole batch in one go.
  CHECK(pair.b.association.reset_calls <= 256);
  CHECK(pair.a.table.info(pair.a.create("again"))->id == 0);
}

TEST_CASE("10,000 channels are opened and closed one after another on few ids") {
  table_pair pair;
  pair.connect(64);
  for (int i = 0; i < 10000; ++i) {
    const auto key = pair.a.create("x");
    pair.a.send(key, text("hello"));
    pair.settle();
    const auto there = *pair.b.opened();
    REQUIRE(pair.b.texts(there).size() == 1);
    pair.b.table.accept(there);
    pair.a.close(key);
    pair.settle();
    REQUIRE(pair.a.table.info(key)->state == data_channel_state::closed);
    pair.a.table.forget(key);
    pair.b.table.forget(there);
    pair.a.events.clear();
    pair.b.events.clear();
  }
  CHECK(pair.a.table.idle());
  CHECK(pair.b.table.idle());
  CHECK(pair.b.table.statistics().channels_closed == 10000);
}

TEST_CASE("the peer may use the stream again before our own reset is confirmed to us") {
  connected_pair pair;
  pair.b.association.hold_reset_confirmations = true;
  pair.a.close(pair.here);
  pair.settle();
  CHECK(pair.a.closed(pair.here));
  CHECK(pair.b.state(pair.there) == data_channel_state::closing);
  const auto again = pair.a.create("again");
  CHECK(pair.a.table.info(again)->id == 0);
  pair.a.send(again, text("new"));
  pair.a.close(again);
  pair.settle();
  CHECK(pair.b.all<datachannel::channel_opened_by_peer>().size() == 1);
  pair.b.association.hold_reset_confirmations = false;
  pair.b.association.events.push_back(
      sctp::outgoing_streams_reset{pair.b.association.held_confirmations[0]});
  pair.settle();
  CHECK(pair.b.closed(pair.there));
  REQUIRE(pair.b.all<datachannel::channel_opened_by_peer>().size() == 2);
  CHECK(pair.b.texts(*pair.b.opened()) == std::vector<std::string>{"new"});
  CHECK(pair.b.closed(*pair.b.opened()));
  CHECK(pair.a.closed(again));
}

TEST_CASE("a channel that the peer was not told of closes at once, without a reset") {
  side a(true);
  const auto in_band = a.create("x");
  data_channel_init init;
  init.negotiated = true;
  init.id = 1;
  const auto negotiated = a.create("n", init);
  a.close(in_band);
  a.close(negotiated);
  CHECK(a.closed(in_band));
  CHECK(a.closed(negotiated));
  CHECK(a.table.idle());
  a.connect();
  CHECK(a.association.log.empty());
  CHECK(a.association.reset_calls == 0);
  a.create("n", init);
}

TEST_CASE("a channel closed before connecting still delivers what was queued") {
  table_pair pair;
  const auto key = pair.a.create("x");
  pair.a.send(key, text("last words"));
  pair.a.close(key);
  CHECK(pair.a.state(key) == data_channel_state::closing);
  pair.connect();
  CHECK(pair.b.texts(*pair.b.opened()) == std::vector<std::string>{"last words"});
  CHECK(pair.a.closed(key));
  CHECK(pair.b.closed(*pair.b.opened()));
}

TEST_CASE("taking back the last message of a closing channel goes on with its close") {
  connected_pair pair;
  pair.a.association.send_buffer = 10;
  pair.a.send(pair.here, binary(10));
  const auto last = pair.a.send(pair.here, binary(10));
  pair.a.close(pair.here);
  CHECK(pair.a.resets_in_flight().empty());
  CHECK(pair.a.table.cancel_send(pair.here, last));
  pair.settle();
  CHECK(pair.a.closed(pair.here));
}

TEST_CASE("the end of the association ends every channel with the cause") {
  connected_pair pair;
  pair.a.association.send_buffer = 10;
  pair.a.send(pair.here, binary(10));
  const auto queued = pair.a.send(pair.here, binary(10));
  const auto flush = pair.a.table.flush(pair.here);
  pair.a.association.events.push_back(sctp::closed{errc::remote_closed});
  pair.a.pump();
  CHECK(pair.a.closed(pair.here)->reason.code == errc::remote_closed);
  CHECK(pair.a.all<send_finished>().back().ticket == queued);
  CHECK(pair.a.all<send_finished>().back().error == errc::remote_closed);
  CHECK(pair.a.all<datachannel::flushed>().back().ticket == *flush);
  CHECK(pair.a.all<datachannel::flushed>().back().error == errc::remote_closed);
  CHECK(pair.a.table.idle());
  CHECK(pair.a.table.total_unacknowledged() == 0);
  CHECK(pair.a.table.ended()->code == errc::remote_closed);
  CHECK(pair.a.table.create(pair.a.now, "x", {}).error().code == errc::invalid_state);
}

TEST_CASE("detach ends channels that never were connected, too") {
  side a(true);
  const auto key = a.create("x");
  const auto ticket = a.send(key, text("x"));
  a.table.detach(errc::consent_expired);
  a.pump();
  CHECK(a.closed(key)->reason.code == errc::consent_expired);
  CHECK(a.all<send_finished>().back().ticket == ticket);
  CHECK(a.all<send_finished>().back().error == errc::consent_expired);
}

TEST_CASE("a close that only misses a confirmation is orderly when the association ends") {
  connected_pair pair;
  pair.b.association.receive(sctp::incoming_streams_reset{{sctp::stream_id{0}}});
  pair.b.pump();
  pair.b.association.events.push_back(sctp::closed{errc::remote_closed});
  pair.b.pump();
  CHECK_FALSE(pair.b.closed(pair.there)->reason.code);
}

TEST_CASE("a reset that lists no stream means all") {
  connected_pair pair;
  pair.b.association.receive(sctp::incoming_streams_reset{});
  pair.b.pump();
  CHECK(pair.b.state(pair.there) == data_channel_state::closing);
  CHECK(pair.b.resets_in_flight() == std::vector<std::uint16_t>{0});
}

TEST_CASE("a reset of a stream that nobody has here is answered by ours") {
  side a(true);
  a.connect();
  a.association.receive(sctp::incoming_streams_reset{{sctp::stream_id{5}}});
  a.pump();
  CHECK(a.resets_in_flight() == std::vector<std::uint16_t>{5});
  CHECK(a.table.idle());
  a.association.move_one(nullptr);
  a.pump();
  // Once only, or two sides that both answer would never end.
  a.association.receive(sctp::incoming_streams_reset{{sctp::stream_id{5}}});
  a.pump();
  CHECK(a.resets_in_flight().empty());
  a.receive_open(5, "x");
  CHECK(a.opened());
}

TEST_CASE("a forgotten channel drains and goes without a trace") {
  connected_pair pair;
  pair.a.send(pair.here, text("bye"));
  pair.a.table.close(pair.a.now, pair.here);
  pair.a.table.forget(pair.here);
  pair.settle();
  CHECK(pair.b.texts(pair.there) == std::vector<std::string>{"bye"});
  CHECK_FALSE(pair.a.table.info(pair.here).has_value());
  CHECK(pair.a.table.idle());
}

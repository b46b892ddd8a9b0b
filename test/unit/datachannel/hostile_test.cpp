#include "table_pair.hpp"

#include <doctest/doctest.h>

using namespace asiortc;
using namespace std::chrono_literals;
using namespace asiortc::test;
using stream_list = std::vector<std::uint16_t>;

namespace {

struct victim {
  explicit victim(datachannel::settings settings = {}) : b(false, std::move(settings)) {
    b.connect();
  }
  side b;
};

}  // namespace

TEST_CASE("an OPEN of the wrong parity resets that stream") {
  victim v;
  v.b.receive_open(1, "x");
  CHECK_FALSE(v.b.opened());
  CHECK(v.b.resets_in_flight() == stream_list{1});
  CHECK(v.b.table.statistics().streams_refused == 1);
}

TEST_CASE("an OPEN on a stream in use closes the channel with protocol_violation") {
  victim v;
  v.b.receive_open(0, "x");
  const auto key = *v.b.opened();
  v.b.receive_open(0, "y");
  CHECK(v.b.all<datachannel::channel_opened_by_peer>().size() == 1);
  CHECK(v.b.state(key) == data_channel_state::closing);
  v.b.association.receive(sctp::incoming_streams_reset{{sctp::stream_id{0}}});
  while (v.b.association.move_one(nullptr)) v.b.pump();
  CHECK(v.b.closed(key)->reason.code == errc::protocol_violation);
}

TEST_CASE("a malformed OPEN, an unknown type and an empty DCEP message reset that stream") {
  victim v;
  base::bytes cut = open_bytes("label");
  cut.pop_back();
  v.b.receive(0, sctp::ppid::dcep, cut);
  base::bytes unknown_type = open_bytes("label");
  unknown_type[1] = 0x42;
  v.b.receive(2, sctp::ppid::dcep, unknown_type);
  v.b.receive(4, sctp::ppid::dcep, {0x77});
  v.b.receive(6, sctp::ppid::dcep, {});
  CHECK_FALSE(v.b.opened());
  CHECK(v.b.resets_in_flight() == stream_list{0, 2, 4, 6});
}

TEST_CASE("a refused stream drops what comes, and can be used again after both resets") {
  victim v;
  v.b.receive_open(1, "x");
  v.b.receive(1, sctp::ppid::string, {'x'});
  v.b.receive_open(1, "x");
  CHECK(v.b.table.statistics().streams_refused == 1);
  CHECK(v.b.table.statistics().messages_dropped == 1);
  data_channel_init init;
  init.negotiated = true;
  init.id = 1;
  CHECK(v.b.table.create(v.b.now, "n", init).error().code == errc::operation_error);
  v.b.association.receive(sctp::incoming_streams_reset{{sctp::stream_id{1}}});
  while (v.b.association.move_one(nullptr)) v.b.pump();
  v.b.create("n", init);
}

TEST_CASE("an ACK that nobody waits for is ignored") {
  victim v;
  v.b.receive(0, sctp::ppid::dcep, {0x02});
  v.b.receive_open(0, "x");
  v.b.receive(0, sctp::ppid::dcep, {0x02});
  CHECK(v.b.state(*v.b.opened()) == data_channel_state::open);
  CHECK(v.b.table.statistics().dcep_ignored == 2);
}

TEST_CASE("channels beyond those that may wait for acceptance are reset") {
  datachannel::settings settings;
  settings.max_unaccepted = 2;
  victim v(settings);
  v.b.receive_open(0, "x");
  v.b.receive_open(2, "x");
  v.b.receive_open(4, "x");
  CHECK(v.b.resets_in_flight().empty());
  v.b.now += 1s;
  v.b.pump();
  CHECK(v.b.all<datachannel::channel_opened_by_peer>().size() == 2);
  CHECK(v.b.resets_in_flight() == stream_list{4});
  // Nobody accepts, so the next one does not make the other channels wait again.
  v.b.receive_open(8, "x");
  CHECK(v.b.resets_in_flight() == stream_list{4, 8});
  v.b.table.accept(*v.b.opened());
  v.b.receive_open(6, "x");
  CHECK(v.b.all<datachannel::channel_opened_by_peer>().size() == 3);
}

TEST_CASE("channels beyond those that may wait are held while others are accepted") {
  datachannel::settings settings;
  settings.max_unaccepted = 2;
  victim v(settings);
  constexpr std::uint16_t count = 100;
  for (std::uint16_t i = 0; i < count; ++i) {
    v.b.association.receive_message(static_cast<std::uint16_t>(2 * i), sctp::ppid::dcep,
                                    open_bytes(std::to_string(i)));
  }
  v.b.association.receive_message(2 * (count - 1), sctp::ppid::string, {'x'});
  std::size_t accepted = 0;
  for (v.b.pump(); accepted < count; v.b.pump()) {
    const auto opened = v.b.all<datachannel::channel_opened_by_peer>();
    REQUIRE(opened.size() > accepted);
    CHECK(opened.size() <= accepted + 2);
    CHECK(v.b.table.info(opened[accepted].key)->label == std::to_string(accepted));
    v.b.table.accept(opened[accepted++].key);
    v.b.now += 900ms;  // as long as one is accepted in a second
  }
  CHECK(v.b.resets_in_flight().empty());
  CHECK(v.b.all<datachannel::message_received>().size() == 1);
}

TEST_CASE("channels whose labels are more than may wait for acceptance are reset") {
  datachannel::settings settings;
  settings.max_unaccepted_bytes = 100'000;
  victim v(settings);
  const std::string label(60'000, 'x');
  v.b.receive_open(0, label);
  v.b.receive_open(2, label);
  v.b.now += 1s;
  v.b.pump();
  CHECK(v.b.all<datachannel::channel_opened_by_peer>().size() == 1);
  CHECK(v.b.resets_in_flight() == stream_list{2});
  v.b.table.accept(*v.b.opened());
  v.b.receive_open(4, label);
  CHECK(v.b.all<datachannel::channel_opened_by_peer>().size() == 2);
}

TEST_CASE("a channel that closes before it is accepted keeps its place until then") {
  datachannel::settings settings;
  settings.max_unaccepted = 1;
  victim v(settings);
  v.b.receive_open(0, "x");
  const auto key = *v.b.opened();
  v.b.association.receive(sctp::incoming_streams_reset{{sctp::stream_id{0}}});
  v.b.pump();
  while (v.b.association.move_one(nullptr)) v.b.pump();
  CHECK(v.b.closed(key));
  v.b.table.forget(key);
  v.b.receive_open(0, "x");
  v.b.now += 1s;
  v.b.pump();
  CHECK(v.b.all<datachannel::channel_opened_by_peer>().size() == 1);
  v.b.table.accept(key);
  v.b.receive_open(2, "x");
  CHECK(v.b.all<datachannel::channel_opened_by_peer>().size() == 2);
}

TEST_CASE("a million OPENs leave bounded state behind") {
  victim v;
  for (std::uint32_t i = 0; i < 1'000'000; ++i) {
    v.b.association.receive_message(static_cast<std::uint16_t>(i), sctp::ppid::dcep,
                                    open_bytes("label"));
    v.b.now += 1ms;
    v.b.table.handle_association_events(v.b.now);
  }
  std::size_t opened = 0;
  while (const auto event = v.b.table.poll_event()) {
    if (std::holds_alternative<datachannel::channel_opened_by_peer>(*event)) ++opened;
  }
  CHECK(opened == 1024);
  // Each stream is reset once, however often it is tried.
  CHECK(v.b.resets_in_flight().size() <= 65535);
}

TEST_CASE("channels that are accepted and kept are bounded, by their number and their texts") {
  datachannel::settings settings;
  settings.max_channels = 10;
  settings.max_text_bytes = 1000;
  for (const std::size_t label : {5U, 300U}) {
    CAPTURE(label);
    victim v(settings);
    std::vector<datachannel::channel_key> kept;
    for (std::uint16_t i = 0; i < 100; ++i) {
      v.b.receive_open(static_cast<std::uint16_t>(2 * i), std::string(label, 'x'));
      const auto opened = v.b.opened();
      if (!opened || (!kept.empty() && kept.back() == *opened)) continue;
      v.b.table.accept(*opened);
      kept.push_back(*opened);
    }
    CHECK(kept.size() == (label == 5 ? 10 : 3));
    CHECK(v.b.resets_in_flight().size() == 100 - kept.size());
    // One that is closed and forgotten makes room for the next.
    v.b.association.receive(sctp::incoming_streams_reset{{sctp::stream_id{0}}});
    v.b.pump();
    while (v.b.association.move_one(nullptr)) v.b.pump();
    v.b.table.forget(kept.front());
    v.b.receive_open(0, std::string(label, 'x'));
    CHECK(*v.b.opened() != kept.back());
  }
}

TEST_CASE("endless early data is refused by a reset of its stream, not dropped in silence") {
  datachannel::settings settings;
  settings.max_early_bytes = 1000;
  victim v(settings);
  for (int i = 0; i < 1000; ++i) v.b.receive(2, sctp::ppid::binary, base::bytes(100));
  CHECK(v.b.resets_in_flight() == stream_list{2});
  // The place is free for others again.
  v.b.receive(4, sctp::ppid::binary, base::bytes(100));
  CHECK(v.b.resets_in_flight() == stream_list{2});
}

TEST_CASE("empty early messages are bounded too") {
  victim v;
  for (int i = 0; i < 10000; ++i) v.b.receive(2, sctp::ppid::string_empty, {0});
  CHECK(v.b.resets_in_flight() == stream_list{2});
}

TEST_CASE("early data of a stream that the peer resets is forgotten") {
  victim v;
  v.b.receive(2, sctp::ppid::string, {'x'});
  v.b.association.receive(sctp::incoming_streams_reset{{sctp::stream_id{2}}});
  v.b.pump();
  CHECK(v.b.resets_in_flight() == stream_list{2});
  while (v.b.association.move_one(nullptr)) v.b.pump();
  v.b.receive_open(2, "x");
  CHECK(v.b.texts(*v.b.opened()).empty());
}

TEST_CASE("unordered data that overtakes its OPEN is delivered after it") {
  victim v;
  v.b.receive(2, sctp::ppid::string, {'x'});
  v.b.receive_open(2, "x");
  REQUIRE(v.b.opened());
  CHECK(v.b.texts(*v.b.opened()) == std::vector<std::string>{"x"});
}

TEST_CASE("endless data for the next channel of a stream that is being reset is bounded") {
  datachannel::settings settings;
  settings.max_early_bytes = 1000;
  victim v(settings);
  v.b.receive_open(0, "x");
  v.b.association.receive(sctp::incoming_streams_reset{{sctp::stream_id{0}}});
  v.b.pump();
  for (int i = 0; i < 1000; ++i) v.b.receive(0, sctp::ppid::binary, base::bytes(100));
  v.b.association.move_one(nullptr);  // the ACK
  v.b.association.move_one(nullptr);  // our reset
  v.b.pump();
  CHECK(v.b.closed(*v.b.opened()));
  CHECK(v.b.resets_in_flight() == stream_list{0});
}

TEST_CASE("pieces of messages that never end are bounded over all channels") {
  datachannel::settings settings;
  settings.receive_budget = 1000;
  victim v(settings);
  for (std::uint16_t id = 0; id < 40; id += 2) v.b.receive_open(id, "x");
  for (std::uint16_t id = 0; id < 40; id += 2) {
    v.b.receive(id, sctp::ppid::binary_partial, base::bytes(200));
  }
  CHECK(v.b.resets_in_flight().size() == 15);
}

TEST_CASE("unknown PPIDs and ids that cannot be are counted or passed over") {
  victim v;
  v.b.receive_open(0, "x");
  v.b.receive(0, static_cast<sctp::ppid>(55), {1});
  v.b.receive(0, static_cast<sctp::ppid>(0), {1});
  CHECK(v.b.table.statistics().unknown_ppids == 2);
  v.b.receive_open(65535, "x");
  v.b.association.receive(sctp::incoming_streams_reset{{sctp::stream_id{65535}}});
  v.b.pump();
  CHECK(v.b.resets_in_flight().empty());
  CHECK(v.b.all<datachannel::channel_opened_by_peer>().size() == 1);
}

TEST_CASE("a reset of our stream before our OPEN left ends the channel without harm") {
  side a(true);
  a.association.send_buffer = 1;
  a.connect();
  const auto first = a.create("first");  // fills the buffer
  const auto second = a.create("second");
  CHECK(a.state(first) == data_channel_state::open);
  CHECK(a.state(second) == data_channel_state::connecting);
  a.close(second);
  CHECK(a.closed(second));
  const auto third = a.create("third");
  a.association.receive(sctp::incoming_streams_reset{{sctp::stream_id{2}}});
  a.pump();
  CHECK(a.state(third) == data_channel_state::closing);
  while (a.association.move_one(nullptr)) a.pump();
  CHECK(a.closed(third));
}

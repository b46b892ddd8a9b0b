#include "table_pair.hpp"

#include <doctest/doctest.h>

using namespace asiortc;
using namespace asiortc::test;
using datachannel::message_received;

namespace {

/// A server with a channel that the client opened on stream 0.
struct receiver {
  explicit receiver(datachannel::settings settings = {}) : b(false, std::move(settings)) {
    b.connect();
    b.receive_open(0, "x");
    key = *b.opened();
  }

  side b;
  channel_key key{};
};

datachannel::settings with_budget(std::size_t bytes) {
  datachannel::settings settings;
  settings.receive_budget = bytes;
  return settings;
}

}  // namespace

TEST_CASE("text, binary and empty messages arrive as they were sent") {
  receiver r;
  r.b.receive(0, sctp::ppid::string, {'h', 'i'});
  r.b.receive(0, sctp::ppid::binary, {1, 2, 3});
  r.b.receive(0, sctp::ppid::string_empty, {0});
  r.b.receive(0, sctp::ppid::binary_empty, {0});
  const auto all = r.b.all<message_received>();
  REQUIRE(all.size() == 4);
  CHECK(all[0].value == text("hi"));
  CHECK(all[1].value == message({1, 2, 3}, false));
  CHECK(all[2].value == message({}, true));
  CHECK(all[3].value == message({}, false));
}

TEST_CASE("text that is not UTF-8 is delivered as it came") {
  receiver r;
  r.b.receive(0, sctp::ppid::string, {0xff});
  REQUIRE(r.b.all<message_received>().size() == 1);
  CHECK(r.b.all<message_received>()[0].value.is_text());
  CHECK(r.b.all<message_received>()[0].value.text() == "\xff");
}

TEST_CASE("pieces under the deprecated PPIDs become one message") {
  receiver r;
  r.b.receive(0, sctp::ppid::string_partial, {'a'});
  r.b.receive(0, sctp::ppid::string_partial, {'b'});
  CHECK(r.b.all<message_received>().empty());
  r.b.receive(0, sctp::ppid::string, {'c'});
  r.b.receive(0, sctp::ppid::binary_partial, {1});
  r.b.receive(0, sctp::ppid::binary, {2});
  const auto all = r.b.all<message_received>();
  REQUIRE(all.size() == 2);
  CHECK(all[0].value == text("abc"));
  CHECK(all[1].value == message({1, 2}, false));
}

TEST_CASE("a message beyond our max-message-size closes the channel, whole or in pieces") {
  datachannel::settings settings;
  settings.max_message_size = 10;
  for (const bool in_pieces : {false, true}) {
    CAPTURE(in_pieces);
    receiver r(settings);
    r.b.receive(0, sctp::ppid::binary, base::bytes(10));
    if (in_pieces) {
      r.b.receive(0, sctp::ppid::binary_partial, base::bytes(6));
      r.b.receive(0, sctp::ppid::binary, base::bytes(5));
    } else {
      r.b.receive(0, sctp::ppid::binary, base::bytes(11));
    }
    CHECK(r.b.all<message_received>().size() == 1);
    CHECK(r.b.state(r.key) == data_channel_state::closing);
    CHECK(r.b.resets_in_flight() == std::vector<std::uint16_t>{0});
    r.b.association.receive(sctp::incoming_streams_reset{{sctp::stream_id{0}}});
    while (r.b.association.move_one(nullptr)) r.b.pump();
    CHECK(r.b.closed(r.key)->reason.code == errc::message_too_large);
  }
}

TEST_CASE("an OPEN may be larger than max-message-size") {
  datachannel::settings settings;
  settings.max_message_size = 10;
  side b(false, settings);
  b.connect();
  data_channel_init init;
  init.protocol = std::string(65535, 'p');
  b.receive_open(0, std::string(65535, 'l'), init);
  REQUIRE(b.opened());
  CHECK(b.table.info(*b.opened())->label.size() == 65535);
}

TEST_CASE("a message that outgrew the association's limit closes its channel") {
  receiver r;
  r.b.association.receive(sctp::message_too_large{sctp::stream_id{0}});
  r.b.pump();
  CHECK(r.b.state(r.key) == data_channel_state::closing);
}

TEST_CASE("the spent budget pauses reading, and consuming resumes it without a loss") {
  receiver r(with_budget(1000));
  for (std::uint8_t i = 0; i < 20; ++i) r.b.receive(0, sctp::ppid::binary, base::bytes(200, i));
  CHECK(r.b.association.paused());
  const std::size_t before = r.b.all<message_received>().size();
  CHECK(before < 6);
  std::size_t consumed = 0;
  while (consumed < r.b.all<message_received>().size()) {
    r.b.table.consumed(r.b.now, r.key, 200);
    ++consumed;
    r.b.pump();
  }
  const auto all = r.b.all<message_received>();
  REQUIRE(all.size() == 20);
  for (std::uint8_t i = 0; i < 20; ++i) CHECK(all[i].value.bytes()[0] == i);
  CHECK_FALSE(r.b.association.paused());
}

TEST_CASE("empty messages spend the budget too") {
  receiver r(with_budget(1000));
  for (int i = 0; i < 100; ++i) r.b.receive(0, sctp::ppid::string_empty, {0});
  CHECK(r.b.association.paused());
  r.b.table.consumed(r.b.now, r.key, 0);
  CHECK_FALSE(r.b.association.paused());
}

TEST_CASE("below the budget DCEP and resets are taken although nobody reads") {
  receiver r(with_budget(1000));
  r.b.receive(0, sctp::ppid::binary, base::bytes(900));
  r.b.receive_open(2, "second");
  CHECK(r.b.all<datachannel::channel_opened_by_peer>().size() == 2);
  r.b.association.receive(sctp::incoming_streams_reset{{sctp::stream_id{0}}});
  r.b.pump();
  CHECK(r.b.state(r.key) == data_channel_state::closing);
}

TEST_CASE("discarding what a channel received resumes reading, and nothing more is given out") {
  receiver r(with_budget(1000));
  r.b.receive_open(2, "second");
  for (int i = 0; i < 10; ++i) r.b.receive(0, sctp::ppid::binary, base::bytes(500));
  r.b.receive(2, sctp::ppid::string, {'x'});
  CHECK(r.b.association.paused());
  CHECK(r.b.texts(*r.b.opened()).empty());
  r.b.table.discard_received(r.b.now, r.key);
  CHECK_FALSE(r.b.association.paused());
  const std::size_t before = r.b.texts(r.key).size();
  r.b.pump();
  CHECK(r.b.texts(r.key).size() == before);
  CHECK(r.b.texts(*r.b.opened()) == std::vector<std::string>{"x"});
}

TEST_CASE("a peer closes its channel while our reader is stalled once we close or discard ours") {
  table_pair pair(with_budget(1000));
  pair.connect();
  const auto key = pair.b.create("x");
  pair.settle();
  for (int i = 0; i < 50; ++i) pair.b.send(key, binary(500));
  pair.b.close(key);
  pair.settle();
  CHECK_FALSE(pair.b.closed(key));
  pair.a.close(*pair.a.opened());
  pair.settle();
  CHECK(pair.b.closed(key));
  CHECK(pair.a.closed(*pair.a.opened()));
}

TEST_CASE("unread messages survive the peer's close, until the channel is forgotten") {
  receiver r(with_budget(1000));
  r.b.receive(0, sctp::ppid::binary, base::bytes(990));
  CHECK(r.b.association.paused());
  r.b.association.events.push_back(sctp::incoming_streams_reset{{sctp::stream_id{0}}});
  r.b.pump();
  while (r.b.association.move_one(nullptr)) r.b.pump();
  CHECK(r.b.closed(r.key));
  CHECK(r.b.all<message_received>().size() == 1);
  CHECK(r.b.association.paused());
  r.b.table.forget(r.key);
  CHECK_FALSE(r.b.association.paused());
}

TEST_CASE("after a local close nothing more is delivered") {
  receiver r;
  r.b.table.close(r.b.now, r.key);
  r.b.receive(0, sctp::ppid::string, {'x'});
  CHECK(r.b.texts(r.key).empty());
  CHECK(r.b.table.statistics().messages_dropped == 1);
}

#include "table_pair.hpp"

#include <doctest/doctest.h>

using namespace asiortc;
using namespace asiortc::test;
using datachannel::buffered_amount_low;
using datachannel::send_finished;
using std::chrono::milliseconds;

namespace {

/// One side whose association takes what the test allows, with a channel that is open.
struct lone_sender {
  explicit lone_sender(data_channel_init init = {}) {
    a.connect();
    key = a.create("x", std::move(init));
    a.association.move_one(nullptr);
    a.pump();
  }

  bool finished(std::uint64_t ticket, boost::system::error_code with = {}) const {
    const auto all = a.all<send_finished>();
    return std::ranges::any_of(
        all, [&](const auto& each) { return each.ticket == ticket && each.error == with; });
  }

  side a{true};
  channel_key key{};
};

}  // namespace

TEST_CASE("text, binary and empty messages have their PPIDs, an empty one a dummy byte") {
  lone_sender s;
  s.a.send(s.key, text("t"));
  s.a.send(s.key, binary(3));
  s.a.send(s.key, text(""));
  s.a.send(s.key, binary(0));
  const auto& log = s.a.association.log;
  REQUIRE(log.size() == 5);
  CHECK(log[1].options.ppid == sctp::ppid::string);
  CHECK(log[2].options.ppid == sctp::ppid::binary);
  CHECK(log[3].options.ppid == sctp::ppid::string_empty);
  CHECK(log[3].payload.size() == 1);
  CHECK(log[4].options.ppid == sctp::ppid::binary_empty);
  CHECK(log[4].payload.size() == 1);
}

TEST_CASE("zero retransmits means one try, and no limit means reliable") {
  data_channel_init init;
  init.max_retransmits = 0;
  lone_sender once(init);
  once.a.send(once.key, text("t"));
  CHECK(once.a.association.log.back().options.max_retransmits == 0);
  lone_sender reliable;
  reliable.a.send(reliable.key, text("t"));
  CHECK_FALSE(reliable.a.association.log.back().options.max_retransmits.has_value());
  CHECK_FALSE(reliable.a.association.log.back().options.lifetime.has_value());
}

TEST_CASE("a message larger than the peer takes ends the channel, with both sizes") {
  table_pair pair;
  pair.connect();
  const auto key = pair.a.create("x");
  pair.a.table.set_remote_max_message_size(0);
  pair.a.send(key, binary(60'000));
  pair.a.table.set_remote_max_message_size(1000);
  pair.a.send(key, binary(1000));
  pair.settle();
  CHECK_FALSE(pair.a.closed(key));
  pair.a.send(key, binary(1001));
  pair.settle();
  const auto end = pair.a.closed(key);
  REQUIRE(end);
  CHECK(end->reason.code == errc::message_too_large);
  CHECK(end->reason.detail == "a message has 1001 bytes, the peer takes at most 1000");
}

TEST_CASE(
    "a message that was queued before the peer's limit was known ends the channel, and is told") {
  side a(true);
  const auto key = a.create("x");
  const auto large = a.send(key, binary(70000));
  const auto small = a.send(key, binary(10));
  const auto flush = a.table.flush(key).value();
  a.connect();
  const auto all = a.all<send_finished>();
  REQUIRE(all.size() == 2);
  CHECK(all[0].ticket == large);
  CHECK(all[0].error == errc::message_too_large);
  CHECK(all[1].ticket == small);
  CHECK(all[1].error == errc::message_too_large);
  const auto flushes = a.all<datachannel::flushed>();
  REQUIRE(flushes.size() == 1);
  CHECK(flushes[0].ticket == flush);
  CHECK(flushes[0].error == errc::message_too_large);
}

TEST_CASE("text that is not UTF-8 is refused, text that holds NUL survives") {
  table_pair pair;
  pair.connect();
  const auto key = pair.a.create("x");
  const auto refused = pair.a.table.send(pair.a.now, key, text("\xed\xa0\x80"));
  REQUIRE(refused.has_error());
  CHECK(refused.error().code == errc::type_error);
  pair.a.send(key, message({0xff, 0xfe}, false));
  const std::string with_nul("a\0b", 3);
  pair.a.send(key, text(with_nul));
  pair.settle();
  CHECK(pair.b.texts(*pair.b.opened()).back() == with_nul);
}

TEST_CASE("a message is finished when SCTP took it, not before") {
  lone_sender s;
  s.a.association.send_buffer = 100;
  const auto first = s.a.send(s.key, binary(100));
  const auto second = s.a.send(s.key, binary(100));
  CHECK(s.finished(first));
  CHECK_FALSE(s.finished(second));
  CHECK(s.a.table.buffered_amount(s.key) == 200);
  CHECK(s.a.table.total_unacknowledged() == 200);
  s.a.association.move_one(nullptr);
  s.a.pump();
  CHECK(s.finished(second));
  CHECK(s.a.table.buffered_amount(s.key) == 100);
}

TEST_CASE("a message is taken back only while SCTP has not got it") {
  lone_sender s;
  s.a.association.send_buffer = 100;
  const auto first = s.a.send(s.key, binary(100));
  const auto second = s.a.send(s.key, binary(60));
  const auto third = s.a.send(s.key, binary(50));
  CHECK_FALSE(s.a.table.cancel_send(s.key, first));
  CHECK(s.a.table.cancel_send(s.key, second));
  CHECK_FALSE(s.a.table.cancel_send(s.key, second));
  s.a.association.move_one(nullptr);
  s.a.pump();
  CHECK(s.finished(third));
  CHECK_FALSE(s.finished(second));
  CHECK(s.a.association.log.back().payload.size() == 50);
}

TEST_CASE("the low event comes on crossing the threshold only") {
  lone_sender s;
  s.a.table.set_low_threshold(s.key, 100);
  const auto lows = [&] { return s.a.all<buffered_amount_low>().size(); };
  const auto acknowledge = [&] {
    s.a.association.move_one(nullptr);
    s.a.pump();
  };
  s.a.send(s.key, binary(50));
  acknowledge();
  CHECK(lows() == 0);  // it never was above
  for (int i = 0; i < 3; ++i) s.a.send(s.key, binary(60));
  acknowledge();
  CHECK(lows() == 0);  // 120 left
  acknowledge();
  CHECK(lows() == 1);
  acknowledge();
  CHECK(lows() == 1);
  s.a.table.set_low_threshold(s.key, 0);
  s.a.send(s.key, binary(1));
  acknowledge();
  CHECK(lows() == 2);
}

TEST_CASE("a flush completes when the peer's SCTP has acknowledged all, empty messages too") {
  lone_sender s;
  s.a.send(s.key, text("one"));
  s.a.send(s.key, text(""));
  const auto ticket = s.a.table.flush(s.key);
  REQUIRE(ticket.has_value());
  s.a.send(s.key, text("later"));
  s.a.association.move_one(nullptr);
  s.a.pump();
  CHECK_FALSE(s.a.was_flushed(*ticket));
  s.a.association.move_one(nullptr);
  s.a.pump();
  CHECK(s.a.was_flushed(*ticket));
}

TEST_CASE("a flush on one channel completes while another sends without end") {
  table_pair pair;
  pair.connect();
  pair.a.association.send_buffer = 32 * 1024;
  const auto bulk = pair.a.create("bulk");
  const auto chat = pair.a.create("chat");
  pair.settle();
  for (int i = 0; i < 4000; ++i) {
    REQUIRE(pair.a.table.send(pair.a.now, bulk, binary(16 * 1024)).has_value());
  }
  pair.a.send(chat, text("hello"));
  const auto ticket = pair.a.table.flush(chat);
  int moved = 0;
  while (!pair.a.was_flushed(*ticket) && moved < 1000) {
    // For ever more: what leaves is replaced.
    pair.a.send(bulk, binary(16 * 1024));
    pair.a.association.move_one(&pair.b.association);
    pair.a.pump();
    ++moved;
  }
  CHECK(pair.a.was_flushed(*ticket));
  CHECK(moved < 10);
}

TEST_CASE("channels that compete get equal shares of bytes, whatever their messages' size") {
  side a(true);
  a.association.send_buffer = 300 * 1024;
  a.connect();
  const auto large = a.create("large");
  const auto small = a.create("small");
  a.table.set_remote_max_message_size(0);
  for (int i = 0; i < 40; ++i) {
    REQUIRE(a.table.send(a.now, large, binary(256 * 1024)).has_value());
  }
  for (int i = 0; i < 10 * 1024; ++i) {
    REQUIRE(a.table.send(a.now, small, binary(1024)).has_value());
  }
  while (a.table.info(large)->messages_sent < 20) {
    REQUIRE(a.association.move_one(nullptr));
    a.pump();
  }
  const double share = static_cast<double>(a.table.info(small)->bytes_sent) /
                       static_cast<double>(a.table.info(large)->bytes_sent);
  CHECK(share > 0.8);
  CHECK(share < 1.2);
}

TEST_CASE("a message whose life time passed before SCTP had room is given up") {
  data_channel_init init;
  init.max_packet_life_time = milliseconds(100);
  lone_sender s(init);
  s.a.association.send_buffer = 10;
  s.a.send(s.key, binary(10));
  const auto stale = s.a.send(s.key, binary(10));
  s.a.now += milliseconds(60);
  const auto fresh = s.a.send(s.key, binary(10));
  s.a.now += milliseconds(60);
  s.a.association.move_one(nullptr);
  s.a.pump();
  CHECK(s.finished(stale, boost::system::errc::make_error_code(boost::system::errc::timed_out)));
  CHECK(s.finished(fresh));
  CHECK(s.a.association.log.back().options.lifetime == milliseconds(40));
}

TEST_CASE("life times are not counted before there is an association") {
  side a(true);
  data_channel_init init;
  init.max_packet_life_time = milliseconds(1);
  const auto key = a.create("x", init);
  a.send(key, text("early"));
  a.now += std::chrono::seconds(10);
  a.connect();
  REQUIRE(a.association.log.size() == 2);
  CHECK(a.association.log[1].options.lifetime == milliseconds(1));
}

TEST_CASE("sending on a channel that is closing, closed or unknown is invalid_state") {
  lone_sender s;
  CHECK(s.a.table.send(s.a.now, channel_key{99}, text("x")).error().code == errc::invalid_state);
  s.a.close(s.key);
  CHECK(s.a.table.send(s.a.now, s.key, text("x")).error().code == errc::invalid_state);
}

TEST_CASE("an association that refuses a message ends that channel with its reason") {
  lone_sender s;
  s.a.association.fail_sends = true;
  const auto ticket = s.a.send(s.key, text("x"));
  CHECK(s.finished(ticket, errc::sctp_failed));
  CHECK(s.a.state(s.key) == data_channel_state::closing);
  CHECK(s.a.resets_in_flight() == std::vector<std::uint16_t>{0});
}

TEST_CASE("counters of a channel grow with what it sent and received") {
  table_pair pair;
  pair.connect();
  const auto key = pair.a.create("x");
  pair.a.send(key, binary(10));
  pair.a.send(key, text("ab"));
  pair.settle();
  const auto sent = *pair.a.table.info(key);
  CHECK(sent.messages_sent == 2);
  CHECK(sent.bytes_sent == 12);
  const auto received = *pair.b.table.info(*pair.b.opened());
  CHECK(received.messages_received == 2);
  CHECK(received.bytes_received == 12);
}

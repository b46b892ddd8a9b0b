#include "pair.hpp"
#include "sctp/usrsctp/library.hpp"
#include "virtual_time.hpp"

#include <doctest/doctest.h>

namespace asiortc::test {

using namespace std::chrono_literals;

TEST_CASE("messages of every size arrive whole, in order, both ways, with their ppid") {
  pair ends;
  ends.connect();
  const std::vector<std::size_t> sizes{1, 2, 1156, 1157, 1184, 16384, 65535, 65536, 262144};
  std::size_t total = 0;
  for (const std::size_t size : sizes) {
    ends.a.send(1, pattern(size, 1));
    ends.b.send(2, pattern(size, 2));
    total += size;
    ends.run_for(200ms);
  }
  REQUIRE(ends.run_until(
      [&] { return ends.a.received_bytes() == total && ends.b.received_bytes() == total; }));
  const auto at_a = ends.a.all<sctp::message_received>();
  const auto at_b = ends.b.all<sctp::message_received>();
  REQUIRE(at_b.size() == sizes.size());
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    CHECK(at_a[i].payload == pattern(sizes[i], 2));
    CHECK(at_b[i].payload == pattern(sizes[i], 1));
    CHECK(at_b[i].stream == sctp::stream_id{1});
    CHECK(at_b[i].ppid == sctp::ppid::binary);
    CHECK_FALSE(at_b[i].unordered);
  }
}

TEST_CASE("an unordered message says so, and a ppid comes as it was sent") {
  pair ends;
  ends.connect();
  sctp::send_options options;
  options.stream = sctp::stream_id{65534};
  options.unordered = true;
  options.ppid = sctp::ppid::string;
  CHECK(ends.a.association->send(virtual_now(), options, pattern(10, 0)).value());
  REQUIRE(ends.run_until([&] { return ends.b.has<sctp::message_received>(); }));
  const auto message = ends.b.all<sctp::message_received>()[0];
  CHECK(message.unordered);
  CHECK(message.ppid == sctp::ppid::string);
  CHECK(message.stream == sctp::stream_id{65534});
}

TEST_CASE("a stream table that grows between messages keeps what is queued on the others") {
  pair ends;
  ends.connect();
  // Each next stream doubles the table while fragments of the earlier ones are half sent.
  std::size_t count = 0;
  for (std::uint32_t stream = 1; stream < 65535; stream *= 3) {
    ends.a.send(static_cast<std::uint16_t>(stream),
                pattern(5000, static_cast<std::uint8_t>(stream)));
    ++count;
  }
  REQUIRE(ends.run_until([&] { return ends.b.all<sctp::message_received>().size() == count; }));
  for (const auto& message : ends.b.all<sctp::message_received>()) {
    const auto stream = static_cast<std::uint8_t>(message.stream);
    CHECK(message.payload == pattern(5000, stream));
  }
}

TEST_CASE("acknowledged bytes are told per stream and sum up to what was sent") {
  pair ends;
  ends.connect();
  ends.a.send(1, pattern(30000, 0));
  ends.a.send(5, pattern(7, 0));
  CHECK(ends.a.association->unacknowledged(sctp::stream_id{1}) == 30000);
  CHECK(ends.a.association->unacknowledged(sctp::stream_id{5}) == 7);
  CHECK(ends.a.association->unacknowledged() == 30007);
  REQUIRE(ends.run_until([&] { return ends.a.association->unacknowledged() == 0; }));
  ends.a.poll();
  std::size_t first = 0;
  std::size_t second = 0;
  for (const auto& part : ends.a.all<sctp::acknowledged>()) {
    (part.stream == sctp::stream_id{1} ? first : second) += part.bytes;
  }
  CHECK(first == 30000);
  CHECK(second == 7);
}

TEST_CASE(
    "a message larger than the receiver's limit is discarded and told, the next one arrives") {
  sctp::settings small;
  small.max_receive_message_size = 50000;
  pair ends({}, {}, small);
  ends.connect();
  ends.a.send(1, pattern(300000, 1));
  ends.a.send(1, pattern(50000, 2));
  REQUIRE(ends.run_until([&] { return ends.b.received_bytes() == 50000; }));
  REQUIRE(ends.b.all<sctp::message_too_large>().size() == 1);
  CHECK(ends.b.all<sctp::message_too_large>()[0].stream == sctp::stream_id{1});
  CHECK(ends.b.all<sctp::message_received>()[0].payload == pattern(50000, 2));
}

TEST_CASE("a message of several megabytes goes through the grown buffer") {
  sctp::settings large;
  large.max_receive_message_size = 8 << 20;
  pair ends({}, {}, large);
  ends.connect();
  ends.a.send(1, pattern(5 << 20, 1));
  REQUIRE(ends.run_until([&] { return ends.b.has<sctp::message_received>(); }));
  CHECK(ends.b.all<sctp::message_received>()[0].payload == pattern(5 << 20, 1));
}

TEST_CASE("what a message took from the buffers of all is given back once it is acknowledged") {
  constexpr std::size_t size = std::size_t{8} << 20;
  sctp::settings settings;
  settings.max_receive_message_size = size;
  std::vector<std::unique_ptr<pair>> idle;
  // Together more than all may have, with none of them ending.
  for (std::size_t sent = 0; sent <= sctp::library::buffer_budget; sent += size) {
    idle.push_back(std::make_unique<pair>(network_settings(), settings, settings));
    pair& ends = *idle.back();
    ends.connect();
    ends.a.send(1, pattern(size, 1));
    REQUIRE(ends.run_until([&] { return ends.a.association->unacknowledged() == 0; }));
    CHECK(ends.b.received_bytes() == size);
    ends.b.events.clear();
  }
  sctp::library& all = sctp::library::instance();
  const sctp::library::session held(all);
  const bool is_left = all.reserve(sctp::library::buffer_budget / 2);
  CHECK(is_left);
  if (is_left) all.give_back(sctp::library::buffer_budget / 2);
}

namespace {

/// All that the buffers of a process may have, held by somebody else.
class spent_budget {
 public:
  spent_budget() {
    const sctp::library::session held(all_);
    while (all_.reserve(step)) taken_ += step;
  }
  ~spent_budget() {
    const sctp::library::session held(all_);
    all_.give_back(taken_);
  }
  spent_budget(const spent_budget&) = delete;
  spent_budget& operator=(const spent_budget&) = delete;

 private:
  static constexpr std::size_t step = 1024;
  sctp::library& all_ = sctp::library::instance();
  std::size_t taken_ = 0;
};

}  // namespace

TEST_CASE("where others hold all buffers, large messages go one by one and none is refused") {
  const spent_budget spent;
  pair ends;
  ends.connect();
  const base::bytes large = pattern(262144, 1);
  constexpr std::size_t count = 5;
  sctp::send_options options;
  options.stream = sctp::stream_id{1};
  std::size_t refusals = 0;
  for (std::size_t sent = 0; sent < count; ++sent) {
    auto taken = ends.a.association->send(virtual_now(), options, large);
    REQUIRE(taken.has_value());
    if (!*taken) {
      ++refusals;
      ends.a.events.clear();
      REQUIRE(ends.run_until([&] { return ends.a.has<sctp::writable>(); }));
      ends.a.send(1, large);
    }
  }
  CHECK(refusals == count - 1);
  REQUIRE(ends.run_until([&] { return ends.b.received_bytes() == count * large.size(); }));
}

TEST_CASE("a paused receiver stops the sender, and nothing is lost when it resumes") {
  pair ends;
  ends.connect();
  ends.b.association->pause_receive(true);
  std::size_t sent = 0;
  const auto fill = [&] {
    for (;;) {
      sctp::send_options options;
      options.stream = sctp::stream_id{1};
      const auto payload = pattern(16384, static_cast<std::uint8_t>(sent));
      const auto taken = ends.a.association->send(virtual_now(), options, payload);
      REQUIRE(taken.has_value());
      if (!*taken) return;
      ++sent;
    }
  };
  for (int i = 0; i < 50; ++i) {
    fill();
    ends.run_for(200ms);
  }
  CHECK(ends.b.received_bytes() == 0);
  // What both buffers hold, and no more: a mebibyte to send, and the window that was announced.
  CHECK(sent * 16384 <= (1U << 20) + (2U << 17));
  const std::size_t before = sent;
  ends.run_for(30s);
  fill();
  CHECK(sent == before);
  ends.b.association->pause_receive(false);
  REQUIRE(ends.run_until([&] { return ends.b.received_bytes() == sent * 16384; }));
  CHECK(ends.a.has<sctp::writable>());
  const auto messages = ends.b.all<sctp::message_received>();
  for (std::size_t i = 0; i < messages.size(); ++i) {
    REQUIRE(messages[i].payload == pattern(16384, static_cast<std::uint8_t>(i)));
  }
  CHECK(ends.run_until([&] { return ends.a.association->unacknowledged() == 0; }));
}

TEST_CASE("writable follows each refusal, so that a sender needs no timer") {
  pair ends;
  ends.connect();
  std::size_t sent = 0;
  std::size_t told = 0;
  constexpr std::size_t wanted = 400;
  const auto pump = [&] {
    sctp::send_options options;
    options.stream = sctp::stream_id{1};
    while (sent < wanted &&
           ends.a.association->send(virtual_now(), options, pattern(16384, 3)).value()) {
      ++sent;
    }
  };
  pump();
  REQUIRE(sent < wanted);
  REQUIRE(ends.run_until([&] {
    const std::size_t now = ends.a.all<sctp::writable>().size();
    if (now != told) {
      told = now;
      pump();
    }
    return ends.b.received_bytes() == wanted * 16384;
  }));
}

}  // namespace asiortc::test

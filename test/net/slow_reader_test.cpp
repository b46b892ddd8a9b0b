// Readers that stop, or are slower than what comes: memory stays bounded, and nothing reliable is
// lost.
#include "net/peer_pair.hpp"
#include "support/process_counts.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

namespace asiortc::test {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t total = std::uint64_t{under_sanitizer ? 64 : 1024} << 20;
constexpr std::size_t message_size = 65536;
constexpr std::uint64_t message_count = total / message_size;

/// The budget of the reader, the high-water mark, SCTP's buffers on both sides, and what the
/// allocator keeps; far below what is sent.
constexpr std::size_t memory_allowed = std::size_t{48} << 20;

std::vector<std::uint8_t> numbered(std::uint64_t number, std::size_t size) {
  std::vector<std::uint8_t> bytes(size, static_cast<std::uint8_t>(number));
  std::memcpy(bytes.data(), &number, sizeof(number));
  return bytes;
}

std::uint64_t number_of(const message& value) {
  std::uint64_t number = 0;
  REQUIRE(value.size() >= sizeof(number));
  std::memcpy(&number, value.bytes().data(), sizeof(number));
  return number;
}

asio::awaitable<void> send_all(data_channel& channel, std::uint64_t& sent) {
  while (sent < message_count) {
    auto bytes = numbered(sent, message_size);
    co_await channel.async_send(std::move(bytes));
    ++sent;
  }
}

/// Until the sender has been held back for a while.
asio::awaitable<void> until_held_back(const std::uint64_t& sent) {
  asio::steady_timer timer(co_await asio::this_coro::executor);
  for (std::uint64_t before = UINT64_MAX; before != sent || sent == 0;) {
    before = sent;
    timer.expires_after(500ms);
    co_await timer.async_wait(asio::deferred);
  }
}

asio::awaitable<void> stall_and_resume(peer_pair& pair) {
  auto channel = pair.first.create_data_channel("bulk");
  auto incoming = pair.second.data_channels();
  auto remote = co_await incoming.async_next();
  REQUIRE(remote.has_value());
  co_await channel.async_open();
  const std::size_t before = resident_bytes();
  std::uint64_t sent = 0;
  asio::co_spawn(co_await asio::this_coro::executor, send_all(channel, sent),
                 [](std::exception_ptr thrown) { CHECK_FALSE(thrown); });
  co_await until_held_back(sent);
  const std::uint64_t held_back_at = sent;
  CHECK(held_back_at < message_count / 2);
  const std::size_t stalled = resident_bytes();
  if (!under_sanitizer) CHECK(stalled < before + memory_allowed);
  std::size_t most = stalled;
  for (std::uint64_t number = 0; number < message_count; ++number) {
    auto received = co_await remote->async_receive();
    REQUIRE(received.has_value());
    REQUIRE(number_of(*received) == number);
    REQUIRE(received->size() == message_size);
    if (number % 256 == 0) most = std::max(most, resident_bytes());
  }
  if (!under_sanitizer) CHECK(most < before + memory_allowed);
  MESSAGE("sent " << (total >> 20) << " MiB; a stalled reader held the sender back after "
                  << held_back_at << " messages, at "
                  << (stalled - std::min(stalled, before)) / 1024 << " KiB more, at most "
                  << (most - std::min(most, before)) / 1024 << " KiB more while it read");
  co_await close_both(pair.first, pair.second);
}

/// What the sends that waited and those after them completed with, until one failed.
struct send_outcomes {
  std::uint64_t sent = 0;
  std::optional<boost::system::error_code> failure;
};

asio::awaitable<void> send_until_it_fails(data_channel& channel, send_outcomes& seen) {
  while (!seen.failure) {
    std::vector<std::uint8_t> bytes(60000);
    boost::system::error_code code;
    co_await channel.async_send(std::move(bytes), asio::redirect_error(asio::use_awaitable, code));
    if (code) {
      seen.failure = code;
    } else {
      ++seen.sent;
    }
  }
}

asio::awaitable<void> wait_while_the_peer_closes(peer_pair& pair) {
  auto channel = pair.first.create_data_channel("held back");
  auto remote = co_await pair.second.data_channels().async_next();
  REQUIRE(remote.has_value());
  co_await channel.async_open();
  send_outcomes seen;
  asio::co_spawn(co_await asio::this_coro::executor, send_until_it_fails(channel, seen),
                 [](std::exception_ptr thrown) { CHECK_FALSE(thrown); });
  co_await until_held_back(seen.sent);
  const std::uint64_t held_back_at = seen.sent;
  co_await remote->async_close();
  auto states = channel.states();
  while (channel.state() != data_channel_state::closed) co_await states.async_next();
  asio::steady_timer turn(co_await asio::this_coro::executor);
  while (!seen.failure) {
    turn.expires_after(1ms);
    co_await turn.async_wait(asio::deferred);
  }
  CHECK(seen.sent == held_back_at);
  CHECK(*seen.failure == errc::remote_closed);
  co_await close_both(pair.first, pair.second);
}

asio::awaitable<void> keep_the_newest(peer_pair& pair) {
  constexpr std::uint64_t count = 1000;
  constexpr std::size_t size = 1000;
  data_channel_init lossy;
  lossy.max_packet_life_time = 5s;
  auto fresh = pair.first.create_data_channel("positions", lossy);
  auto control = pair.first.create_data_channel("control");
  auto incoming = pair.second.data_channels();
  auto remote_fresh = co_await incoming.async_next();
  auto remote_control = co_await incoming.async_next();
  REQUIRE(remote_fresh.has_value());
  REQUIRE(remote_control.has_value());
  if (remote_fresh->label() != "positions") std::swap(*remote_fresh, *remote_control);
  CHECK_THROWS_AS(remote_control->set_max_unread(1), error);
  remote_fresh->set_max_unread(10 * size);
  co_await fresh.async_open();
  // Far more than the reader's budget: were nothing dropped, the flush would never complete.
  for (std::uint64_t number = 0; number < count; ++number) {
    auto bytes = numbered(number, size);
    co_await fresh.async_send(std::move(bytes));
  }
  co_await fresh.async_flush();
  co_await control.async_send("done");
  auto done = co_await remote_control->async_receive();
  REQUIRE(done.has_value());
  std::vector<std::uint64_t> kept;
  while (auto unread = remote_fresh->try_receive()) kept.push_back(number_of(*unread));
  REQUIRE(kept.size() == 10);
  CHECK(kept.front() == count - 10);
  CHECK(kept.back() == count - 1);
  CHECK(remote_fresh->messages_dropped() == count - 10);
  co_await close_both(pair.first, pair.second);
}

asio::awaitable<void> close_beside_a_stalled_reader(peer_pair& pair) {
  auto stalled = pair.first.create_data_channel("stalled");
  auto other = pair.first.create_data_channel("other");
  auto incoming = pair.second.data_channels();
  auto remote_stalled = co_await incoming.async_next();
  auto remote_other = co_await incoming.async_next();
  REQUIRE(remote_stalled.has_value());
  REQUIRE(remote_other.has_value());
  if (remote_stalled->label() != "stalled") std::swap(*remote_stalled, *remote_other);
  co_await stalled.async_open();
  co_await other.async_open();
  // Half of the budget: the rest of the connection does not notice.
  for (std::uint64_t number = 0; number < 64; ++number) {
    auto bytes = numbered(number, message_size);
    co_await stalled.async_send(std::move(bytes));
  }
  co_await stalled.async_flush();
  co_await other.async_close();
  auto end = co_await remote_other->async_receive();
  CHECK_FALSE(end.has_value());

  // All of it: messages wait, until the reader closes and with that throws away what it has not
  // read. Channels close meanwhile, from either side.
  auto late = pair.second.create_data_channel("late");
  auto late_remote = co_await pair.first.data_channels().async_next();
  REQUIRE(late_remote.has_value());
  co_await late.async_open();
  auto ours = pair.first.create_data_channel("closed by the sender");
  auto ours_remote = co_await incoming.async_next();
  REQUIRE(ours_remote.has_value());
  auto theirs = pair.first.create_data_channel("closed by the reader");
  auto theirs_remote = co_await incoming.async_next();
  REQUIRE(theirs_remote.has_value());
  co_await theirs.async_open();
  std::uint64_t sent = 64;
  asio::co_spawn(co_await asio::this_coro::executor, send_all(stalled, sent),
                 [](std::exception_ptr thrown) { CHECK(thrown); });
  co_await until_held_back(sent);
  co_await ours.async_close();
  co_await theirs_remote->async_close();
  CHECK(remote_stalled->state() == data_channel_state::open);
  co_await remote_stalled->async_close();
  co_await late_remote->async_send("on");
  auto received = co_await late.async_receive();
  REQUIRE(received.has_value());
  co_await close_both(pair.first, pair.second);
}

/// Opens a channel, sends `bytes` and closes it, again and again. Ends when the connection does.
asio::awaitable<void> send_and_close(peer_connection& from, std::size_t bytes, int& closed) {
  for (;;) {
    auto channel = from.create_data_channel("one of many");
    for (std::size_t sent = 0; sent < bytes; sent += message_size) {
      std::vector<std::uint8_t> part(message_size);
      co_await channel.async_send(std::move(part));
    }
    co_await channel.async_close();
    ++closed;
  }
}

/// Until no more channels are closed for a while, or far too many are.
asio::awaitable<void> until_none_closes(const int& closed) {
  asio::steady_timer timer(co_await asio::this_coro::executor);
  for (int before = -1; before != closed && closed < 100;) {
    before = closed;
    timer.expires_after(500ms);
    co_await timer.async_wait(asio::deferred);
  }
}

std::size_t read_all(data_channel& channel) {
  std::size_t bytes = 0;
  while (auto received = channel.try_receive()) bytes += received->size();
  return bytes;
}

// Below the budget, so that each of them closes; together far above it.
asio::awaitable<void> close_without_being_read(peer_pair& pair, const configuration& config,
                                               bool accepts) {
  const auto executor = co_await asio::this_coro::executor;
  int closed = 0;
  asio::co_spawn(executor, send_and_close(pair.first, 3 * message_size, closed),
                 [](std::exception_ptr) {});
  std::vector<data_channel> accepted;
  auto incoming = pair.second.data_channels();
  if (accepts) {
    asio::co_spawn(
        executor,
        [&]() -> asio::awaitable<void> {
          while (auto next = co_await incoming.async_next()) accepted.push_back(std::move(*next));
        },
        [](std::exception_ptr) {});
  }
  co_await until_none_closes(closed);
  while (auto next = incoming.try_next()) accepted.push_back(std::move(*next));
  std::size_t unread = 0;
  for (auto& channel : accepted) unread += read_all(channel);
  CHECK(closed > 0);
  // What SCTP had read already when the budget was found spent comes to it.
  CHECK(unread <= config.receive_budget + (std::size_t{2} << 20));
  // They are read now, so the peer goes on.
  const int before = closed;
  asio::steady_timer turn(executor);
  while (closed < before + 3) {
    while (auto next = incoming.try_next()) accepted.push_back(std::move(*next));
    for (auto& channel : accepted) read_all(channel);
    turn.expires_after(1ms);
    co_await turn.async_wait(asio::deferred);
  }
  co_await close_both(pair.first, pair.second);
}

asio::awaitable<void> drop_what_closed_unread(peer_pair& pair) {
  int closed = 0;
  asio::co_spawn(co_await asio::this_coro::executor,
                 send_and_close(pair.first, 3 * message_size, closed), [](std::exception_ptr) {});
  // Each handle is dropped as soon as it is there, mostly with its messages.
  auto incoming = pair.second.data_channels();
  while (closed < 50) {
    auto dropped = co_await incoming.async_next();
    REQUIRE(dropped.has_value());
    auto states = dropped->states();
    while (dropped->state() != data_channel_state::closed) co_await states.async_next();
  }
  co_await close_both(pair.first, pair.second);
}

asio::awaitable<data_channel> next_with_a_message(peer_pair& pair) {
  auto next = co_await pair.second.data_channels().async_next();
  REQUIRE(next.has_value());
  co_await next->messages().async_wait();
  co_return std::move(*next);
}

asio::awaitable<void> close_with_unread(peer_pair& pair) {
  auto first = pair.first.create_data_channel("closed by the sender");
  co_await first.async_send("unread");
  auto closed_there = co_await next_with_a_message(pair);
  auto second = pair.first.create_data_channel("closed by the reader");
  co_await second.async_send("unread");
  auto closed_here = co_await next_with_a_message(pair);
  auto third = pair.first.create_data_channel("closed with all");
  co_await third.async_send("unread");
  auto left_open = co_await next_with_a_message(pair);

  co_await first.async_close();
  auto states = closed_there.states();
  while (closed_there.state() != data_channel_state::closed) co_await states.async_next();
  CHECK(closed_there.try_receive().has_value());

  co_await closed_here.async_close();
  CHECK_FALSE(closed_here.try_receive().has_value());

  co_await pair.second.async_close();
  CHECK(left_open.messages().ended());
  CHECK_FALSE(left_open.try_receive().has_value());
  co_await pair.first.async_close();
}

}  // namespace

TEST_CASE(
    "closing a channel or its connection discards what is unread, the peer's close does not") {
  asio::io_context context;
  peer_pair pair(context.get_executor());
  run(context, close_with_unread(pair));
}

TEST_CASE("channels that close unread count against the budget, accepted or not") {
  configuration config;
  config.receive_budget = std::size_t{1} << 20;
  for (const bool accepts : {true, false}) {
    CAPTURE(accepts);
    asio::io_context context;
    peer_pair pair(context.get_executor(), config);
    run(context, close_without_being_read(pair, config, accepts));
  }
}

TEST_CASE("dropping a channel that closed unread gives its budget back") {
  configuration config;
  config.receive_budget = std::size_t{1} << 20;
  asio::io_context context;
  peer_pair pair(context.get_executor(), config);
  run(context, drop_what_closed_unread(pair));
}

TEST_CASE("a reader that stops holds the sender back within its budget, and loses nothing") {
  asio::io_context context;
  peer_pair pair(context.get_executor());
  run(context, stall_and_resume(pair));
}

TEST_CASE("a send that waits while the peer closes tells that its message was thrown away") {
  asio::io_context context;
  configuration config;
  config.receive_budget = 262144;
  config.send_high_water = 65536;
  peer_pair pair(context.get_executor(), config);
  run(context, wait_while_the_peer_closes(pair));
}

TEST_CASE("an unreliable channel keeps its newest messages alone, and holds nobody back") {
  asio::io_context context;
  configuration config;
  config.max_message_size = 16384;
  config.receive_budget = 65536;
  peer_pair pair(context.get_executor(), config);
  run(context, keep_the_newest(pair));
}

TEST_CASE("a channel closes while the reader of another is stalled, and so does the stalled one") {
  asio::io_context context;
  peer_pair pair(context.get_executor());
  run(context, close_beside_a_stalled_reader(pair));
}

}  // namespace asiortc::test

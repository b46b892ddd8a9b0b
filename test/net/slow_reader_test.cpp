// Readers that stop, or are slower than what comes: memory stays bounded, and nothing reliable is
// lost.
#include "net/peer_pair.hpp"
#include "support/process_counts.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <cstring>
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

  // All of it: everybody waits, until the reader closes and with that throws away what it has not
  // read.
  auto late = pair.second.create_data_channel("late");
  auto late_remote = co_await pair.first.data_channels().async_next();
  REQUIRE(late_remote.has_value());
  co_await late.async_open();
  std::uint64_t sent = 64;
  asio::co_spawn(co_await asio::this_coro::executor, send_all(stalled, sent),
                 [](std::exception_ptr thrown) { CHECK(thrown); });
  co_await until_held_back(sent);
  co_await remote_stalled->async_close();
  co_await late_remote->async_send("on");
  auto received = co_await late.async_receive();
  REQUIRE(received.has_value());
  co_await close_both(pair.first, pair.second);
}

}  // namespace

TEST_CASE("a reader that stops holds the sender back within its budget, and loses nothing") {
  asio::io_context context;
  peer_pair pair(context.get_executor());
  run(context, stall_and_resume(pair));
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

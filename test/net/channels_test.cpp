// Promises of the data channels between two real peers, many at once and one after another.
#include "net/peer_pair.hpp"
#include "support/process_counts.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <doctest/doctest.h>

#include <chrono>
#include <deque>
#include <set>
#include <string>
#include <vector>

namespace asiortc::test {
namespace {

using namespace std::chrono_literals;

constexpr int channels_in_turn = under_sanitizer ? 500 : 10000;

asio::awaitable<void> open_and_close_in_turn(peer_pair& pair) {
  auto incoming = pair.second.data_channels();
  std::set<std::uint16_t> ids;
  std::size_t memory = 0;
  for (int number = 0; number < channels_in_turn; ++number) {
    auto channel = pair.first.create_data_channel(std::to_string(number));
    auto remote = co_await incoming.async_next();
    REQUIRE(remote.has_value());
    REQUIRE(remote->label() == channel.label());
    co_await channel.async_open();
    REQUIRE(channel.id() == remote->id());
    ids.insert(*channel.id());
    if (number % 2 == 0) {
      co_await channel.async_close();
    } else {
      co_await remote->async_close();
    }
    auto end = co_await (number % 2 == 0 ? *remote : channel).async_receive();
    REQUIRE_FALSE(end.has_value());
    if (number == channels_in_turn / 10) memory = resident_bytes();
  }
  // Both resets of one are awaited while the next begins.
  CHECK(ids.size() < 8);
  if (!under_sanitizer) CHECK(resident_bytes() < memory + (std::size_t{8} << 20));
  co_await close_both(pair.first, pair.second);
}

asio::awaitable<void> hold_a_thousand(peer_pair& pair) {
  constexpr std::size_t count = 1000;
  std::deque<data_channel> own;
  std::deque<data_channel> others;
  auto incoming = pair.second.data_channels();
  for (std::size_t i = 0; i < count; ++i) {
    own.push_back(pair.first.create_data_channel("thousand " + std::to_string(i)));
  }
  std::set<std::uint16_t> ids;
  for (std::size_t i = 0; i < count; ++i) {
    auto remote = co_await incoming.async_next();
    REQUIRE(remote.has_value());
    ids.insert(*remote->id());
    others.push_back(std::move(*remote));
  }
  CHECK(ids.size() == count);
  for (auto& channel : own) {
    co_await channel.async_open();
    co_await channel.async_send(channel.label());
  }
  for (auto& channel : others) {
    auto received = co_await channel.async_receive();
    REQUIRE(received.has_value());
    CHECK(received->text() == channel.label());
  }
  // All closed in one turn, and all the way.
  for (auto& channel : own) channel.close();
  for (auto& channel : others) {
    auto end = co_await channel.async_receive();
    CHECK_FALSE(end.has_value());
  }
  for (auto& channel : own) {
    auto states = channel.states();
    while (channel.state() != data_channel_state::closed) co_await states.async_next();
  }
  auto again = pair.first.create_data_channel("again");
  co_await again.async_open();
  CHECK(ids.contains(*again.id()));
  co_await close_both(pair.first, pair.second);
}

asio::awaitable<void> send_without_end(data_channel& channel, const bool& stop) {
  while (!stop) {
    std::vector<std::uint8_t> bytes(65536);
    co_await channel.async_send(std::move(bytes));
  }
}

asio::awaitable<void> read_without_end(data_channel channel) {
  while (auto received = co_await channel.async_receive()) {
  }
}

asio::awaitable<void> flush_beside_a_flood(peer_pair& pair) {
  const auto executor = co_await asio::this_coro::executor;
  auto flood = pair.first.create_data_channel("flood");
  auto quiet = pair.first.create_data_channel("quiet");
  auto incoming = pair.second.data_channels();
  for (int i = 0; i < 2; ++i) {
    auto remote = co_await incoming.async_next();
    REQUIRE(remote.has_value());
    asio::co_spawn(executor, read_without_end(std::move(*remote)), [](std::exception_ptr) {});
  }
  co_await flood.async_open();
  co_await quiet.async_open();
  bool stop = false;
  bool stopped = false;
  asio::co_spawn(executor, send_without_end(flood, stop),
                 [&](std::exception_ptr) { stopped = true; });
  for (int i = 0; i < 20; ++i) {
    co_await quiet.async_send("are you there");
    co_await quiet.async_flush();
    CHECK(quiet.buffered_amount() == 0);
    CHECK(flood.buffered_amount() > 0);
  }
  stop = true;
  co_await flood.async_flush();
  CHECK(stopped);
  co_await close_both(pair.first, pair.second);
}

asio::awaitable<void> low_threshold(peer_pair& pair) {
  const auto executor = co_await asio::this_coro::executor;
  auto channel = pair.first.create_data_channel("low");
  auto remote = co_await pair.second.data_channels().async_next();
  REQUIRE(remote.has_value());
  asio::co_spawn(executor, read_without_end(std::move(*remote)), [](std::exception_ptr) {});
  co_await channel.async_open();
  CHECK(channel.buffered_amount_low_threshold() == 0);
  channel.set_buffered_amount_low_threshold(1000);
  CHECK(channel.buffered_amount_low_threshold() == 1000);
  auto low = channel.buffered_amount_low();
  co_await channel.async_send(std::string(500, 'x'));
  co_await channel.async_flush();
  CHECK_FALSE(low.try_next());  // it never was above
  co_await channel.async_send(std::string(100000, 'x'));
  CHECK(channel.buffered_amount() > 1000);
  auto event = co_await low.async_next();
  CHECK(event.has_value());
  CHECK(channel.buffered_amount() <= 1000);
  co_await channel.async_flush();
  CHECK_FALSE(low.try_next());  // once a crossing
  co_await close_both(pair.first, pair.second);
}

asio::awaitable<void> drop_the_handle(peer_pair& pair) {
  auto incoming = pair.second.data_channels();
  {
    auto channel = pair.first.create_data_channel("dropped");
    co_await channel.async_send("first");
    co_await channel.async_send("last");
  }
  auto remote = co_await incoming.async_next();
  REQUIRE(remote.has_value());
  for (const std::string expected : {"first", "last"}) {
    auto received = co_await remote->async_receive();
    REQUIRE(received.has_value());
    CHECK(received->text() == expected);
  }
  auto end = co_await remote->async_receive();
  CHECK_FALSE(end.has_value());
  co_await close_both(pair.first, pair.second);
}

asio::awaitable<void> open_in_a_burst(peer_pair& pair) {
  constexpr std::size_t count = under_sanitizer ? 2000 : 5000;
  auto first = pair.first.create_data_channel("first");
  auto incoming = pair.second.data_channels();
  auto first_remote = co_await incoming.async_next();
  REQUIRE(first_remote.has_value());
  co_await first.async_open();
  std::deque<data_channel> own;
  for (std::size_t i = 0; i < count; ++i) {
    own.push_back(pair.first.create_data_channel(std::to_string(i)));
  }
  std::deque<data_channel> others;
  for (std::size_t i = 0; i < count; ++i) {
    auto remote = co_await incoming.async_next();
    REQUIRE(remote.has_value());
    others.push_back(std::move(*remote));
  }
  co_await own.back().async_send("last");
  for (auto& channel : others) {
    if (channel.label() != own.back().label()) continue;
    auto received = co_await channel.async_receive();
    CHECK(received.has_value());
  }
  for (const auto& channel : own) REQUIRE(channel.state() == data_channel_state::open);
  co_await close_both(pair.first, pair.second);
}

asio::awaitable<void> open_beyond_max_message_size(peer_pair& pair) {
  data_channel_init init;
  init.protocol = std::string(65535, 'p');
  auto channel = pair.first.create_data_channel(std::string(65535, 'l'), init);
  auto remote = co_await pair.second.data_channels().async_next();
  REQUIRE(remote.has_value());
  CHECK(remote->label() == channel.label());
  CHECK(remote->init().protocol == init.protocol);
  co_await channel.async_open();
  co_await channel.async_send(std::string(16384, 'x'));
  auto received = co_await remote->async_receive();
  CHECK(received.has_value());
  co_await close_both(pair.first, pair.second);
}

asio::awaitable<void> open_beyond_max_channels(peer_pair& pair) {
  std::vector<data_channel> ours;
  for (int number = 0; number < 5; ++number) {
    ours.push_back(pair.first.create_data_channel(std::to_string(number)));
  }
  std::vector<data_channel> theirs;
  auto incoming = pair.second.data_channels();
  for (int number = 0; number < 3; ++number) {
    auto arrived = co_await incoming.async_next();
    REQUIRE(arrived.has_value());
    theirs.push_back(std::move(*arrived));
  }
  for (const auto refused : {3U, 4U}) {
    auto end = co_await ours[refused].async_receive();
    CHECK_FALSE(end.has_value());
  }
  CHECK(ours[2].state() == data_channel_state::open);
  auto one_more = pair.second.create_data_channel("one more");
  boost::system::error_code code;
  co_await one_more.async_open(asio::redirect_error(asio::use_awaitable, code));
  CHECK(code == errc::operation_error);
  co_await close_both(pair.first, pair.second);
}

}  // namespace

TEST_CASE("channels opened and closed one after another use few ids again and no more memory") {
  asio::io_context context;
  peer_pair pair(context.get_executor());
  run(context, open_and_close_in_turn(pair));
}

TEST_CASE("a thousand channels are open at once, and all close in one turn") {
  asio::io_context context;
  peer_pair pair(context.get_executor());
  run(context, hold_a_thousand(pair));
}

TEST_CASE("five thousand channels opened in one turn all arrive while they are accepted") {
  asio::io_context context;
  peer_pair pair(context.get_executor());
  run(context, open_in_a_burst(pair));
}

TEST_CASE("a flush completes while another channel sends without end") {
  asio::io_context context;
  peer_pair pair(context.get_executor());
  run(context, flush_beside_a_flood(pair));
}

TEST_CASE("the low event comes when the buffered amount falls to the threshold, and only then") {
  asio::io_context context;
  peer_pair pair(context.get_executor());
  run(context, low_threshold(pair));
}

TEST_CASE("the longest label and protocol arrive whatever the peer's max-message-size is") {
  configuration small;
  small.max_message_size = 16384;
  asio::io_context context;
  peer_pair pair(context.get_executor(), configuration(), small);
  run(context, open_beyond_max_message_size(pair));
}

TEST_CASE("channels beyond max_channels are reset, and end where they were made") {
  configuration few;
  few.max_channels = 3;
  asio::io_context context;
  peer_pair pair(context.get_executor(), configuration(), few);
  run(context, open_beyond_max_channels(pair));
}

TEST_CASE("a dropped handle closes its channel after what was sent") {
  asio::io_context context;
  peer_pair pair(context.get_executor());
  run(context, drop_the_handle(pair));
}

}  // namespace asiortc::test

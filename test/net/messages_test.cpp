// Messages of every kind and size between two real peers.
#include "net/peer_pair.hpp"
#include "support/process_counts.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <doctest/doctest.h>

#include <exception>
#include <string>
#include <thread>
#include <vector>

namespace asiortc::test {
namespace {

std::vector<std::uint8_t> pattern(std::size_t size) {
  std::vector<std::uint8_t> bytes(size);
  for (std::size_t index = 0; index < size; ++index) {
    bytes[index] = static_cast<std::uint8_t>(index * 31 + index / 256);
  }
  return bytes;
}

asio::awaitable<void> echo_on(data_channel channel) {
  for (;;) {
    auto received = co_await channel.async_receive();
    if (!received) break;
    message copy = *received;
    co_await channel.async_send(std::move(copy));
  }
}

asio::awaitable<void> echo(peer_connection& peer) {
  auto streams = peer.data_channels();
  auto channel = co_await streams.async_next();
  co_await echo_on(std::move(*channel));
}

asio::awaitable<void> echo_each(peer_connection& peer) {
  auto streams = peer.data_channels();
  for (;;) {
    auto channel = co_await streams.async_next();
    if (!channel) break;
    asio::co_spawn(peer.get_executor(), echo_on(std::move(*channel)), asio::detached);
  }
}

asio::awaitable<void> send_and_expect(data_channel& channel, message value) {
  message sent = value;
  co_await channel.async_send(std::move(sent));
  auto received = co_await channel.async_receive();
  REQUIRE(received.has_value());
  CHECK(*received == value);
}

asio::awaitable<void> exchange_all_kinds(peer_connection& first, peer_connection& second) {
  auto channel = first.create_data_channel("kinds");
  co_await channel.async_open();
  CHECK(channel.state() == data_channel_state::open);
  CHECK(channel.id().has_value());
  for (const std::size_t size : {0U, 1U, 1183U, 1184U, 1200U, 16384U, 65536U, 262144U}) {
    CAPTURE(size);
    message binary(pattern(size), false);
    co_await send_and_expect(channel, binary);
    message text(std::vector<std::uint8_t>(size, 'x'), true);
    co_await send_and_expect(channel, text);
  }
  std::vector<std::uint8_t> nul{'a', 0, 'b'};
  message with_nul(nul, true);
  co_await send_and_expect(channel, with_nul);
  CHECK(first.connection_state() == connection_state::connected);
  CHECK(first.last_error_detail().empty());
  CHECK(first.selected_candidate_pair().has_value());
  co_await close_both(first, second);
}

asio::awaitable<void> refuse_bad_messages(peer_connection& first, peer_connection& second) {
  auto channel = first.create_data_channel("refusals");
  co_await channel.async_open();
  const auto token = asio::as_tuple(asio::use_awaitable);
  std::vector<std::uint8_t> large(262145);
  auto [too_large] = co_await channel.async_send(std::move(large), token);
  CHECK(too_large == errc::message_too_large);
  CHECK(first.last_error_detail() ==
        "async_send: the message has 262145 bytes, the peer takes at most 262144");
  std::string invalid("\xff\xfe");
  auto [not_text] = co_await channel.async_send(std::move(invalid), token);
  CHECK(not_text == errc::type_error);
  CHECK(first.last_error_detail() == "async_send: the text is not UTF-8");
  co_await channel.async_close();
  std::string late("late");
  auto [closed] = co_await channel.async_send(std::move(late), token);
  CHECK(closed == errc::invalid_state);
  co_await close_both(first, second);
}

asio::awaitable<void> drop_a_read_channel(peer_connection& first, peer_connection& second) {
  auto kept = first.create_data_channel("kept");
  co_await kept.async_open();
  auto channel = first.create_data_channel("dropped");
  co_await channel.async_open();
  message told(pattern(10), false);
  co_await send_and_expect(channel, told);
  co_await channel.async_close();
  const std::weak_ptr<detail::channel_state> state = channel.native_handle();
  channel = data_channel();
  // By the end of a round trip all that was posted before has run.
  co_await kept.async_close();
  CHECK(state.expired());
  co_await close_both(first, second);
}

asio::awaitable<void> send_numbers(data_channel channel, int count) {
  for (int number = 0; number < count; ++number) {
    std::string text = std::to_string(number);
    co_await channel.async_send(std::move(text));
  }
}

/// Every receive races against a timer that is often due first.
asio::awaitable<void> race_for_numbers(peer_connection& first, peer_connection& second, int count) {
  using namespace asio::experimental::awaitable_operators;
  auto out = first.create_data_channel("numbers");
  auto arriving = second.data_channels();
  auto in = co_await arriving.async_next();
  REQUIRE(in.has_value());
  asio::co_spawn(first.get_executor(), send_numbers(std::move(out), count), asio::detached);
  asio::steady_timer timer(co_await asio::this_coro::executor);
  int lost_races = 0;
  for (int next = 0; next < count;) {
    timer.expires_after(std::chrono::microseconds((next + lost_races) % 3));
    auto winner =
        co_await (in->async_receive(asio::use_awaitable) || timer.async_wait(asio::use_awaitable));
    if (winner.index() == 0) {
      const auto& heard = std::get<0>(winner);
      REQUIRE(heard.has_value());
      CHECK(heard->text() == std::to_string(next));
      ++next;
    } else {
      ++lost_races;
    }
  }
  CHECK(lost_races > 0);
  co_await close_both(first, second);
}

}  // namespace

TEST_CASE("text, binary, empty and 256 KiB messages arrive as they were sent") {
  asio::io_context context;
  peer_pair peers(context.get_executor());
  asio::co_spawn(context, echo(peers.second), asio::detached);
  run(context, exchange_all_kinds(peers.first, peers.second));
}

TEST_CASE("messages that are too large, not UTF-8 or too late are refused by name") {
  asio::io_context context;
  peer_pair peers(context.get_executor());
  asio::co_spawn(context, echo(peers.second), asio::detached);
  run(context, refuse_bad_messages(peers.first, peers.second));
}

TEST_CASE("of a channel that was read, closed and dropped nothing is kept") {
  asio::io_context context;
  peer_pair peers(context.get_executor());
  asio::co_spawn(context, echo_each(peers.second), asio::detached);
  run(context, drop_a_read_channel(peers.first, peers.second));
}

TEST_CASE("no thread is started and every descriptor is gone after async_close") {
  asio::io_context context;
  // The context opens its own descriptors at the first timer or socket.
  warm_up(context);
  const std::size_t descriptors = open_descriptors();
  {
    peer_pair peers(context.get_executor());
    asio::co_spawn(context, echo(peers.second), asio::detached);
    CHECK(open_descriptors() == descriptors);
    run(context, exchange_all_kinds(peers.first, peers.second));
    CHECK(running_threads() == 1);
    CHECK(open_descriptors() == descriptors);
  }
  context.restart();
  context.run();  // returns, since nothing is pending
  CHECK(open_descriptors() == descriptors);
}

TEST_CASE("no message is lost where receives race against timers on strands of two threads") {
  asio::io_context context(2);
  const auto ends = make_signaling_pipe_pair(context.get_executor());
  peer_connection first(asio::any_io_executor(asio::make_strand(context)));
  peer_connection second(asio::any_io_executor(asio::make_strand(context)));
  const auto first_session = negotiate(first, ends.first);
  const auto second_session = negotiate(second, ends.second);
  std::exception_ptr failure;
  asio::co_spawn(asio::make_strand(context), race_for_numbers(first, second, 20000),
                 [&](std::exception_ptr thrown) {
                   failure = thrown;
                   if (thrown) context.stop();
                 });
  std::thread other([&context] { context.run(); });
  context.run();
  other.join();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace asiortc::test

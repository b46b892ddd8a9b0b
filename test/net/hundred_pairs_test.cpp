// A hundred pairs of peers in one process on one thread.
#include "net/peer_pair.hpp"
#include "support/process_counts.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <doctest/doctest.h>

#include <algorithm>
#include <deque>
#include <iostream>
#include <string>
#include <sys/resource.h>

namespace asiortc::test {
namespace {

constexpr std::size_t pairs = 100;
constexpr int messages_each_way = 20;

/// Raises the soft limit to what the machine allows, and says what it got.
void raise_descriptor_limit() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  getrlimit(RLIMIT_NOFILE, &limit);
  std::cout << "descriptors allowed: " << limit.rlim_cur << '\n';
}

asio::awaitable<void> echo(peer_connection& peer) {
  auto channels = peer.data_channels();
  auto channel = co_await channels.async_next();
  for (;;) {
    auto received = co_await channel->async_receive();
    if (!received) co_return;
    co_await channel->async_send(std::move(*received));
  }
}

asio::awaitable<void> exchange(peer_connection& peer, std::size_t number) {
  auto channel = peer.create_data_channel("pair " + std::to_string(number));
  co_await channel.async_open();
  for (int count = 0; count < messages_each_way; ++count) {
    std::string text = std::to_string(number) + ":" + std::to_string(count);
    std::string expected = text;
    co_await channel.async_send(std::move(text));
    auto received = co_await channel.async_receive();
    REQUIRE(received.has_value());
    CHECK(received->text() == expected);
  }
}

}  // namespace

TEST_CASE("a hundred pairs exchange messages on one thread and leave nothing behind") {
  raise_descriptor_limit();
  asio::io_context context;
  warm_up(context);
  const std::size_t descriptors = open_descriptors();

  std::deque<peer_pair> all;
  std::size_t done = 0;
  for (std::size_t number = 0; number < pairs; ++number) {
    auto& pair = all.emplace_back(context.get_executor());
    asio::co_spawn(context, echo(pair.second), [](std::exception_ptr) {});
    asio::co_spawn(context, exchange(pair.first, number), [&](std::exception_ptr thrown) {
      CHECK_FALSE(thrown);
      ++done;
    });
  }
  while (done < pairs && context.run_one() != 0) {
  }
  CHECK(done == pairs);
  CHECK(running_threads() == 1);

  std::size_t closed = 0;
  for (auto& pair : all) {
    for (auto* peer : {&pair.first, &pair.second}) {
      peer->async_close([&](boost::system::error_code code) {
        CHECK_FALSE(code);
        ++closed;
      });
    }
  }
  // It returns only when no timer, socket or operation of theirs is pending any more.
  context.restart();
  context.run();
  CHECK(closed == 2 * pairs);
  CHECK(open_descriptors() == descriptors);
  CHECK(running_threads() == 1);
}

}  // namespace asiortc::test

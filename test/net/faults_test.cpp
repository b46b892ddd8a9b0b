// The same script, with a fault after each number of handlers: nothing leaks, crashes or hangs.
#include "net/peer_pair.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <doctest/doctest.h>

#include <functional>
#include <memory>
#include <string>

namespace asiortc::test {
namespace {

/// After so many handlers the fault strikes; the steps grow, since the late handlers are alike.
std::size_t next_step(std::size_t step) { return step + 1 + step / 24; }

/// Where a side vanishes in the middle of a handshake only a timer can tell the other.
configuration short_timeouts() {
  configuration config;
  config.timeouts.ice_failed = std::chrono::milliseconds(1000);
  config.timeouts.no_candidates_grace = std::chrono::milliseconds(500);
  config.timeouts.disconnected = std::chrono::milliseconds(500);
  config.timeouts.consent = std::chrono::milliseconds(1500);
  config.timeouts.dtls_handshake = std::chrono::milliseconds(1500);
  config.timeouts.close_drain = std::chrono::milliseconds(1500);
  return config;
}

struct script {
  explicit script(asio::io_context& context) : peers(context.get_executor(), short_timeouts()) {}

  asio::awaitable<void> call() {
    auto channel = peers.first.create_data_channel("script");
    co_await channel.async_open();
    co_await channel.async_send("one");
    co_await channel.async_flush();
    auto reply = co_await channel.async_receive();
    co_await channel.async_close();
    co_await peers.first.async_close();
    finished = true;
  }

  asio::awaitable<void> answer() {
    auto channels = peers.second.data_channels();
    auto channel = co_await channels.async_next();
    while (channel) {
      auto received = co_await channel->async_receive();
      if (!received) break;
      co_await channel->async_send(std::move(*received));
    }
    co_await peers.second.async_close();
  }

  void spawn(asio::io_context& context, asio::cancellation_signal& stop) {
    asio::co_spawn(context, call(),
                   asio::bind_cancellation_slot(stop.slot(), [this](std::exception_ptr thrown) {
                     ended = true;
                     failed = thrown != nullptr;
                   }));
    asio::co_spawn(context, answer(), [](std::exception_ptr) {});
  }

  peer_pair peers;
  bool finished = false;
  bool ended = false;
  bool failed = false;
};

void run_handlers(asio::io_context& context, std::size_t count, const bool& stop) {
  for (std::size_t handled = 0; handled < count && !stop; ++handled) {
    if (context.run_one() == 0) return;
  }
}

/// Strikes after ever more handlers, until the script is through before the fault.
void strike_everywhere(const std::function<void(script&, asio::cancellation_signal&)>& fault) {
  for (std::size_t step = 0;; step = next_step(step)) {
    CAPTURE(step);
    asio::io_context context;
    asio::cancellation_signal stop;
    script running(context);
    running.spawn(context, stop);
    run_handlers(context, step, running.ended);
    if (running.ended) {
      CHECK(running.finished);
      return;
    }
    fault(running, stop);
    while (!running.ended && context.run_one() != 0) {
    }
    CHECK(running.ended);
    running.peers.first.close();
    running.peers.second.close();
    context.restart();
    context.run();  // returns: nothing is left pending
  }
}

}  // namespace

TEST_CASE("a connection closed at any point ends every operation") {
  strike_everywhere([](script& running, auto&) { running.peers.first.close(); });
}

TEST_CASE("a connection closed by the other side at any point ends every operation") {
  strike_everywhere([](script& running, auto&) { running.peers.second.close(); });
}

TEST_CASE("a coroutine cancelled at any point ends, and the connection can still be closed") {
  strike_everywhere([](script&, asio::cancellation_signal& stop) {
    stop.emit(asio::cancellation_type::terminal);
  });
}

TEST_CASE("a connection replaced at any point ends every operation of the old one") {
  strike_everywhere([](script& running, auto&) {
    running.peers.first = peer_connection(running.peers.first.get_executor());
    running.peers.first.close();  // nobody negotiates for the new one
  });
}

TEST_CASE("the context may be destroyed before its peers at any point") {
  for (std::size_t step = 0;; step = next_step(step)) {
    CAPTURE(step);
    asio::cancellation_signal stop;
    auto context = std::make_unique<asio::io_context>();
    auto running = std::make_unique<script>(*context);
    running->spawn(*context, stop);
    run_handlers(*context, step, running->ended);
    const bool through = running->ended;
    context.reset();
    CHECK(running->peers.first.connection_state() <= connection_state::closed);
    running.reset();
    if (through) return;
  }
}

}  // namespace asiortc::test

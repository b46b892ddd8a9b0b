// The same script, with a fault after each number of handlers, and so at each await point: nothing
// leaks, crashes or hangs.
#include "net/peer_pair.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <doctest/doctest.h>

#include <functional>
#include <memory>
#include <set>
#include <string>

namespace asiortc::test {
namespace {

/// The await points of the script's two sides, in their order.
enum class call_point { not_started, opening, sending, flushing, receiving, closing, ending, over };
enum class answer_point { not_started, accepting, receiving, sending, ending, over };

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
    caller = call_point::opening;
    co_await channel.async_open();
    caller = call_point::sending;
    co_await channel.async_send("one");
    caller = call_point::flushing;
    co_await channel.async_flush();
    caller = call_point::receiving;
    auto reply = co_await channel.async_receive();
    caller = call_point::closing;
    co_await channel.async_close();
    caller = call_point::ending;
    co_await peers.first.async_close();
    caller = call_point::over;
    finished = true;
  }

  asio::awaitable<void> answer() {
    auto channels = peers.second.data_channels();
    answerer = answer_point::accepting;
    auto channel = co_await channels.async_next();
    while (channel) {
      answerer = answer_point::receiving;
      auto received = co_await channel->async_receive();
      if (!received) break;
      answerer = answer_point::sending;
      co_await channel->async_send(std::move(*received));
    }
    answerer = answer_point::ending;
    co_await peers.second.async_close();
  }

  void spawn(asio::io_context& context, asio::cancellation_signal& stop) {
    asio::co_spawn(context, call(),
                   asio::bind_cancellation_slot(stop.slot(), [this](std::exception_ptr thrown) {
                     ended = true;
                     failed = thrown != nullptr;
                   }));
    asio::co_spawn(context, answer(),
                   [this](std::exception_ptr) { answerer = answer_point::over; });
  }

  peer_pair peers;
  call_point caller = call_point::not_started;
  answer_point answerer = answer_point::not_started;
  bool finished = false;
  bool ended = false;
  bool failed = false;
};

void run_handlers(asio::io_context& context, std::size_t count, const bool& stop) {
  for (std::size_t handled = 0; handled < count && !stop; ++handled) {
    if (context.run_one() == 0) return;
  }
}

/// Which await points a fault has met.
class points_struck {
 public:
  void note(const script& running) {
    callers_.insert(running.caller);
    answerers_.insert(running.answerer);
  }
  /// A send completes as soon as there is room, so that nothing may come between.
  void check() const {
    using enum call_point;
    for (const auto point : {opening, flushing, receiving, closing, ending}) {
      CAPTURE(static_cast<int>(point));
      CHECK(callers_.contains(point));
    }
    for (const auto point : {answer_point::accepting, answer_point::receiving}) {
      CAPTURE(static_cast<int>(point));
      CHECK(answerers_.contains(point));
    }
  }

 private:
  std::set<call_point> callers_;
  std::set<answer_point> answerers_;
};

/// Strikes after each number of handlers, until the script is through before the fault.
void strike_everywhere(const std::function<void(script&, asio::cancellation_signal&)>& fault) {
  points_struck struck;
  for (std::size_t step = 0;; ++step) {
    CAPTURE(step);
    asio::io_context context;
    asio::cancellation_signal stop;
    script running(context);
    running.spawn(context, stop);
    run_handlers(context, step, running.ended);
    if (running.ended) {
      CHECK(running.finished);
      return struck.check();
    }
    struck.note(running);
    fault(running, stop);
    while (!running.ended && context.run_one() != 0) {
    }
    CHECK(running.ended);
    running.peers.first.close();
    running.peers.second.close();
    context.restart();
    context.run();  // returns: nothing is left pending
    CHECK(running.answerer == answer_point::over);
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
  points_struck struck;
  for (std::size_t step = 0;; ++step) {
    CAPTURE(step);
    asio::cancellation_signal stop;
    auto context = std::make_unique<asio::io_context>();
    auto running = std::make_unique<script>(*context);
    running->spawn(*context, stop);
    run_handlers(*context, step, running->ended);
    const bool through = running->ended;
    if (!through) struck.note(*running);
    const auto was = running->peers.first.connection_state();
    context.reset();
    CHECK(running->ended == through);  // handlers are dropped, not called
    CHECK(running->peers.first.connection_state() == was);
    running.reset();
    if (through) return struck.check();
  }
}

}  // namespace asiortc::test

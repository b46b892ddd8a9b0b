// Event streams: order, ends, one waiter, and nothing lost under cancellation.
#include <asiortc/detail/event_queue_impl.hpp>
#include <asiortc/error.hpp>
#include <asiortc/event_stream.hpp>
#include <asiortc/state_change.hpp>
#include <asiortc/states.hpp>

#include <boost/asio.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <doctest/doctest.h>

#include <thread>
#include <vector>

template class asiortc::detail::event_queue<int>;

namespace asiortc::test {
namespace {

namespace asio = boost::asio;
using queue = detail::event_queue<int>;

std::shared_ptr<queue> make_queue(asio::io_context& context, std::size_t limit = queue::unlimited) {
  return std::make_shared<queue>(context.get_executor(), limit);
}

asio::awaitable<void> read_all(event_stream<int> stream, std::vector<int>& out) {
  for (;;) {
    auto value = co_await stream.async_next();
    if (!value) break;
    out.push_back(*value);
  }
}

/// Every wait races against a timer that is mostly due first.
asio::awaitable<void> race(event_stream<int> stream, int expected, int& next) {
  using namespace asio::experimental::awaitable_operators;
  asio::steady_timer timer(co_await asio::this_coro::executor);
  while (next < expected) {
    timer.expires_after(std::chrono::microseconds(next % 3));
    auto winner =
        co_await (stream.async_next(asio::use_awaitable) || timer.async_wait(asio::use_awaitable));
    if (winner.index() != 0) continue;
    CHECK(std::get<0>(winner) == next);
    ++next;
  }
}

}  // namespace

TEST_CASE("a stream keeps what came before the first reader, in order, and then ends") {
  asio::io_context context;
  const auto events = make_queue(context);
  events->push(1);
  events->push(2);
  events->end({});
  CHECK_FALSE(events->push(3));
  std::vector<int> seen;
  asio::co_spawn(context, read_all(event_stream<int>(events), seen), asio::detached);
  context.run();
  CHECK(seen == std::vector{1, 2});
  CHECK(events->ended());
}

TEST_CASE("a stream ends with its reason after what is queued, and only the first end counts") {
  asio::io_context context;
  const auto events = make_queue(context);
  events->push(1);
  events->end(errc::remote_closed);
  events->end(errc::closed);
  std::vector<boost::system::error_code> codes;
  std::vector<std::optional<int>> values;
  const auto note = [&](boost::system::error_code code, std::optional<int> value) {
    codes.push_back(code);
    values.push_back(value);
  };
  for (int round = 0; round < 3; ++round) {
    events->async_pop(note);
    context.run();
    context.restart();
  }
  CHECK(values == std::vector<std::optional<int>>{1, std::nullopt, std::nullopt});
  CHECK_FALSE(codes[0]);
  CHECK(codes[1] == errc::remote_closed);
  CHECK(codes[2] == errc::remote_closed);
}

TEST_CASE("a second waiter gets in_use and the first its value") {
  asio::io_context context;
  const auto events = make_queue(context);
  std::optional<int> first;
  boost::system::error_code second;
  events->async_pop([&](auto, std::optional<int> value) { first = value; });
  events->async_pop([&](boost::system::error_code code, auto) { second = code; });
  context.poll();
  CHECK(second == errc::in_use);
  events->push(7);
  context.run();
  CHECK(first == 7);
}

TEST_CASE("a wait for readiness takes nothing, and is over at a value and at the end") {
  asio::io_context context;
  const auto events = make_queue(context);
  const event_stream<int> stream(events);
  int ready = 0;
  const auto count = [&ready](boost::system::error_code code) {
    CHECK_FALSE(code);
    ++ready;
  };
  stream.async_wait(count);
  context.poll();
  CHECK(ready == 0);
  events->push(1);
  context.poll();
  CHECK(ready == 1);
  stream.async_wait(count);
  context.restart();
  context.poll();
  CHECK(ready == 2);
  CHECK(stream.try_next() == 1);
  CHECK_FALSE(stream.try_next());
  stream.async_wait(count);
  events->end(errc::remote_closed);
  context.restart();
  context.run();
  CHECK(ready == 3);
  CHECK(stream.ended());
}

TEST_CASE(
    "a wait for readiness is the one waiter, outlives who takes its value, and is cancelled") {
  asio::io_context context;
  const auto events = make_queue(context);
  const event_stream<int> stream(events);
  std::vector<boost::system::error_code> codes;
  const auto note = [&](boost::system::error_code code, auto...) { codes.push_back(code); };
  asio::cancellation_signal signal;
  stream.async_wait(asio::bind_cancellation_slot(signal.slot(), note));
  stream.async_next(note);
  stream.async_wait(note);
  context.poll();
  REQUIRE(codes.size() == 2);
  CHECK(codes[0] == errc::in_use);
  CHECK(codes[1] == errc::in_use);
  events->push(1);
  CHECK(stream.try_next() == 1);  // before the waiter has looked
  context.restart();
  context.poll();
  CHECK(codes.size() == 2);
  signal.emit(asio::cancellation_type::terminal);
  context.restart();
  context.run();
  REQUIRE(codes.size() == 3);
  CHECK(codes[2] == asio::error::operation_aborted);
}

TEST_CASE("a full stream refuses, and a stream of states merges the oldest and counts them") {
  asio::io_context context;
  const auto events = make_queue(context, 2);
  CHECK(events->push(1));
  CHECK(events->push(2));
  CHECK_FALSE(events->push(3));

  using change = state_change<data_channel_state>;
  const auto states = std::make_shared<detail::event_queue<change>>(context.get_executor(), 2);
  for (int count = 0; count < 5; ++count) {
    states->push(change(static_cast<data_channel_state>(count % 4), {}));
  }
  const auto oldest = states->try_pop();
  const auto newest = states->try_pop();
  REQUIRE(oldest);
  REQUIRE(newest);
  CHECK(oldest->state == data_channel_state::closed);
  CHECK(oldest->merged == 3);
  CHECK(newest->state == data_channel_state::connecting);
  CHECK(newest->merged == 0);
}

TEST_CASE("a cancelled wait consumes nothing") {
  asio::io_context context;
  const auto events = make_queue(context);
  asio::cancellation_signal stop;
  boost::system::error_code code;
  events->async_pop(asio::bind_cancellation_slot(
      stop.slot(), [&](boost::system::error_code result, std::optional<int> value) {
        code = result;
        CHECK_FALSE(value);
      }));
  events->push(1);  // the delivery is posted already
  stop.emit(asio::cancellation_type::terminal);
  context.run();
  CHECK(code == asio::error::operation_aborted);
  CHECK(events->try_pop() == 1);
}

TEST_CASE("nothing is lost in 100,000 races on strands of a two-thread context") {
  constexpr int count = 100000;
  asio::io_context context(2);
  const auto events = make_queue(context);
  int next = 0;
  asio::co_spawn(asio::make_strand(context), race(event_stream<int>(events), count, next),
                 asio::detached);
  std::thread producer([&] {
    for (int value = 0; value < count; ++value) {
      events->push(value);
      if (value % 64 == 0) std::this_thread::yield();
    }
  });
  std::thread second([&] { context.run(); });
  context.run();
  second.join();
  producer.join();
  CHECK(next == count);
}

TEST_CASE("a stream works from callbacks, futures and tuples") {
  asio::io_context context;
  const auto events = make_queue(context);
  const event_stream<int> stream(events);
  events->push(1);
  events->push(2);
  auto future = stream.async_next(asio::use_future);
  context.run();
  CHECK(future.get() == 1);
  context.restart();
  asio::co_spawn(
      context,
      [stream]() -> asio::awaitable<void> {
        auto [code, value] = co_await stream.async_next(asio::as_tuple(asio::use_awaitable));
        CHECK_FALSE(code);
        CHECK(value == 2);
      },
      asio::detached);
  context.run();
}

TEST_CASE("a parked wait holds run(), and the context may be destroyed under it") {
  auto context = std::make_unique<asio::io_context>();
  const auto events = make_queue(*context);
  bool called = false;
  const auto held = std::make_shared<int>(0);
  events->async_pop([&, held](auto, auto) { called = true; });
  CHECK(context->run_for(std::chrono::milliseconds(1)) == 0);
  CHECK_FALSE(context->stopped());
  CHECK(held.use_count() == 2);
  context.reset();
  CHECK_FALSE(called);
  CHECK(held.use_count() == 1);
  events->async_pop([](auto, auto) {});  // inert now
}

}  // namespace asiortc::test

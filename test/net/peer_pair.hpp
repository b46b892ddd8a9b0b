// Two peer connections in one program, joined by a signaling pipe in memory.
#pragma once

#include <asiortc/asiortc.hpp>

#include <boost/asio.hpp>

#include <chrono>
#include <exception>
#include <optional>
#include <utility>

namespace asiortc::test {

namespace asio = boost::asio;

struct peer_pair {
  explicit peer_pair(asio::any_io_executor executor, configuration config = configuration())
      : peer_pair(executor, config, config) {}
  peer_pair(asio::any_io_executor executor, const configuration& of_first,
            const configuration& of_second)
      : peer_pair(executor, make_signaling_pipe_pair(executor), of_first, of_second) {}

  peer_connection first;
  peer_connection second;
  negotiation first_session;
  negotiation second_session;

 private:
  using pipes = std::pair<std::shared_ptr<signaling_pipe>, std::shared_ptr<signaling_pipe>>;

  peer_pair(const asio::any_io_executor& executor, const pipes& ends, const configuration& of_first,
            const configuration& of_second)
      : first(executor, of_first),
        second(executor, of_second),
        first_session(negotiate(first, ends.first)),
        second_session(negotiate(second, ends.second)) {}
};

/// Runs a coroutine on the context to its end and gives its exception on; a test that hangs is
/// ended by the test runner.
inline void run(asio::io_context& context, asio::awaitable<void> body) {
  std::exception_ptr failure;
  bool done = false;
  asio::co_spawn(context, std::move(body), [&](std::exception_ptr thrown) {
    failure = thrown;
    done = true;
  });
  context.restart();
  while (!done && context.run_one() != 0) {
  }
  if (failure) std::rethrow_exception(failure);
  if (!done) throw std::logic_error("the context ran out of work before the test was done");
}

inline asio::awaitable<void> close_both(peer_connection& first, peer_connection& second) {
  co_await first.async_close();
  co_await second.async_close();
}

}  // namespace asiortc::test

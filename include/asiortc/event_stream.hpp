// Awaitable event streams.
#pragma once

#include <asiortc/config.hpp>
#include <asiortc/detail/event_queue.hpp>

#include <boost/asio/async_result.hpp>
#include <boost/asio/deferred.hpp>

#include <memory>
#include <optional>
#include <utility>

namespace asiortc::inline ASIORTC_ABI {

/// A pulled stream of events. It queues from the creation of its source, so nothing is lost before
/// the first reader; it keeps order; it delivers what is queued before it ends; and it ends once,
/// with the reason. A stream is a cheap reference: copies share one queue and its one waiter.
///
/// Thread safety: every member may be called from any thread. A cancellation slot is not
/// thread-safe, so a coroutine that uses `||` on a multi-threaded context runs on a strand.
///
/// Lifetime: a stream may outlive its source; it then yields what is queued, and its end. One that
/// was moved from may only be destroyed and assigned to. When the execution context is destroyed, a
/// pending wait is dropped without a call of its handler, and so is one that begins after it.
template <class T>
class ASIORTC_EXPORT event_stream {
 public:
  using value_type = T;  ///< what the stream yields

  /// For the library itself: `queue` is not null.
  explicit event_stream(std::shared_ptr<detail::event_queue<T>> queue) : queue_(std::move(queue)) {}

  /// Waits for the next event.
  ///
  /// Completion signature: `void(error_code, std::optional<T>)`. A value comes without an error;
  /// no value means that the stream has ended, with the error that ended its source or none for a
  /// good end.
  ///
  /// Errors: `errc::in_use` when another wait is pending; `asio::error::operation_aborted` when
  /// cancelled (any type), and then nothing was consumed, so that it is safe under `a || b`.
  template <class Token = boost::asio::deferred_t>
  [[nodiscard]] auto async_next(Token&& token = Token()) const {
    return boost::asio::async_initiate<Token, void(boost::system::error_code, std::optional<T>)>(
        [](auto handler, std::shared_ptr<detail::event_queue<T>> queue) {
          queue->async_pop(std::move(handler));
        },
        token, queue_);
  }

  /// Waits until `try_next()` has an event or the stream has ended, and takes nothing. It is the
  /// stream's one waiter meanwhile; somebody else's `try_next()` may be faster, and it waits on.
  ///
  /// Completion signature: `void(error_code)`; without an error, whatever the stream ended with.
  ///
  /// Errors: `errc::in_use` when another wait is pending; `asio::error::operation_aborted` when
  /// cancelled (any type).
  template <class Token = boost::asio::deferred_t>
  [[nodiscard]] auto async_wait(Token&& token = Token()) const {
    return boost::asio::async_initiate<Token, void(boost::system::error_code)>(
        [](auto handler, std::shared_ptr<detail::event_queue<T>> queue) {
          queue->async_wait(std::move(handler));
        },
        token, queue_);
  }

  /// Takes an event if there is one; never waits and never fails, whoever waits beside it.
  [[nodiscard]] std::optional<T> try_next() const { return queue_->try_pop(); }

  /// Whether the end was reached: nothing is queued and nothing will come. Never fails.
  [[nodiscard]] bool ended() const { return queue_->ended(); }

 private:
  std::shared_ptr<detail::event_queue<T>> queue_;
};

}  // namespace asiortc::inline ASIORTC_ABI

// The queue behind an event stream: many producers, one waiter, nothing lost.
#pragma once

#include <asiortc/config.hpp>
#include <asiortc/detail/context_listener.hpp>

#include <boost/asio/any_completion_executor.hpp>
#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/system/error_code.hpp>

#include <cstddef>
#include <deque>
#include <functional>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>

namespace asiortc::inline ASIORTC_ABI::detail {

/// What is the same for every element type: the one waiter, and how it is woken on its own
/// executor.
class ASIORTC_EXPORT event_queue_base : public context_listener {
 public:
  /// Enters the queue with its context now rather than at the first wait, so that a wait that
  /// begins when the context is gone is dropped.
  void watch();
  /// What is queued is still delivered, then the reason; a second end changes nothing.
  void end(boost::system::error_code reason);
  /// While reserved, a wait is refused with `in_use`; values are then taken by `try_pop` alone.
  void reserve(bool reserved);
  /// Waits for a value, or the end, to be there and takes nothing; `in_use` and `operation_aborted`
  /// as of `async_pop`.
  void async_wait(boost::asio::any_completion_handler<void(boost::system::error_code)> handler);

  void on_context_shutdown() noexcept override;

 protected:
  /// A parked wait. It holds tracked work, so that `run()` does not return under it, on the queue's
  /// executor; the handler's own executor is held by whoever made the handler.
  struct waiter {
    waiter(const boost::asio::any_io_executor& executor,
           boost::asio::any_completion_executor of_handler);
    waiter(const waiter&) = delete;
    waiter& operator=(const waiter&) = delete;
    virtual ~waiter();
    virtual void refuse(boost::system::error_code code) = 0;

    boost::asio::any_io_executor work;
    boost::asio::any_completion_executor handler_executor;
    boost::asio::any_completion_executor handler_work;
    bool armed = false;  ///< a delivery is posted
    bool takes = true;   ///< a value, or only looks whether there is one
    bool cancelled = false;
  };

  explicit event_queue_base(boost::asio::any_io_executor executor);
  ~event_queue_base() override;

  /// Runs on the waiter's executor; looks whether it is still the one that waits.
  virtual void deliver(const std::shared_ptr<waiter>& waiting) = 0;
  /// Whether a wait would be over at once. The mutex is held.
  [[nodiscard]] virtual bool is_ready() const = 0;
  /// `deliver` for who takes nothing. The mutex is held; unlocks.
  void tell_ready(std::unique_lock<std::mutex>& lock, const std::shared_ptr<waiter>& waiting);

  /// Takes the waiter in, or has it refused where there is one. The mutex is held.
  void park(std::unique_lock<std::mutex>& lock, std::shared_ptr<waiter> waiting,
            boost::asio::cancellation_slot slot, bool ready);
  /// Has the waiter, if there is one, look for a value. Unlocks where it does.
  void arm(std::unique_lock<std::mutex>& lock);

  mutable std::mutex mutex_;
  boost::asio::any_io_executor executor_;
  std::shared_ptr<waiter> waiter_;
  boost::system::error_code reason_;
  bool ended_ = false;
  bool shut_down_ = false;

 private:
  struct looker;

  std::shared_ptr<event_queue_base> self();
  void cancel(const std::shared_ptr<waiter>& waiting);

  bool reserved_ = false;
};

/// Bodies are in `event_queue_impl.hpp`; each element type is instantiated in one source file.
///
/// A value is taken only on the waiter's own executor, right before its handler is called and
/// after a look at its cancelled flag, so that a cancelled wait consumes nothing. Thread-safe.
template <class T>
class ASIORTC_EXPORT event_queue final : public event_queue_base {
 public:
  using completion =
      boost::asio::any_completion_handler<void(boost::system::error_code, std::optional<T>)>;
  /// Told of each value that leaves the queue, after it left, on the taker's thread.
  using pop_hook = std::function<void(const T&)>;

  static constexpr std::size_t unlimited = std::numeric_limits<std::size_t>::max();

  explicit event_queue(boost::asio::any_io_executor executor, std::size_t limit = unlimited);
  ~event_queue() override;

  void set_pop_hook(pop_hook hook);

  /// False when the stream has ended or is full. A `T` that has `absorb(const T&)` is never
  /// refused: past the limit the oldest value is absorbed by the one after it.
  bool push(T value);
  /// Drops what is queued, so that the end comes next.
  void discard();

  std::optional<T> try_pop();
  /// Completes with a value; or with no value and the reason of the end (none for a good end);
  /// `in_use` when there is a waiter already; `operation_aborted` when cancelled.
  void async_pop(completion handler);

  [[nodiscard]] bool ended() const;
  [[nodiscard]] std::size_t size() const;

 private:
  struct popper;

  void deliver(const std::shared_ptr<waiter>& waiting) override;
  [[nodiscard]] bool is_ready() const override;

  std::deque<T> values_;
  std::size_t limit_;
  pop_hook hook_;
};

}  // namespace asiortc::inline ASIORTC_ABI::detail

// A pending operation: one handler, completed once, by whoever comes first.
#pragma once

#include <asiortc/detail/context_listener.hpp>

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/system/error_code.hpp>

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <tuple>
#include <utility>

namespace asiortc::inline ASIORTC_ABI::detail {

/// `Values` come after the error code in the handler's signature. Thread-safe. It holds tracked
/// work on both executors until the handler was posted.
template <class... Values>
class ASIORTC_EXPORT operation final : public context_listener {
 public:
  using handler_type =
      boost::asio::any_completion_handler<void(boost::system::error_code, Values...)>;

  static std::shared_ptr<operation> start(const boost::asio::any_io_executor& executor,
                                          handler_type handler) {
    auto made = std::make_shared<operation>(executor, std::move(handler));
    made->watch_context(executor);
    made->install_cancellation();
    return made;
  }

  operation(const boost::asio::any_io_executor& executor, handler_type handler)
      : executor_(executor) {
    pending_.emplace(executor, std::move(handler));
  }

  /// What a cancellation does instead of completing with `operation_aborted`; runs where the
  /// signal was emitted, and only marks and posts.
  void on_cancel(std::function<void()> hook) {
    const std::lock_guard lock(mutex_);
    on_cancel_ = std::move(hook);
  }

  void complete(boost::system::error_code code, Values... values) {
    std::unique_lock lock(mutex_);
    if (!pending_) return;
    auto taken = std::make_shared<pending>(std::move(*pending_));
    pending_.reset();
    on_cancel_ = nullptr;
    lock.unlock();
    boost::asio::post(
        executor_,
        boost::asio::bind_executor(
            taken->handler_executor,
            [taken, code, arguments = std::tuple<Values...>(std::move(values)...)]() mutable {
              boost::asio::get_associated_cancellation_slot(taken->handler).clear();
              auto handler = std::move(taken->handler);
              std::apply([&](Values&... each) { std::move(handler)(code, std::move(each)...); },
                         arguments);
            }));
  }

  void on_context_shutdown() noexcept override {
    std::optional<pending> dropped;
    std::function<void()> hook;
    const std::lock_guard lock(mutex_);
    dropped.swap(pending_);
    hook.swap(on_cancel_);
    executor_ = {};
  }

 private:
  struct pending {
    pending(const boost::asio::any_io_executor& executor, handler_type&& h)
        : handler(std::move(h)),
          handler_executor(boost::asio::get_associated_executor(handler, executor)),
          work(boost::asio::prefer(executor, boost::asio::execution::outstanding_work.tracked)),
          handler_work(boost::asio::prefer(handler_executor,
                                           boost::asio::execution::outstanding_work.tracked)) {}

    handler_type handler;
    boost::asio::associated_executor_t<handler_type, boost::asio::any_io_executor> handler_executor;
    boost::asio::any_io_executor work;
    boost::asio::associated_executor_t<handler_type, boost::asio::any_io_executor> handler_work;
  };

  void install_cancellation() {
    auto slot = boost::asio::get_associated_cancellation_slot(pending_->handler);
    if (!slot.is_connected()) return;
    // Weak: the slot belongs to the user and may outlive the operation.
    slot.assign([weak = weak_from_this()](boost::asio::cancellation_type) {
      if (const auto held = weak.lock()) static_cast<operation&>(*held).cancel();
    });
  }

  void cancel() {
    std::function<void()> hook;
    {
      const std::lock_guard lock(mutex_);
      hook = on_cancel_;
    }
    if (hook) return hook();
    complete(boost::asio::error::operation_aborted, Values{}...);
  }

  std::mutex mutex_;
  boost::asio::any_io_executor executor_;
  std::optional<pending> pending_;
  std::function<void()> on_cancel_;
};

using void_operation = operation<>;

}  // namespace asiortc::inline ASIORTC_ABI::detail

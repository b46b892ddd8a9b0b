// Bodies of event_queue, for the source files that instantiate it.
#pragma once

#include <asiortc/detail/event_queue.hpp>
#include <asiortc/error.hpp>

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>

#include <utility>

namespace asiortc::inline ASIORTC_ABI::detail {

/// A parked operation. It holds tracked work, so that `run()` does not return under it, on the
/// queue's executor; the handler's own executor is held by whoever made the handler.
template <class T>
struct event_queue<T>::waiter {
  waiter(completion h, const boost::asio::any_io_executor& executor)
      : handler(std::move(h)),
        work(boost::asio::prefer(executor, boost::asio::execution::outstanding_work.tracked)),
        handler_executor(boost::asio::get_associated_executor(handler, executor)),
        handler_work(boost::asio::prefer(handler_executor,
                                         boost::asio::execution::outstanding_work.tracked)) {}

  completion handler;
  boost::asio::any_io_executor work;
  boost::asio::associated_executor_t<completion, boost::asio::any_io_executor> handler_executor;
  boost::asio::associated_executor_t<completion, boost::asio::any_io_executor> handler_work;
  bool armed = false;  // a delivery is posted
  bool cancelled = false;
};

template <class T>
event_queue<T>::event_queue(boost::asio::any_io_executor executor, std::size_t limit)
    : executor_(std::move(executor)), limit_(limit) {}

template <class T>
event_queue<T>::~event_queue() = default;

template <class T>
void event_queue<T>::set_pop_hook(pop_hook hook) {
  const std::lock_guard lock(mutex_);
  hook_ = std::move(hook);
}

template <class T>
void event_queue<T>::watch() {
  const std::lock_guard lock(mutex_);
  watch_context(executor_);
}

template <class T>
bool event_queue<T>::push(T value) {
  std::unique_lock lock(mutex_);
  if (ended_) return false;
  if (values_.size() >= limit_) {
    if constexpr (requires(T & into, const T& from) { into.absorb(from); }) {
      T& next = values_.size() > 1 ? values_[1] : value;
      next.absorb(values_.front());
      values_.pop_front();
    } else {
      return false;
    }
  }
  values_.push_back(std::move(value));
  arm(lock);
  return true;
}

template <class T>
void event_queue<T>::end(boost::system::error_code reason) {
  std::unique_lock lock(mutex_);
  if (ended_) return;
  ended_ = true;
  reason_ = reason;
  arm(lock);
}

template <class T>
void event_queue<T>::discard() {
  std::deque<T> dropped;
  const std::lock_guard lock(mutex_);
  dropped.swap(values_);
}

template <class T>
void event_queue<T>::reserve(bool reserved) {
  const std::lock_guard lock(mutex_);
  reserved_ = reserved;
}

template <class T>
std::optional<T> event_queue<T>::try_pop() {
  std::unique_lock lock(mutex_);
  if (values_.empty()) return std::nullopt;
  std::optional<T> value(std::move(values_.front()));
  values_.pop_front();
  const pop_hook hook = hook_;
  lock.unlock();
  if (hook) hook(*value);
  return value;
}

template <class T>
bool event_queue<T>::ended() const {
  const std::lock_guard lock(mutex_);
  return ended_ && values_.empty();
}

template <class T>
std::size_t event_queue<T>::size() const {
  const std::lock_guard lock(mutex_);
  return values_.size();
}

template <class T>
void event_queue<T>::async_pop(completion handler) {
  std::unique_lock lock(mutex_);
  if (shut_down_) return;
  if (waiter_ || reserved_) {
    lock.unlock();
    complete(executor_, std::move(handler), errc::in_use);
    return;
  }
  watch_context(executor_);
  waiter_ = std::make_shared<waiter>(std::move(handler), executor_);
  const auto slot = boost::asio::get_associated_cancellation_slot(waiter_->handler);
  if (slot.is_connected()) {
    // Weak on both sides: the slot belongs to the user and may outlive the queue.
    auto cancellation = slot;
    cancellation.assign([queue = std::weak_ptr<event_queue>(self()),
                         waiting = std::weak_ptr<waiter>(waiter_)](auto) {
      const auto held = queue.lock();
      const auto parked = waiting.lock();
      if (held && parked) held->cancel(parked);
    });
  }
  if (!values_.empty() || ended_) arm(lock);
}

template <class T>
std::shared_ptr<event_queue<T>> event_queue<T>::self() {
  return std::static_pointer_cast<event_queue>(shared_from_this());
}

template <class T>
void event_queue<T>::arm(std::unique_lock<std::mutex>& lock) {
  if (!waiter_ || waiter_->armed) return;
  waiter_->armed = true;
  const auto waiting = waiter_;
  lock.unlock();
  boost::asio::post(
      executor_, boost::asio::bind_executor(waiting->handler_executor, [queue = self(), waiting] {
        queue->deliver(waiting);
      }));
}

template <class T>
void event_queue<T>::deliver(const std::shared_ptr<waiter>& waiting) {
  std::unique_lock lock(mutex_);
  if (waiter_ != waiting) return;
  boost::system::error_code code;
  std::optional<T> value;
  if (waiting->cancelled) {
    code = boost::asio::error::operation_aborted;
  } else if (!values_.empty()) {
    value.emplace(std::move(values_.front()));
    values_.pop_front();
  } else if (ended_) {
    code = reason_;
  } else {  // somebody else took the value meanwhile
    waiting->armed = false;
    return;
  }
  waiter_.reset();
  const pop_hook hook = hook_;
  lock.unlock();
  boost::asio::get_associated_cancellation_slot(waiting->handler).clear();
  if (hook && value) hook(*value);
  std::move(waiting->handler)(code, std::move(value));
}

template <class T>
void event_queue<T>::cancel(const std::shared_ptr<waiter>& waiting) {
  std::unique_lock lock(mutex_);
  if (waiter_ != waiting) return;
  waiting->cancelled = true;
  arm(lock);
}

template <class T>
void event_queue<T>::complete(const boost::asio::any_io_executor& executor, completion handler,
                              boost::system::error_code code) {
  const auto target = boost::asio::get_associated_executor(handler, executor);
  boost::asio::post(
      executor, boost::asio::bind_executor(target, [handler = std::move(handler), code]() mutable {
        std::move(handler)(code, std::optional<T>{});
      }));
}

template <class T>
void event_queue<T>::on_context_shutdown() noexcept {
  std::shared_ptr<waiter> dropped;
  const std::lock_guard lock(mutex_);
  shut_down_ = true;
  ended_ = true;
  dropped.swap(waiter_);
  executor_ = {};
}

}  // namespace asiortc::inline ASIORTC_ABI::detail

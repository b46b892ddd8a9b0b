// Bodies of event_queue, for the source files that instantiate it.
#pragma once

#include <asiortc/detail/event_queue.hpp>

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/error.hpp>

#include <utility>

namespace asiortc::inline ASIORTC_ABI::detail {

template <class T>
struct event_queue<T>::popper final : waiter {
  popper(const boost::asio::any_io_executor& executor, completion h)
      : waiter(executor, boost::asio::get_associated_executor(h, executor)),
        handler(std::move(h)) {}

  void refuse(boost::system::error_code code) override {
    std::move(handler)(code, std::optional<T>{});
  }

  completion handler;
};

template <class T>
event_queue<T>::event_queue(boost::asio::any_io_executor executor, std::size_t limit)
    : event_queue_base(std::move(executor)), limit_(limit) {}

template <class T>
event_queue<T>::~event_queue() = default;

template <class T>
void event_queue<T>::set_pop_hook(pop_hook hook) {
  const std::lock_guard lock(mutex_);
  hook_ = std::move(hook);
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
void event_queue<T>::discard() {
  std::deque<T> dropped;
  const std::lock_guard lock(mutex_);
  dropped.swap(values_);
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
  auto waiting = std::make_shared<popper>(executor_, std::move(handler));
  const auto slot = boost::asio::get_associated_cancellation_slot(waiting->handler);
  park(lock, std::move(waiting), slot, is_ready());
}

template <class T>
bool event_queue<T>::is_ready() const {
  return !values_.empty() || ended_;
}

template <class T>
void event_queue<T>::deliver(const std::shared_ptr<waiter>& waiting) {
  std::unique_lock lock(mutex_);
  if (waiter_ != waiting) return;
  if (!waiting->takes) return tell_ready(lock, waiting);
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
  completion& handler = static_cast<popper&>(*waiting).handler;
  boost::asio::get_associated_cancellation_slot(handler).clear();
  if (hook && value) hook(*value);
  std::move(handler)(code, std::move(value));
}

}  // namespace asiortc::inline ASIORTC_ABI::detail

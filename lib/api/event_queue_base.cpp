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

namespace asio = boost::asio;

event_queue_base::waiter::waiter(const asio::any_io_executor& executor,
                                 asio::any_completion_executor of_handler)
    : work(asio::prefer(executor, asio::execution::outstanding_work.tracked)),
      handler_executor(std::move(of_handler)),
      handler_work(asio::prefer(handler_executor, asio::execution::outstanding_work.tracked)) {}

event_queue_base::waiter::~waiter() = default;

struct event_queue_base::looker final : waiter {
  using completion = asio::any_completion_handler<void(boost::system::error_code)>;

  looker(const asio::any_io_executor& executor, completion h)
      : waiter(executor, asio::get_associated_executor(h, executor)), handler(std::move(h)) {
    takes = false;
  }

  void refuse(boost::system::error_code code) override { std::move(handler)(code); }

  completion handler;
};

event_queue_base::event_queue_base(asio::any_io_executor executor)
    : executor_(std::move(executor)) {}

event_queue_base::~event_queue_base() = default;

void event_queue_base::watch() {
  const std::lock_guard lock(mutex_);
  watch_context(executor_);
}

void event_queue_base::end(boost::system::error_code reason) {
  std::unique_lock lock(mutex_);
  if (ended_) return;
  ended_ = true;
  reason_ = reason;
  arm(lock);
}

void event_queue_base::reserve(bool reserved) {
  const std::lock_guard lock(mutex_);
  reserved_ = reserved;
}

void event_queue_base::park(std::unique_lock<std::mutex>& lock, std::shared_ptr<waiter> waiting,
                            asio::cancellation_slot slot, bool ready) {
  if (waiter_ || reserved_) {
    const auto executor = executor_;
    lock.unlock();
    asio::post(executor, asio::bind_executor(waiting->handler_executor,
                                             [waiting] { waiting->refuse(errc::in_use); }));
    return;
  }
  watch_context(executor_);
  waiter_ = std::move(waiting);
  if (slot.is_connected()) {
    // Weak on both sides: the slot belongs to the user and may outlive the queue.
    slot.assign([queue = std::weak_ptr<event_queue_base>(self()),
                 weak = std::weak_ptr<waiter>(waiter_)](asio::cancellation_type) {
      const auto held = queue.lock();
      const auto parked = weak.lock();
      if (held && parked) held->cancel(parked);
    });
  }
  if (ready) arm(lock);
}

void event_queue_base::async_wait(looker::completion handler) {
  std::unique_lock lock(mutex_);
  if (shut_down_) return;
  auto waiting = std::make_shared<looker>(executor_, std::move(handler));
  const auto slot = asio::get_associated_cancellation_slot(waiting->handler);
  park(lock, std::move(waiting), slot, is_ready());
}

void event_queue_base::tell_ready(std::unique_lock<std::mutex>& lock,
                                  const std::shared_ptr<waiter>& waiting) {
  if (!waiting->cancelled && !is_ready()) {  // somebody else took the value meanwhile
    waiting->armed = false;
    return;
  }
  boost::system::error_code code;
  if (waiting->cancelled) code = asio::error::operation_aborted;
  waiter_.reset();
  lock.unlock();
  auto& handler = static_cast<looker&>(*waiting).handler;
  asio::get_associated_cancellation_slot(handler).clear();
  std::move(handler)(code);
}

std::shared_ptr<event_queue_base> event_queue_base::self() {
  return std::static_pointer_cast<event_queue_base>(shared_from_this());
}

void event_queue_base::arm(std::unique_lock<std::mutex>& lock) {
  if (!waiter_ || waiter_->armed) return;
  waiter_->armed = true;
  const auto waiting = waiter_;
  lock.unlock();
  asio::post(executor_, asio::bind_executor(waiting->handler_executor, [queue = self(), waiting] {
               queue->deliver(waiting);
             }));
}

void event_queue_base::cancel(const std::shared_ptr<waiter>& waiting) {
  std::unique_lock lock(mutex_);
  if (waiter_ != waiting) return;
  waiting->cancelled = true;
  arm(lock);
}

void event_queue_base::on_context_shutdown() noexcept {
  std::shared_ptr<waiter> dropped;
  const std::lock_guard lock(mutex_);
  shut_down_ = true;
  ended_ = true;
  dropped.swap(waiter_);
  executor_ = {};
}

}  // namespace asiortc::inline ASIORTC_ABI::detail

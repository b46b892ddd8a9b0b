// A strand that outsiders may post to although its context may go away.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/strand.hpp>

#include <cassert>
#include <mutex>
#include <optional>
#include <utility>

namespace asiortc::io {

/// Neither a strand nor a post to it may outlive the execution context. Whoever is told of the
/// context's end calls `drop()`; posts after it do nothing. Thread-safe but for `get()`.
class guarded_strand {
 public:
  using strand_type = boost::asio::strand<boost::asio::any_io_executor>;

  explicit guarded_strand(const boost::asio::any_io_executor& executor)
      : strand_(std::in_place, boost::asio::any_io_executor(boost::asio::prefer(
                                   executor, boost::asio::execution::outstanding_work.untracked))) {
  }

  /// Where the context is known to live.
  [[nodiscard]] const strand_type& get() const {
    assert(strand_);
    return *strand_;
  }

  /// False, and the function is destroyed, when the strand is gone.
  template <class Function>
  bool post(Function function) {
    const std::lock_guard lock(mutex_);
    if (!strand_) return false;
    boost::asio::post(*strand_, std::move(function));
    return true;
  }

  void drop() noexcept {
    std::optional<strand_type> dropped;
    const std::lock_guard lock(mutex_);
    dropped.swap(strand_);
  }

 private:
  std::mutex mutex_;
  std::optional<strand_type> strand_;
};

}  // namespace asiortc::io

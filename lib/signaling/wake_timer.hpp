// A timer for a core: tells it the time and wakes it at its deadline.
#pragma once

#include "base/time.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <memory>
#include <utility>

namespace asiortc::signaling {

/// Used on one strand.
class wake_timer {
 public:
  explicit wake_timer(const boost::asio::any_io_executor& executor)
      : timer_(executor), clock_(executor) {}

  /// The present, as Asio's timers have it.
  base::time_point time() {
    clock_.expires_after(std::chrono::seconds(0));
    return std::chrono::time_point_cast<base::duration>(clock_.expiry());
  }

  /// Calls `wake` on the executor at `deadline`, unless it is set anew before.
  template <class Wake>
  void wake_at(base::time_point deadline, Wake wake) {
    if (deadline == armed_for_) return;
    if (deadline == base::never) return cancel();
    armed_for_ = deadline;
    timer_.expires_at(deadline);
    timer_.async_wait([wake = std::move(wake)](boost::system::error_code code) {
      if (code) return;
      wake();
    });
  }

  void cancel() {
    armed_for_ = base::never;
    timer_.cancel();
  }

  /// To be called first by `wake`: the deadline is past and may be set again.
  void woken() { armed_for_ = base::never; }

 private:
  boost::asio::steady_timer timer_;
  boost::asio::steady_timer clock_;
  base::time_point armed_for_ = base::never;
};

}  // namespace asiortc::signaling

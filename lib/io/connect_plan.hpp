// Which address of a server is connected to next, and when: without a socket and without a clock.
#pragma once

#include "base/endpoint.hpp"
#include "base/time.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <utility>
#include <vector>

namespace asiortc::io {

class connect_plan {
 public:
  /// Addresses of one name, at least one, best first; nothing is tried from `until` on.
  connect_plan(std::vector<base::endpoint> addresses, base::time_point until)
      : addresses_(std::move(addresses)), until_(until) {}

  [[nodiscard]] std::size_t size() const { return addresses_.size(); }
  [[nodiscard]] const base::endpoint& address() const { return addresses_[at_]; }
  /// Each of them has failed.
  [[nodiscard]] bool tried_all() const { return failures_ >= addresses_.size(); }
  /// There is another address that was not tried yet.
  [[nodiscard]] bool has_untried() const { return failures_ + 1 < addresses_.size(); }
  /// As at first, but longer.
  void renew(base::time_point until) { until_ = until, pause_ = first_pause; }

  /// The connection could not be made, or ended. Turns to the next address, and gives when it is to
  /// be tried: at once, or after a pause that grows where it was tried before; never once the time
  /// is over.
  [[nodiscard]] base::time_point fail(base::time_point now) {
    at_ = (at_ + 1) % addresses_.size();
    auto next = now;
    if (++failures_ % addresses_.size() == 0) {
      next += pause_;
      pause_ = std::min(2 * pause_, longest_pause);
    }
    return next < until_ ? next : base::never;
  }

 private:
  // A server that restarts is away for a second or for ten.
  static constexpr base::duration first_pause = std::chrono::milliseconds(500);
  static constexpr base::duration longest_pause = std::chrono::seconds(4);

  std::vector<base::endpoint> addresses_;
  base::time_point until_;
  std::size_t at_ = 0;
  std::size_t failures_ = 0;
  base::duration pause_ = first_pause;
};

}  // namespace asiortc::io

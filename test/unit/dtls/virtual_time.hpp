// The time that both the endpoints and OpenSSL see in this executable.
#pragma once

#include "base/time.hpp"

namespace asiortc::test {

/// The process's virtual clock; OpenSSL reads it through `gettimeofday`, which this executable
/// defines and exports, so that a retransmission costs no wall time.
class virtual_time {
 public:
  static base::time_point now() { return now_; }
  /// Never goes back.
  static void advance_to(base::time_point then) {
    if (then > now_) now_ = then;
  }
  static void advance(base::duration by) { now_ += by; }

 private:
  static inline base::time_point now_{std::chrono::hours(1)};
};

}  // namespace asiortc::test

// Time that only tests move. One a process, because libraries that read the clock themselves
// (OpenSSL's DTLS timers, usrsctp) are given it through `gettimeofday`; see virtual_clock.cpp.
#pragma once

#include "base/time.hpp"

namespace asiortc::test {

class virtual_clock {
 public:
  static virtual_clock& instance();

  [[nodiscard]] base::time_point now() const { return now_; }
  /// Never goes back.
  void advance_to(base::time_point then);
  void advance(base::duration step) { advance_to(now_ + step); }

 private:
  base::time_point now_{std::chrono::hours(1)};
};

}  // namespace asiortc::test

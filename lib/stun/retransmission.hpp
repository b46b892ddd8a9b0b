// When a request over UDP is sent again and when it is given up (RFC 8489 6.2.1).
#pragma once

#include "base/time.hpp"

#include <chrono>

namespace asiortc::stun {

struct retransmission_settings {
  base::duration rto = std::chrono::milliseconds(500);  // "SHOULD be ... 500 ms"
  int requests = 7;    // "Rc SHOULD be configurable and SHOULD have a default of 7"
  int last_wait = 16;  // "Rm SHOULD be configurable and SHOULD have a default of 16"

  bool operator==(const retransmission_settings&) const = default;
};

/// The clock of one request: sent at 0, RTO, 3 RTO, 7 RTO ... and over Rm RTO after the last one.
class retransmission {
 public:
  enum class action { none, send, give_up };

  retransmission() = default;
  /// The request goes out at `now` for the first time.
  retransmission(base::time_point now, const retransmission_settings& settings)
      : deadline_(now + (settings.requests > 1 ? settings.rto : settings.rto * settings.last_wait)),
        wait_(settings.rto),
        rto_(settings.rto),
        left_(settings.requests - 1),
        last_wait_(settings.last_wait) {}

  /// What is due; `send` is counted as done.
  action handle_timeout(base::time_point now);

  [[nodiscard]] base::time_point deadline() const { return deadline_; }

 private:
  base::time_point deadline_ = base::never;
  base::duration wait_{};
  base::duration rto_{};
  int left_ = 0;
  int last_wait_ = 0;
};

}  // namespace asiortc::stun

// How much a connection may do in a time.
#pragma once

#include "base/time.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>

namespace asiortc::signaling {

/// A token bucket: a burst at once, then so many a second.
class token_bucket {
 public:
  token_bucket(std::uint64_t burst, std::uint64_t per_second, base::time_point now)
      : burst_(static_cast<double>(burst)),
        per_second_(static_cast<double>(per_second)),
        tokens_(burst_),
        last_(now) {}

  bool take(base::time_point now, std::uint64_t count) {
    const std::chrono::duration<double> passed = std::max(now, last_) - last_;
    tokens_ = std::min(burst_, tokens_ + passed.count() * per_second_);
    last_ = std::max(now, last_);
    const auto wanted = static_cast<double>(count);
    if (tokens_ < wanted) return false;
    tokens_ -= wanted;
    return true;
  }

 private:
  double burst_;
  double per_second_;
  double tokens_;
  base::time_point last_;
};

/// Says when something has happened so many times within a minute.
class strikes {
 public:
  explicit strikes(std::size_t limit) : limit_(limit) {}

  /// True at the `limit`-th within the window, this one counted.
  bool add(base::time_point now) {
    while (!times_.empty() && now - times_.front() >= window) times_.pop_front();
    times_.push_back(now);
    return times_.size() >= limit_;
  }

 private:
  static constexpr base::duration window = std::chrono::minutes(1);

  std::size_t limit_;
  std::deque<base::time_point> times_;
};

}  // namespace asiortc::signaling

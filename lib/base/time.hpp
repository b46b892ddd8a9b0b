// The one notion of time in the cores: they are told it and never ask.
#pragma once

#include <chrono>

namespace asiortc::base {

using duration = std::chrono::microseconds;
using time_point = std::chrono::time_point<std::chrono::steady_clock, duration>;

/// "No deadline".
inline constexpr time_point never = time_point::max();

}  // namespace asiortc::base

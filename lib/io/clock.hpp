// The one place where time is read for the cores.
#pragma once

#include "base/time.hpp"

namespace asiortc::io {

inline base::time_point clock_now() {
  return std::chrono::time_point_cast<base::duration>(std::chrono::steady_clock::now());
}

}  // namespace asiortc::io

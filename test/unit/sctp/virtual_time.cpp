#include "virtual_time.hpp"

#include <atomic>
#include <sys/time.h>

namespace asiortc::test {
namespace {

// Atomic for the test on two threads.
std::atomic<base::duration> the_time{std::chrono::hours(1)};

}  // namespace

base::time_point virtual_now() { return base::time_point(the_time.load()); }

void advance_virtual_time(base::duration by) {
  base::duration before = the_time.load();
  while (!the_time.compare_exchange_weak(before, before + by)) {
  }
}

}  // namespace asiortc::test

// Wins over libc's, for the static library as for the system's shared one (linked -rdynamic).
extern "C" __attribute__((visibility("default"))) int gettimeofday(struct timeval* result,
                                                                   void*) noexcept {
  const auto since = asiortc::test::virtual_now().time_since_epoch().count();
  result->tv_sec = since / 1000000;
  result->tv_usec = since % 1000000;
  return 0;
}

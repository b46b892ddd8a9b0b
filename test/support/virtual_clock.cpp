#include "support/virtual_clock.hpp"

#include <cassert>
#include <sys/time.h>

namespace asiortc::test {

virtual_clock& virtual_clock::instance() {
  static virtual_clock clock;
  return clock;
}

void virtual_clock::advance_to(base::time_point then) {
  assert(then >= now_);
  now_ = then;
}

}  // namespace asiortc::test

/// Takes the place of the C library's for the whole executable, shared libraries included, which is
/// why it is linked with its symbols exported.
extern "C" int gettimeofday(struct timeval* __restrict value, void* __restrict) noexcept {
  // An arbitrary day in 2023, so that certificates made for it are valid.
  constexpr std::int64_t epoch = 1'700'000'000;
  constexpr std::int64_t million = 1'000'000;
  const auto elapsed = asiortc::test::virtual_clock::instance().now().time_since_epoch().count();
  value->tv_sec = static_cast<time_t>(epoch + elapsed / million);
  value->tv_usec = static_cast<suseconds_t>(elapsed % million);
  return 0;
}

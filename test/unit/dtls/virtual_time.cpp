#include "unit/dtls/virtual_time.hpp"

#include <sys/time.h>

extern "C" __attribute__((visibility("default"))) int gettimeofday(timeval* out, void*) noexcept {
  const auto since = asiortc::test::virtual_time::now().time_since_epoch().count();
  out->tv_sec = since / 1'000'000;
  out->tv_usec = since % 1'000'000;
  return 0;
}

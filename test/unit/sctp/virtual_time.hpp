// The time that usrsctp sees in these tests: it asks gettimeofday itself, which the executable
// defines over this clock.
#pragma once

#include "base/time.hpp"

namespace asiortc::test {

/// The one virtual clock of the process; starts at an hour.
base::time_point virtual_now();
void advance_virtual_time(base::duration by);

}  // namespace asiortc::test

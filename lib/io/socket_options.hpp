// What every kind of socket asks of the kernel in the same words.
#pragma once

#include <boost/system/error_code.hpp>

#include <cerrno>
#include <sys/socket.h>

namespace asiortc::io {

inline boost::system::error_code last_error() { return {errno, boost::system::system_category()}; }

/// False where the kernel has not the option, or refuses the value.
bool set_option(int fd, int level, int name, const auto& value) {
  return ::setsockopt(fd, level, name, &value, sizeof value) == 0;
}

}  // namespace asiortc::io

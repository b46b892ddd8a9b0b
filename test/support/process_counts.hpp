// What this process holds, as the kernel counts it.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace asiortc::test {

inline std::size_t entries_of(const char* folder) {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder),
                                                std::filesystem::directory_iterator()));
}

inline std::size_t open_descriptors() { return entries_of("/proc/self/fd"); }

/// What a context opens once, at its first timer, is there before anything is counted.
inline void warm_up(boost::asio::io_context& context) {
  boost::asio::steady_timer timer(context, boost::asio::steady_timer::duration::zero());
  timer.async_wait([](auto) {});
  context.run();
  context.restart();
}

inline std::size_t running_threads() { return entries_of("/proc/self/task"); }

/// Sanitizers take ten times as long, and keep what was freed, so that memory says nothing.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool under_sanitizer = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
inline constexpr bool under_sanitizer = true;
#else
inline constexpr bool under_sanitizer = false;
#endif
#else
inline constexpr bool under_sanitizer = false;
#endif

/// Memory that is in use, by pages of 4 KiB.
inline std::size_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  std::size_t all = 0;
  std::size_t resident = 0;
  statm >> all >> resident;
  return resident * 4096;
}

}  // namespace asiortc::test

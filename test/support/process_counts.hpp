// What this process holds, as the kernel counts it.
#pragma once

#include <cstddef>
#include <filesystem>
#include <iterator>

namespace asiortc::test {

inline std::size_t entries_of(const char* folder) {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder),
                                                std::filesystem::directory_iterator()));
}

inline std::size_t open_descriptors() { return entries_of("/proc/self/fd"); }

inline std::size_t running_threads() { return entries_of("/proc/self/task"); }

}  // namespace asiortc::test

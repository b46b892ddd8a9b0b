// What every program of ours does with its process.
#pragma once

#include <cstddef>

namespace shared {

/// Where the caller closed one of them, a socket would take its number, and be written to.
void occupy_standard_descriptors();

/// Whether the caller has it ignored, as `nohup` does with SIGHUP, and means it.
bool is_ignored(int signal);

/// Raises the soft limit of descriptors to as many, or as far as the hard one lets it; gives back
/// what is allowed now.
std::size_t allow_descriptors(std::size_t wanted);

}  // namespace shared

// What the user is told on standard error besides the log.
#pragma once

#include "shared/text.hpp"

#include <iostream>
#include <string_view>

/// Why the process ends with a status other than 0, in one line whatever is in the text.
inline void complain(std::string_view line) {
  std::cerr << "signaling_server: " + shared::printable(line) + '\n';
}

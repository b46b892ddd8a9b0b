#include "say.hpp"

#include "text.hpp"

#include <iostream>

namespace peer_cli {

void show(const std::string& name, std::string_view text) {
  std::cout << name + ": " + printable(text) + '\n' << std::flush;
}

void tell(std::string_view line) { std::cerr << "* " + printable(line) + '\n'; }

void complain(std::string_view line) { std::cerr << "peer_cli: " + printable(line) + '\n'; }

}  // namespace peer_cli

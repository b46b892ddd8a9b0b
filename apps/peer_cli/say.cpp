#include "say.hpp"

#include "text.hpp"

#include <iostream>

namespace peer_cli {

std::string shown(const std::string& name, std::string_view text) {
  return name + ": " + printable(text) + '\n';
}

void report(std::string_view line) { std::cout << printable(line) + '\n' << std::flush; }

void tell(std::string_view line) { std::cerr << "* " + printable(line) + '\n'; }

void complain(std::string_view line) { std::cerr << "peer_cli: " + printable(line) + '\n'; }

}  // namespace peer_cli

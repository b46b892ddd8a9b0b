#include "say.hpp"

#include "shared/text.hpp"

#include <iostream>

namespace peer_cli {

std::string shown(const std::string& name, std::string_view text) {
  return name + ": " + shared::printable(text) + '\n';
}

void report(std::string_view line) { std::cout << shared::printable(line) + '\n' << std::flush; }

void tell(std::string_view line) { std::cerr << "* " + shared::printable(line) + '\n'; }

void complain(std::string_view line) { std::cerr << "peer_cli: " + shared::printable(line) + '\n'; }

}  // namespace peer_cli

// Runs the test cases that the arguments choose: `--seed`, `--loss`, `--duplication` (shares of
// 100) and `--jitter` (ms) set the network, the rest is doctest's.
#define DOCTEST_CONFIG_IMPLEMENT
#include "sim/sim.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <string_view>

namespace asiortc::test {

pair_options& sim_options() {
  static pair_options options;
  return options;
}

}  // namespace asiortc::test

int main(int count, char** arguments) {
  auto& options = asiortc::test::sim_options();
  for (int index = 1; index + 1 < count; ++index) {
    const std::string_view name = arguments[index];
    const long value = std::strtol(arguments[index + 1], nullptr, 10);
    if (name == "--seed") options.seed = static_cast<std::uint64_t>(value);
    if (name == "--loss") options.network.loss = static_cast<double>(value) / 100;
    if (name == "--duplication") options.network.duplication = static_cast<double>(value) / 100;
    if (name == "--jitter") options.network.jitter = std::chrono::milliseconds(value);
  }
  doctest::Context context(count, arguments);
  return context.run();
}

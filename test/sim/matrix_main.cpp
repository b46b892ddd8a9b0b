// Runs the matrix: `--seed N` runs that one alone, and `SIM_EVERY=N` in the environment each Nth;
// the rest is doctest's.
#define DOCTEST_CONFIG_IMPLEMENT
#include "sim/matrix.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <string_view>

int main(int count, char** arguments) {
  for (int index = 1; index + 1 < count; ++index) {
    if (std::string_view(arguments[index]) != "--seed") continue;
    asiortc::test::only_seed() = std::strtoull(arguments[index + 1], nullptr, 10);
  }
  doctest::Context context(count, arguments);
  return context.run();
}

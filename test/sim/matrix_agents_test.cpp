// Every kind of NAT meets every other one: ICE and TURN alone.
#include "sim/agents.hpp"

#include <doctest/doctest.h>

namespace asiortc::test {

using namespace std::chrono_literals;

TEST_CASE("ICE and TURN agents connect in every cell, directly where they can, and stay so") {
  // Of one link, so that a path loses up to 36 %.
  constexpr std::uint64_t most_loss = 20;
  // Some more than consent lives.
  constexpr base::duration hold = 40s;
  constexpr std::size_t most_states = 20;
  const auto& cells = matrix_cells();
  const auto seeds = matrix_seeds(1000);
  std::size_t strayed = 0;
  for (const std::uint64_t seed : seeds) {
    const auto& cell = cells[seed % cells.size()];
    const auto conditions = conditions_of(seed, most_loss);
    INFO(describe(cell, seed, conditions));
    agents pair(cell, seed, conditions);
    const auto are_connected = [&] { return pair.are_connected(); };
    const auto goes_right = [&] { return pair.go(cell.direct); };
    CHECK(pair.run_until(are_connected, 30s));
    CHECK(pair.run_until(goes_right, 60s));
    pair.run_for(hold);
    CHECK(pair.run_until(are_connected, 60s));
    if (!pair.run_until(goes_right, 60s)) ++strayed;
    CHECK_FALSE(pair.have_failed());
    CHECK(pair.offerer.states.size() <= most_states);
    CHECK(pair.answerer.states.size() <= most_states);
  }
  // Where a third of all packets is lost, a direct path may be found dead for 30 s, and then a
  // relay is the right place to be.
  CHECK(strayed <= seeds.size() / 100);
}

TEST_CASE("relayed agents outlive the lifetime of allocation, permissions and nonces") {
  constexpr std::uint64_t most_loss = 10;
  for (const std::uint64_t seed : matrix_seeds(50)) {
    const auto& cells = matrix_cells();
    const auto& cell = cells[seed % cells.size()];
    const auto conditions = conditions_of(seed, most_loss);
    INFO(describe(cell, seed, conditions));
    agents pair(cell, seed, conditions);
    pair.net.server().settings().nonce_lifetime = 2min;
    const auto goes_right = [&] { return pair.go(cell.direct); };
    CHECK(pair.run_until(goes_right, 60s));
    pair.run_for(25min);
    CHECK(pair.run_until(goes_right, 60s));
    CHECK_FALSE(pair.have_failed());
  }
}

}  // namespace asiortc::test

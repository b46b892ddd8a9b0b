#include "dtls/replay_window.hpp"

#include <doctest/doctest.h>

#include <initializer_list>
#include <random>
#include <set>

using asiortc::dtls::replay_window;

TEST_CASE("a number is fresh once, in whatever order numbers come") {
  replay_window window;
  for (const std::uint64_t number : {5U, 0U, 3U, 64U, 63U, 1000U, 1U}) {
    CHECK(window.is_fresh(number));
    window.accept(number);
    CHECK_FALSE(window.is_fresh(number));
  }
  CHECK(window.is_fresh(2));
  CHECK(window.is_fresh(1001));
}

TEST_CASE("what is further behind the highest number than the window is too old") {
  replay_window window;
  constexpr std::uint64_t highest = 1'000'000;
  window.accept(highest);
  CHECK(window.is_fresh(highest - replay_window::size + 1));
  CHECK_FALSE(window.is_fresh(highest - replay_window::size));
  CHECK_FALSE(window.is_fresh(0));
}

TEST_CASE("a leap over more than the window forgets all that it held, and nothing comes twice") {
  constexpr std::uint64_t last = (std::uint64_t{1} << 48) - 1;
  for (const std::uint64_t leap : {std::uint64_t{64}, std::uint64_t{1087}, std::uint64_t{1088},
                                   std::uint64_t{1089}, std::uint64_t{100'000}, last}) {
    CAPTURE(leap);
    replay_window window;
    for (std::uint64_t number = 0; number < 64; ++number) window.accept(number);
    window.accept(leap);
    CHECK_FALSE(window.is_fresh(leap));
    CHECK(window.is_fresh(leap - 1) == (leap != 64));
  }
}

TEST_CASE("the window agrees with a set that remembers everything") {
  std::mt19937_64 random(7);
  replay_window window;
  std::set<std::uint64_t> seen;
  std::uint64_t highest = 0;
  for (int i = 0; i < 200'000; ++i) {
    const std::uint64_t around = highest + random() % 40;
    const std::uint64_t back = random() % (i % 100 == 0 ? 3000 : 1100);
    const std::uint64_t number = random() % 2 == 0 || back > around ? around : around - back;
    const bool in_window = number + replay_window::size > highest;
    REQUIRE(window.is_fresh(number) == (in_window && !seen.contains(number)));
    if (!window.is_fresh(number)) continue;
    window.accept(number);
    seen.insert(number);
    highest = std::max(highest, number);
  }
}

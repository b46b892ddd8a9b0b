#include "stun/retransmission.hpp"

#include <doctest/doctest.h>

#include <vector>

using namespace asiortc;
using namespace std::chrono_literals;
using action = stun::retransmission::action;

TEST_CASE("a request is sent at 0, 0.5, 1.5, 3.5, 7.5, 15.5 and 31.5 s and given up at 39.5 s") {
  const base::time_point start{};
  stun::retransmission clock(start, {});
  std::vector<base::duration> sent;
  while (true) {
    const auto now = clock.deadline();
    CHECK(clock.handle_timeout(now - 1us) == action::none);
    const auto due = clock.handle_timeout(now);
    sent.push_back(now - start);
    if (due == action::give_up) break;
    REQUIRE(due == action::send);
  }
  CHECK(sent ==
        std::vector<base::duration>{500ms, 1500ms, 3500ms, 7500ms, 15500ms, 31500ms, 39500ms});
  CHECK(clock.deadline() == base::never);
}

TEST_CASE("a late caller sends one request and not a burst") {
  const base::time_point start{};
  stun::retransmission clock(start, {});
  CHECK(clock.handle_timeout(start + 20s) == action::send);
  CHECK(clock.handle_timeout(start + 20s) == action::none);
}

TEST_CASE("a request that is sent once is given up after the last wait") {
  const base::time_point start{};
  stun::retransmission clock(start, {100ms, 1, 4});
  CHECK(clock.deadline() == start + 400ms);
  CHECK(clock.handle_timeout(start + 400ms) == action::give_up);
}

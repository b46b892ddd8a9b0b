#include "io/connect_plan.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace asiortc;
using namespace std::chrono_literals;

namespace {

constexpr base::time_point start{1h};

base::endpoint at(int number) {
  return *base::endpoint::parse("192.0.2." + std::to_string(number) + ":3478");
}

}  // namespace

TEST_CASE("a server that takes no connection is tried again, ever more seldom, until it is late") {
  io::connect_plan plan({at(1)}, start + 39500ms);
  CHECK_FALSE(plan.tried_all());
  std::vector<base::duration> tries;
  for (auto now = plan.fail(start); now != base::never; now = plan.fail(now)) {
    CHECK(plan.tried_all());
    CHECK(plan.address() == at(1));
    tries.push_back(now - start);
  }
  REQUIRE(tries.size() == 11);
  CHECK(std::vector(tries.begin(), tries.begin() + 5) ==
        std::vector<base::duration>{500ms, 1500ms, 3500ms, 7500ms, 11500ms});
  CHECK(tries.back() == 35500ms);
}

TEST_CASE("the addresses of a name are tried one after the other, and then all again") {
  io::connect_plan plan({at(1), at(2), at(3)}, start + 10s);
  CHECK(plan.address() == at(1));
  CHECK(plan.fail(start) == start);
  CHECK(plan.address() == at(2));
  CHECK(plan.fail(start + 1s) == start + 1s);
  CHECK(plan.address() == at(3));
  CHECK_FALSE(plan.tried_all());
  CHECK(plan.fail(start + 2s) == start + 2500ms);
  CHECK(plan.tried_all());
  CHECK(plan.address() == at(1));
  CHECK(plan.fail(start + 10s) == base::never);
}

TEST_CASE("a plan that is asked for anew lasts longer") {
  io::connect_plan plan({at(1)}, start + 1s);
  CHECK(plan.fail(start + 1s) == base::never);
  plan.renew(start + 10s);
  CHECK(plan.fail(start + 1s) == start + 1500ms);
}

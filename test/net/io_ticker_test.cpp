// The ticker runs while it is leased, and only then.
#include "io/clock.hpp"
#include "io/sctp_ticker.hpp"
#include "net/io_support.hpp"

#include <doctest/doctest.h>

#include <memory>

using namespace asiortc;
namespace asio = boost::asio;

namespace {

struct counting_clock final : sctp::clock_source {
  void tick(base::time_point now) override {
    ++ticks;
    last = now;
  }
  int ticks = 0;
  base::time_point last{};
};

}  // namespace

TEST_CASE("time is moved while a lease lives, and the context then runs out of work") {
  asio::io_context context;
  counting_clock clock;
  const auto ticker = io::sctp_ticker::create(context.get_executor(), clock);
  CHECK(context.run() == 0);
  auto first = ticker->lease();
  auto second = ticker->lease();
  REQUIRE(test::run_until(context, [&] { return clock.ticks == 3; }));
  first.reset();
  REQUIRE(test::run_until(context, [&] { return clock.ticks == 6; }));
  second.reset();
  context.restart();
  context.run();
  CHECK(clock.ticks <= 7);
  auto again = ticker->lease();
  REQUIRE(test::run_until(context, [&] { return clock.ticks >= 8; }));
}

TEST_CASE("without packets it ticks less often, and a packet speeds it up at once") {
  asio::io_context context;
  counting_clock clock;
  const auto ticker = io::sctp_ticker::create(context.get_executor(), clock);
  const auto lease = ticker->lease();
  ticker->touch(io::clock_now() - std::chrono::seconds(2));
  REQUIRE(test::run_until(context, [&] { return clock.ticks >= 1; }));
  const auto slow_from = io::clock_now();
  REQUIRE(test::run_until(context, [&] { return clock.ticks >= 2; }));
  CHECK(io::clock_now() - slow_from >= std::chrono::milliseconds(80));
  const auto touched = io::clock_now();
  ticker->touch(touched);
  REQUIRE(test::run_until(context, [&] { return clock.ticks >= 3; }));
  CHECK(io::clock_now() - touched < std::chrono::milliseconds(90));
}

TEST_CASE("the context may be destroyed before ticker and lease") {
  counting_clock clock;
  std::shared_ptr<io::sctp_ticker> ticker;
  std::shared_ptr<io::sctp_ticker::lease_type> lease;
  {
    asio::io_context context;
    ticker = io::sctp_ticker::create(context.get_executor(), clock);
    lease = ticker->lease();
    context.poll();
  }
  ticker->touch(io::clock_now());
  lease.reset();
  CHECK(clock.ticks == 0);
}

#include "line_log.hpp"

#include <doctest/doctest.h>

#include <string>

using peer_cli::line_log;
using namespace std::chrono_literals;

namespace {

constexpr line_log::time_point start{1h};

line_log log_of(std::initializer_list<const char*> lines) {
  line_log log;
  for (const auto* line : lines) log.add(line);
  return log;
}

}  // namespace

TEST_CASE("Lines that nobody has heard wait for whoever comes, however late") {
  auto log = log_of({"one", "two"});
  log.trim(log.end(), start);
  CHECK(log.for_newcomer(start + 10h) == 0);
  CHECK(log.say(0, start) == "one");
  CHECK_FALSE(log.all_said());
  log.trim(log.end(), start + line_log::recent);
  CHECK(log.for_newcomer(start + line_log::recent) == 1);
  CHECK(log.say(1, start + 10h) == "two");
  CHECK(log.all_said());
}

TEST_CASE("Who comes soon after a line was said gets it too, and who comes later does not") {
  auto log = log_of({"early", "late"});
  log.say(0, start);
  log.say(1, start + 1s);
  CHECK(log.for_newcomer(start + line_log::recent - 1ms) == 0);
  CHECK(log.for_newcomer(start + line_log::recent) == 1);
  CHECK(log.for_newcomer(start + line_log::recent + 1s) == 2);
}

TEST_CASE("A line that is said again to another is no newer for it") {
  auto log = log_of({"one"});
  log.say(0, start);
  CHECK(log.say(0, start + 1s) == "one");
  CHECK(log.for_newcomer(start + line_log::recent) == 1);
}

TEST_CASE("What somebody still needs is kept, and what nobody needs is dropped") {
  auto log = log_of({"one", "two", "three"});
  for (line_log::place each = 0; each < 3; ++each) log.say(each, start);
  log.trim(1, start + 10s);
  CHECK(log.say(1, start + 10s) == "two");
  log.trim(log.end(), start + 10s);
  CHECK(log.end() == 3);
  CHECK(log.for_newcomer(start) == 3);  // none is left to begin with
}

TEST_CASE("Recent lines are kept for newcomers within a bound") {
  line_log log;
  const std::string line(1000, 'x');
  for (line_log::place each = 0; each < 5000; ++each) {
    log.add(line);
    log.say(each, start);
    log.trim(log.end(), start);
  }
  const auto kept = log.end() - log.for_newcomer(start);
  CHECK(kept * line.size() <= line_log::max_recent_bytes);
  CHECK(kept * line.size() >= line_log::max_recent_bytes / 2);
}

TEST_CASE("A log is full until what it holds was said and dropped") {
  line_log log;
  while (!log.full()) log.add(std::string(100000, 'x'));
  CHECK(log.end() >= 160);
  for (line_log::place each = 0; each < log.end(); ++each) log.say(each, start);
  log.trim(log.end(), start);
  CHECK_FALSE(log.full());
}

#include <asiortc/candidate_pair.hpp>
#include <asiortc/nat_behaviour.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <sstream>
#include <string>
#include <vector>

using namespace asiortc;
using namespace std::chrono_literals;

namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a table has a line of titles, a line a pair, and columns that stand below each other") {
  std::vector<candidate_pair_info> pairs(2);
  pairs[0].local.address = "10.0.0.1";
  pairs[0].local.port = 5000;
  pairs[0].remote.address = "2001:db8::1";
  pairs[0].remote.port = 6000;
  pairs[0].remote.type = candidate_type::relayed;
  pairs[0].state = candidate_pair_state::succeeded;
  pairs[0].selected = pairs[0].nominated = true;
  pairs[0].round_trip_time = 1250us;
  pairs[0].checks_sent = 3;
  pairs[0].checks_answered = 2;
  pairs[0].checks_received = 4;
  pairs[0].packets_sent = 17;
  pairs[0].bytes_received = 123456;
  pairs[0].heard_ago = 40ms;
  pairs[1].local.address = "abcd.local";
  pairs[1].local.protocol = "tcp";
  pairs[1].state = candidate_pair_state::failed;
  pairs[1].failure = "no answer";
  const auto lines = lines_of(format_table(pairs));
  REQUIRE(lines.size() == 3);
  for (const auto* part : {"host 10.0.0.1:5000", "relay [2001:db8::1]:6000", "succeeded", "in use",
                           "1.3 ms", "3 / 2 / 4", "17 / 0", "0 / 123456", "40 ms ago"}) {
    CAPTURE(part);
    CHECK(contains(lines[1], part));
  }
  for (const auto* part : {"host abcd.local:0 tcp", "failed: no answer", "never"}) {
    CAPTURE(part);
    CHECK(contains(lines[2], part));
  }
  const auto column = lines[0].find("state");
  CHECK(lines[1].find("succeeded") == column);
  CHECK(lines[2].find("failed") == column);
}

TEST_CASE("no pairs make no table") { CHECK(format_table({}).empty()); }

TEST_CASE("states of pairs and behaviours of NATs have the names of their standards") {
  CHECK(to_string(candidate_pair_state::frozen) == "frozen");
  CHECK(to_string(candidate_pair_state::waiting) == "waiting");
  CHECK(to_string(candidate_pair_state::in_progress) == "in-progress");
  CHECK(to_string(candidate_pair_state::succeeded) == "succeeded");
  CHECK(to_string(candidate_pair_state::failed) == "failed");
  CHECK(to_string(nat_behaviour::unknown) == "unknown");
  CHECK(to_string(nat_behaviour::endpoint_independent) == "endpoint-independent");
  CHECK(to_string(nat_behaviour::address_dependent) == "address-dependent");
  CHECK(to_string(nat_behaviour::address_and_port_dependent) == "address-and-port-dependent");
}

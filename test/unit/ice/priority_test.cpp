#include "ice/priority.hpp"

#include "ice/check_list.hpp"

#include <doctest/doctest.h>

using namespace asiortc;

TEST_CASE("priorities follow the formulas of RFC 8445") {
  // The values that 5.1.2.1's formula gives a lone IPv4 host and its reflexive candidate.
  CHECK(ice::candidate_priority(candidate_type::host, 65535) == 2130706431U);
  CHECK(ice::candidate_priority(candidate_type::server_reflexive, 65535) == 1694498815U);
  CHECK(ice::candidate_priority(candidate_type::relayed, 0, 2) == 254U);
  CHECK(ice::candidate_priority(candidate_type::peer_reflexive, 0) >
        ice::candidate_priority(candidate_type::server_reflexive, 65535));
  CHECK(ice::pair_priority(2, 1) == (std::uint64_t{1} << 32) + 4 + 1);
  CHECK(ice::pair_priority(1, 2) == (std::uint64_t{1} << 32) + 4);
}

TEST_CASE("both sides of a pair compute the same priority") {
  for (const std::uint32_t g : {1U, 77U, 4294967295U}) {
    for (const std::uint32_t d : {0U, 77U, 4294967294U}) {
      CHECK(ice::pair_priority(g, d) == ice::pair_priority(g, d));
      CHECK((ice::pair_priority(g, d) > ice::pair_priority(d, g)) == (g > d));
    }
  }
}

TEST_CASE("addresses that cannot reach each other are not paired") {
  const auto ip = [](const char* text) { return *base::ip_address::parse(text); };
  CHECK(ice::can_pair(ip("10.0.0.1"), ip("192.0.2.1")));
  CHECK(ice::can_pair(ip("127.0.0.1"), ip("127.0.0.2")));
  CHECK(ice::can_pair(ip("fe80::1"), ip("fe80::2")));
  CHECK_FALSE(ice::can_pair(ip("10.0.0.1"), ip("2001:db8::1")));
  CHECK_FALSE(ice::can_pair(ip("10.0.0.1"), ip("127.0.0.1")));
  CHECK_FALSE(ice::can_pair(ip("::1"), ip("2001:db8::1")));
  CHECK_FALSE(ice::can_pair(ip("fe80::1"), ip("2001:db8::1")));
}

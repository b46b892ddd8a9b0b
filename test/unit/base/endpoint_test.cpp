#include "base/endpoint.hpp"

#include <doctest/doctest.h>

using namespace asiortc::base;

TEST_CASE("ip_address parses and prints both families") {
  for (const auto* text : {"0.0.0.0", "127.0.0.1", "255.1.2.3", "::", "::1", "2001:db8::1"}) {
    CAPTURE(text);
    REQUIRE(ip_address::parse(text));
    CHECK(ip_address::parse(text)->to_string() == text);
  }
  CHECK(ip_address::parse("fe80::1%3")->scope_id() == 3);
}

TEST_CASE("ip_address refuses names, junk and embedded NULs") {
  for (const auto text : {"", "localhost", "1.2.3", "1.2.3.4.5", "256.0.0.1", "1.2.3.4%1",
                          ":::", "::1%", "::1%x", "1.2.3.4 "}) {
    CAPTURE(text);
    CHECK_FALSE(ip_address::parse(text));
  }
  CHECK_FALSE(ip_address::parse(std::string_view("1.2.3.4\0x", 9)));
  CHECK_FALSE(ip_address::parse(std::string(1000, '1')));
}

TEST_CASE("ip_address knows its kind") {
  CHECK(ip_address::parse("127.9.9.9")->is_loopback());
  CHECK(ip_address::parse("::1")->is_loopback());
  CHECK_FALSE(ip_address::parse("::2")->is_loopback());
  CHECK(ip_address::parse("169.254.1.1")->is_link_local());
  CHECK(ip_address::parse("fe80::1")->is_link_local());
  CHECK(ip_address::parse("172.31.0.1")->is_private());
  CHECK_FALSE(ip_address::parse("172.32.0.1")->is_private());
  CHECK(ip_address::parse("fd00::1")->is_private());
  CHECK(ip_address::parse("224.0.0.251")->is_multicast());
  CHECK(ip_address::parse("ff02::fb")->is_multicast());
  CHECK(ip_address().is_unspecified());
  CHECK(ip_address::parse("::ffff:1.2.3.4")->unmapped() == *ip_address::parse("1.2.3.4"));
}

TEST_CASE("endpoint parses and prints") {
  CHECK(endpoint::parse("1.2.3.4:5")->to_string() == "1.2.3.4:5");
  CHECK(endpoint::parse("[::1]:65535")->to_string() == "[::1]:65535");
  for (const auto* text : {"", ":", "1.2.3.4", "1.2.3.4:", "1.2.3.4:65536", "::1:5", "[1.2.3.4]:5",
                           "[::1]", "1.2.3.4:-1", "1.2.3.4:+1"}) {
    CAPTURE(text);
    CHECK_FALSE(endpoint::parse(text));
  }
}

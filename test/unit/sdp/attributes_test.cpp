#include "samples.hpp"
#include "sdp/description.hpp"

#include <doctest/doctest.h>

using namespace asiortc;

TEST_CASE("a flag, an empty value and an absent attribute are three things") {
  sdp::attribute_list list;
  list.add("flag");
  list.add("empty", "");
  CHECK(list.has("flag"));
  CHECK_FALSE(list.find("flag")->value.has_value());
  CHECK(list.value("flag") == "");
  CHECK(list.find("empty")->value == "");
  CHECK_FALSE(list.value("absent").has_value());
  CHECK(list.find("absent") == nullptr);
}

TEST_CASE("attributes of one name are all found, in order") {
  sdp::attribute_list list;
  list.add("candidate", "one");
  list.add("other", "x");
  list.add("candidate", "two");
  CHECK(list.values("candidate") == std::vector<std::string_view>{"one", "two"});
  CHECK(list.value("candidate") == "one");
}

TEST_CASE("set replaces in place or adds, remove takes all of the name") {
  sdp::attribute_list list;
  list.add("mid", "0");
  list.add("setup", "actpass");
  list.add("mid", "1");
  list.set("mid", "2");
  CHECK(list.items[0] == sdp::attribute{"mid", "2"});
  CHECK(list.items[2] == sdp::attribute{"mid", "1"});
  list.set("sctp-port", "5000");
  CHECK(list.items.back() == sdp::attribute{"sctp-port", "5000"});
  list.remove("mid");
  CHECK_FALSE(list.has("mid"));
  CHECK(list.items.size() == 2);
}

TEST_CASE("setup roles are read and written") {
  for (const auto role : {sdp::setup_role::actpass, sdp::setup_role::active,
                          sdp::setup_role::passive, sdp::setup_role::holdconn}) {
    CHECK(sdp::parse_setup(sdp::to_string(role)) == role);
  }
  CHECK_FALSE(sdp::parse_setup("ACTIVE").has_value());
  CHECK_FALSE(sdp::parse_setup("").has_value());
}

TEST_CASE("the BUNDLE group is found among the groups") {
  using mids = std::vector<std::string>;
  CHECK(sdp::bundle_group(*sdp::parse(test::chromium_media_and_data_offer)) == mids{"0", "1", "2"});
  CHECK(sdp::bundle_group(*sdp::parse(test::libdatachannel_offer)) == mids{"0"});
  CHECK_FALSE(sdp::bundle_group(*sdp::parse(test::old_firefox_offer)).has_value());

  sdp::description description;
  description.attributes.add("group", "LS a b");
  CHECK_FALSE(sdp::bundle_group(description).has_value());
  description.attributes.add("group", "BUNDLE");
  CHECK(sdp::bundle_group(description) == mids{});
  description.attributes.items.back().value = "BUNDLE  a   b ";
  CHECK(sdp::bundle_group(description) == mids{"a", "b"});
  description.attributes.items.back().value = "BUNDLED a";
  CHECK_FALSE(sdp::bundle_group(description).has_value());
}

TEST_CASE("a number is digits only and within its bound") {
  CHECK(sdp::parse_number("0", 10) == 0);
  CHECK(sdp::parse_number("10", 10) == 10);
  CHECK_FALSE(sdp::parse_number("11", 10).has_value());
  CHECK(sdp::parse_number("18446744073709551615", UINT64_MAX) == UINT64_MAX);
  for (const char* bad : {"", "-1", "+1", " 1", "1 ", "0x1", "18446744073709551616"}) {
    CAPTURE(bad);
    CHECK_FALSE(sdp::parse_number(bad, UINT64_MAX).has_value());
  }
}

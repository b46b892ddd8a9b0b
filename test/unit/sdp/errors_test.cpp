#include "samples.hpp"
#include "sdp/description.hpp"

#include <doctest/doctest.h>

using namespace asiortc;

namespace {

const std::string head = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n";

std::string detail_of(std::string_view text) {
  const auto parsed = sdp::parse(text);
  REQUIRE(parsed.has_error());
  CHECK(parsed.error().code == make_error_code(errc::syntax_error));
  return parsed.error().detail;
}

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

}  // namespace

TEST_CASE("a failure names the line number, the line and what was expected") {
  CHECK(detail_of(head + "nonsense\r\n") ==
        "line 5 is \"nonsense\", expected \"<letter>=<value>\"");
  CHECK(detail_of("") == "line 1 is missing, expected \"v=0\" first");
  CHECK(contains(detail_of("v=0\r\n"), "line 2 is missing, expected \"o="));
}

TEST_CASE("version, origin and session name must lead") {
  CHECK(contains(detail_of("v=1\r\n"), "\"v=0\" first"));
  CHECK(contains(detail_of("o=- 1 1 IN IP4 0.0.0.0\r\nv=0\r\n"), "line 1"));
  CHECK(contains(detail_of("v=0\r\ns=-\r\n"), "line 2"));
  CHECK(contains(detail_of("v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\nt=0 0\r\n"), "\"s="));
}

TEST_CASE("an origin has six fields, the second and third of them numbers of any length") {
  const auto origin = [](std::string_view text) {
    return sdp::parse("v=0\r\no=" + std::string(text) + "\r\ns=-\r\n").has_value();
  };
  CHECK(origin("- 99999999999999999999999 1 IN IP4 0.0.0.0"));
  CHECK_FALSE(origin("- x 1 IN IP4 0.0.0.0"));
  CHECK_FALSE(origin("- 1 1 IN IP4"));
  CHECK_FALSE(origin("- 1 1 IN IP4 0.0.0.0 more"));
  CHECK_FALSE(origin("- 1  IN IP4 0.0.0.0"));
  CHECK_FALSE(origin(""));
}

TEST_CASE("a malformed m-line is refused") {
  for (const char* line :
       {"m=audio", "m=audio 9", "m=audio 9 RTP/AVP", "m=audio 9 RTP/AVP ", "m= 9 RTP/AVP 0",
        "m=audio x RTP/AVP 0", "m=audio -1 RTP/AVP 0", "m=audio 65536 RTP/AVP 0",
        "m=audio 9/ RTP/AVP 0", "m=audio 9/x RTP/AVP 0", "m=audio  RTP/AVP 0"}) {
    CAPTURE(line);
    CHECK(contains(detail_of(head + line + "\r\n"), "line 5"));
  }
}

TEST_CASE("an attribute needs a name") {
  CHECK(contains(detail_of(head + "a=\r\n"), "a=<name>"));
  CHECK(contains(detail_of(head + "a=:value\r\n"), "a=<name>"));
}

TEST_CASE("an empty line in the middle, a NUL and a CR inside a line are refused") {
  CHECK(contains(detail_of(head + "\r\na=x\r\n"), "line 5"));
  CHECK(contains(detail_of(head + std::string("a=x\0y\r\n", 7)), "no NUL"));
  CHECK(contains(detail_of(head + "a=x\ry\r\n"), "no CR"));
}

TEST_CASE("what is quoted of a hostile line is short and printable") {
  const std::string detail = detail_of(head + "\x1b[31m" + std::string(100000, 'x') + "\r\n");
  CHECK(detail.size() < 200);
  CHECK_FALSE(contains(detail, "\x1b"));
}

TEST_CASE("size, lines and m-sections are bounded") {
  CHECK(contains(detail_of(head + "a=" + std::string(1024 * 1024, 'x')), "1048576"));
  std::string lines = head;
  for (int i = 0; i < 65536 - 4; ++i) lines += "a=x\n";
  CHECK(sdp::parse(lines).has_value());
  CHECK(contains(detail_of(lines + "a=x\n"), "65536"));
  std::string sections = head;
  for (int i = 0; i < 256; ++i) sections += "m=audio 0 RTP/AVP 0\r\n";
  CHECK(sdp::parse(sections).has_value());
  CHECK(contains(detail_of(sections + "m=audio 0 RTP/AVP 0\r\n"), "256"));
}

TEST_CASE("no cut and no changed byte of a real description does harm") {
  const std::string_view text = test::chromium_data_offer;
  for (std::size_t size = 0; size < text.size(); ++size) {
    const auto parsed = sdp::parse(text.substr(0, size));
    if (parsed) CHECK(*sdp::parse(parsed->to_string()) == *parsed);
  }
  for (std::size_t at = 0; at < text.size(); ++at) {
    for (const char changed : {'\0', '\n', '=', '\xff'}) {
      std::string variant(text);
      variant[at] = changed;
      const auto parsed = sdp::parse(variant);
      if (parsed) CHECK(*sdp::parse(parsed->to_string()) == *parsed);
    }
  }
}

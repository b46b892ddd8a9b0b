#include "samples.hpp"
#include "sdp/description.hpp"

#include <doctest/doctest.h>

using namespace asiortc;

TEST_CASE("descriptions of real stacks survive a parse and a write byte for byte") {
  for (const auto& [what, text] : test::real_descriptions) {
    const std::string_view name = what;  // clang 14 captures no binding
    CAPTURE(name);
    const auto parsed = sdp::parse(text);
    REQUIRE(parsed.has_value());
    CHECK(parsed->to_string() == text);
  }
}

TEST_CASE("LF alone is read as CRLF is, and written as CRLF") {
  for (const auto& [what, text] : test::real_descriptions) {
    const std::string_view name = what;  // clang 14 captures no binding
    CAPTURE(name);
    const auto parsed = sdp::parse(test::without_carriage_returns(text));
    REQUIRE(parsed.has_value());
    CHECK(parsed->to_string() == text);
  }
}

TEST_CASE("a missing last line end and empty lines at the end are tolerated") {
  const std::string_view text = test::chromium_data_offer;
  for (const std::string& variant :
       {std::string(text.substr(0, text.size() - 2)), std::string(text.substr(0, text.size() - 1)),
        std::string(text) + "\r\n", std::string(text) + "\n\n\r\n"}) {
    const auto parsed = sdp::parse(variant);
    REQUIRE(parsed.has_value());
    CHECK(parsed->to_string() == text);
  }
}

TEST_CASE("the parts of an m-line are told apart") {
  const auto parsed = sdp::parse(test::every_line);
  REQUIRE(parsed.has_value());
  REQUIRE(parsed->sections.size() == 1);
  const sdp::media& section = parsed->sections[0];
  CHECK(section.kind == "video");
  CHECK(section.port == 49170);
  CHECK(section.port_count == 2);
  CHECK(section.protocol == "RTP/AVP");
  CHECK(section.formats == "99  100 ");
  REQUIRE(section.lines.size() == 1);
  CHECK(section.lines[0] == sdp::line{'i', "title"});
}

TEST_CASE("attributes belong to the session level or to their m-section") {
  const auto parsed = sdp::parse(test::chromium_media_and_data_offer);
  REQUIRE(parsed.has_value());
  REQUIRE(parsed->sections.size() == 3);
  CHECK(parsed->attributes.has("extmap-allow-mixed"));
  CHECK(parsed->sections[0].attributes.value("mid") == "0");
  CHECK(parsed->sections[0].attributes.has("sendrecv"));
  CHECK(parsed->sections[1].attributes.value("mid") == "1");
  CHECK_FALSE(parsed->sections[1].attributes.has("sendrecv"));
  CHECK(parsed->sections[2].kind == "application");
  CHECK(parsed->sections[2].attributes.value("sctp-port") == "5000");
}

TEST_CASE("a line that stands after attributes is kept, and written where RFC 8866 wants it") {
  const auto parsed = sdp::parse(
      "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\na=first\r\nt=0 0\r\n"
      "m=audio 9 RTP/AVP 0\r\na=mid:0\r\nc=IN IP4 0.0.0.0\r\n");
  REQUIRE(parsed.has_value());
  const std::string written = parsed->to_string();
  CHECK(written ==
        "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=first\r\n"
        "m=audio 9 RTP/AVP 0\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\n");
  CHECK(*sdp::parse(written) == *parsed);
}

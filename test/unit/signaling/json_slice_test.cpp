#include "signaling/json_slice.hpp"

#include "signaling/json_object.hpp"

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

namespace sig = asiortc::signaling;
using sig::member_text;

TEST_CASE("a member's text is the bytes of its value") {
  const std::vector<std::pair<std::string, std::string>> cases{
      {R"({"x":{}})", "{}"},
      {R"({"x":1})", "1"},
      {R"({"x":-0,"y":1})", "-0"},
      {R"({"y":1,"x":12345678901234567890123})", "12345678901234567890123"},
      {R"({"x":true})", "true"},
      {R"({"x":null ,"y":1})", "null"},
      {R"({"x":""})", R"("")"},
      {R"({"x":"}]\",\\","y":1})", R"("}]\",\\")"},
      {R"({"x":{"b":1,"a":{"x":[2,{"x":"{["}]}},"y":1})", R"({"b":1,"a":{"x":[2,{"x":"{["}]}})"},
      {R"({"x":["]",[["}"]]]})", R"(["]",[["}"]]])"},
      {R"({"y":{"x":1},"z":["x",{"x":2}],"x":3})", "3"},
      {R"({"y":"\"x\":1","x":2})", "2"},
      {R"({"y":"x","x":"y"})", R"("y")"},
      {" \t\r\n{ \"x\"\t:\r\n { \"a\" : [ 1 , 2 ] } , \"y\" : 1 } \n", "{ \"a\" : [ 1 , 2 ] }"},
      {"\xef\xbb\xbf{\"x\":1}", "1"}};
  for (const auto& each : cases) {
    CAPTURE(each.first);
    CHECK(sig::parse_object(each.first).value);
    CHECK(member_text(each.first, "x") == each.second);
  }
}

TEST_CASE("of members of one name the last counts, however it is spelled") {
  CHECK(member_text(R"({"x":1,"x":2})", "x") == "2");
  CHECK(member_text(R"({"x":{"a":1},"y":0,"x":{"b":2},"z":0})", "x") == R"({"b":2})");
  CHECK(member_text(R"({"x":1,"\u0078":2})", "x") == "2");
  CHECK(member_text(R"({"\u0078":1,"x":2})", "x") == "2");
  CHECK(member_text(R"({"x":1,"\\u0078":2,"\"x":3})", "x") == "1");
  CHECK(member_text(R"({"\"\ud83d\ude00":1})", "\"\xf0\x9f\x98\x80") == "1");
}

TEST_CASE("a member that is not there has no text") {
  CHECK(member_text("{}", "x").empty());
  CHECK(member_text(R"({"y":{"x":1}})", "x").empty());
  CHECK(member_text(R"({"y":"x"})", "x").empty());
  CHECK(member_text(R"({"":1})", "x").empty());
  CHECK(member_text(R"({"":1})", "") == "1");
}

TEST_CASE("a text that is cut short is not read beyond its end") {
  const std::string object = R"({"\u0078":"\"{", "x" : {"a":["\\"]} })";
  for (std::size_t size = 0; size <= object.size(); ++size) {
    const std::string_view part = std::string_view(object).substr(0, size);
    CHECK(member_text(part, "x").size() <= size);
  }
}

TEST_CASE("a number that no double holds is valid JSON all the same") {
  for (const std::string& number :
       {std::string("1e400"), std::string("-1.5E+999999"), "1" + std::string(400, '0'),
        "1" + std::string(400, '0') + "e9", "0." + std::string(400, '1') + "e400"}) {
    const std::string object = R"({"s":"1e400\"1e400","n":7,"x":[)" + number + "]}";
    const auto parsed = sig::parse_object(object);
    REQUIRE(parsed.value);
    CHECK(parsed.value->at("s") == "1e400\"1e400");
    CHECK(parsed.value->at("n") == 7);
    CHECK(member_text(object, "x") == "[" + number + "]");
  }
  for (const std::string_view wrong :
       {"1e", "1e400e", "1e+", "01e400", "1e4+00", "1e400.5", "e400"}) {
    CHECK_FALSE(sig::parse_object(R"({"y":1e400,"x":)" + std::string(wrong) + "}").value);
  }
}

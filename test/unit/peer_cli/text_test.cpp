#include "shared/text.hpp"

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>
#include <doctest/doctest.h>

#include <stdexcept>
#include <string>
#include <string_view>

using namespace std::string_literals;
using shared::printable;
using shared::valid_utf8;

TEST_CASE("Plain text of any script stays as it is") {
  for (const auto* text : {"", "hello", "tab\there", "gr\u00fc\u00dfe", "\u4f60\u597d",
                           "\U0001f44b", "\u05e9\u05dc\u05d5\u05dd", "e\u0301"}) {
    CHECK(printable(text) == text);
    CHECK(valid_utf8(text) == text);
  }
}

TEST_CASE("Control characters become pictures of themselves") {
  CHECK(printable("\x1b[2J") == "\u241b[2J");
  CHECK(printable("one\ntwo\r") == "one\u240atwo\u240d");
  CHECK(printable("\a\b\x7f") == "\u2407\u2408\u2421");
  CHECK(printable("a\0b"s) == "a\u2400b");
}

TEST_CASE("No control character is left, whichever it is") {
  for (int value = 0; value < 0xa0; ++value) {
    std::string text;
    if (value < 0x80) {
      text.push_back(static_cast<char>(value));
    } else {
      text = {static_cast<char>(0xc2), static_cast<char>(value)};
    }
    const bool control = (value < 0x20 && value != '\t') || value >= 0x7f;
    CHECK((printable(text) != text) == control);
  }
}

TEST_CASE("What changes the direction of writing or breaks the line is replaced") {
  for (const auto* text : {"\u061c", "\u200e", "\u200f", "\u2028", "\u2029", "\u202a", "\u202b",
                           "\u202c", "\u202d", "\u202e", "\u2066", "\u2067", "\u2068", "\u2069"}) {
    CHECK(printable("a"s + text + "b") == "a\ufffdb");
    CHECK(valid_utf8(text) == text);
  }
}

TEST_CASE("Bytes that are not UTF-8 are replaced one by one") {
  CHECK(valid_utf8("a\xff\xfe") == "a\ufffd\ufffd");
  CHECK(valid_utf8("\xc0\x80") == "\ufffd\ufffd");                      // overlong
  CHECK(valid_utf8("\xe0\x80\x80") == "\ufffd\ufffd\ufffd");            // overlong
  CHECK(valid_utf8("\xed\xa0\x80") == "\ufffd\ufffd\ufffd");            // a surrogate
  CHECK(valid_utf8("\xf4\x90\x80\x80") == "\ufffd\ufffd\ufffd\ufffd");  // past U+10FFFF
  CHECK(valid_utf8("\x80") == "\ufffd");                                // a continuation alone
  CHECK(printable("\x9b") == "\ufffd");                                 // CSI as a single byte
}

TEST_CASE("A character that is cut short at the end is replaced") {
  CHECK(valid_utf8("a\xe2\x82") == "a\ufffd\ufffd");
  CHECK(valid_utf8("\xf0\x9f\x91") == "\ufffd\ufffd\ufffd");
  CHECK(valid_utf8("\xc3") == "\ufffd");
}

TEST_CASE("The first and the last code point of each length survive") {
  for (const auto* text :
       {"\u00a0", "\u07ff", "\u0800", "\ud7ff", "\ue000", "\uffff", "\U00010000", "\U0010ffff"}) {
    CHECK(printable(text) == text);
  }
}

TEST_CASE("An error's text does not end in its number and category") {
  const boost::system::error_code taken(boost::asio::error::address_in_use);
  const boost::system::system_error coded(taken, "cannot listen on [::1]:5");
  CHECK(std::string(coded.what()).find("[system:") != std::string::npos);
  CHECK(shared::plain_what(coded) == "cannot listen on [::1]:5: " + taken.message());
  CHECK(shared::plain_what(boost::system::system_error(taken)) == taken.message());
  CHECK(shared::plain_what(std::runtime_error("a [system:98]")) == "a [system:98]");
}

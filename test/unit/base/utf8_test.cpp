#include "base/utf8.hpp"

#include <doctest/doctest.h>

#include <string>

using asiortc::base::is_valid_utf8;

TEST_CASE("is_valid_utf8 takes every length of sequence, NUL and the bounds of each plane") {
  for (const auto* text :
       {"", "plain ascii that is longer than eight", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80",
        "\xc2\x80", "\xed\x9f\xbf", "\xee\x80\x80", "\xf4\x8f\xbf\xbf", "\xef\xbf\xbf"}) {
    CAPTURE(text);
    CHECK(is_valid_utf8(text));
  }
  CHECK(is_valid_utf8(std::string_view("a\0b", 3)));
}

TEST_CASE("is_valid_utf8 refuses overlong forms, surrogates, what is too high, and fragments") {
  for (const auto* text : {"\x80", "\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80",
                           "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff",
                           "\xc3", "\xe2\x82", "\xf0\x9f\x98", "12345678\xc3", "\xe2\x28\xa1"}) {
    CAPTURE(text);
    CHECK_FALSE(is_valid_utf8(text));
  }
}

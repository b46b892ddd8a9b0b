#include <asiortc/error.hpp>

#include <doctest/doctest.h>

#include <set>
#include <string>

using namespace asiortc;

TEST_CASE("every error has words of its own") {
  std::set<std::string> seen;
  const auto last = static_cast<int>(errc::turn_lost);
  for (int value = 1; value <= last; ++value) {
    const std::string words = make_error_code(static_cast<errc>(value)).message();
    CAPTURE(words);
    CHECK(words != "unknown asiortc error");
    CHECK(seen.insert(words).second);
  }
  CHECK(error_category().message(last + 1) == "unknown asiortc error");
}

#include "unit/dtls/endpoint_pair.hpp"

#include <doctest/doctest.h>

#include <malloc.h>

using namespace asiortc;
using namespace asiortc::test;

TEST_CASE("a connected endpoint asks for no wake-ups") {
  endpoint_pair pair;
  pair.start();
  pair.carry();
  CHECK(exchanges_data(pair));
  CHECK(pair.client.dtls->next_deadline() == base::never);
  CHECK(pair.server.dtls->next_deadline() == base::never);
}

TEST_CASE("a connected endpoint takes less than 6 kB") {
  constexpr std::size_t pairs = 500;
  std::vector<std::unique_ptr<endpoint_pair>> all;
  {
    endpoint_pair warm;  // what OpenSSL makes once
    warm.start();
    warm.carry();
  }
  malloc_trim(0);
  const auto before = mallinfo2();
  for (std::size_t i = 0; i < pairs; ++i) {
    all.push_back(std::make_unique<endpoint_pair>());
    all.back()->start();
    all.back()->carry();
    REQUIRE(all.back()->connected());
    all.back()->carried = {};
  }
  const auto after = mallinfo2();
  const std::size_t each =
      (after.uordblks + after.hblkhd - before.uordblks - before.hblkhd) / (2 * pairs);
  MESSAGE("bytes per endpoint: ", each);
  // A sanitizer's allocator is not the one measured.
  if (after.uordblks != before.uordblks) {
    CHECK(each > 1000);
    CHECK(each < 6'000);
  }
}

// Memory of idle associations, in a process of its own.
#include "forged_sender.hpp"
#include "pair.hpp"
#include "virtual_time.hpp"

#include <doctest/doctest.h>

#include <malloc.h>

namespace asiortc::test {

using namespace std::chrono_literals;

namespace {

std::size_t allocated() {
  const auto info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

constexpr std::size_t count = 50;
constexpr std::size_t ends_count = 2 * count;

struct measured {
  std::size_t fresh = 0;
  std::size_t connected = 0;
  std::size_t used = 0;
};

/// Bytes an endpoint: made, connected and idle, and idle after messages on two streams.
measured measure() {
  const auto per_end = [](std::size_t before) { return (allocated() - before) / ends_count; };
  const std::size_t before = allocated();
  std::vector<std::unique_ptr<pair>> pairs;
  for (std::size_t i = 0; i < count; ++i) pairs.push_back(std::make_unique<pair>());
  measured result;
  result.fresh = per_end(before);
  for (auto& ends : pairs) {
    ends->connect();
    ends->run_for(1s);
    ends->a.events = {};
    ends->b.events = {};
  }
  result.connected = per_end(before);
  for (auto& ends : pairs) {
    ends->a.send(0, pattern(16384, 1));
    ends->b.send(1, pattern(16384, 1));
    ends->run_for(1s);
    REQUIRE(ends->a.received_bytes() == 16384);
    ends->a.events = {};
    ends->b.events = {};
  }
  result.used = per_end(before);
  return result;
}

}  // namespace

TEST_CASE("an idle association that offers 65535 streams to one that does costs at most 25 kB") {
  // The first pair makes what belongs to the process.
  measure();
  const std::size_t before = allocated();
  const measured one = measure();
  MESSAGE("bytes an endpoint: made ", one.fresh, ", connected ", one.connected, ", used ",
          one.used);
  CHECK(one.connected <= 25000);
  CHECK(one.used <= 25000);
  // usrsctp remembers the verification tags of ended associations for a while.
  CHECK(allocated() <= before + 64 * ends_count);
}

TEST_CASE("fragments of a byte cost no more than the window that they fill") {
  for (const bool unordered : {false, true}) {
    CAPTURE(unordered);
    pair ends;
    forged_sender peer(ends);
    ends.connect();
    const std::size_t before = allocated();
    for (std::uint32_t i = 0; i < 100000; ++i) {
      peer.send({static_cast<std::uint16_t>(i / 10000), unordered, i % 10000 == 0, false, 1});
    }
    CHECK(peer.window() <= 1);
    CHECK(allocated() <= before + 512 * 1024);
  }
}

}  // namespace asiortc::test

#include "unit/dtls/endpoint_pair.hpp"

#include <doctest/doctest.h>

#include <malloc.h>

using namespace asiortc;
using namespace asiortc::test;
using namespace std::chrono_literals;
using dtls::state;

namespace {

/// Lets both sides stay idle until neither wants to be woken.
void stay_idle(endpoint_pair& pair) {
  for (int i = 0; i < 4; ++i) {
    virtual_time::advance(2s);
    for (side* each : {&pair.client, &pair.server}) {
      if (each->dtls->next_deadline() <= virtual_time::now()) {
        each->dtls->handle_timeout(virtual_time::now());
      }
    }
  }
}

}  // namespace

TEST_CASE("an idle endpoint gives its buffers back, asks for no more wake-ups, and goes on") {
  endpoint_pair pair;
  pair.start();
  pair.carry();
  CHECK(pair.client.dtls->next_deadline() < base::never);
  stay_idle(pair);
  CHECK(pair.client.dtls->next_deadline() == base::never);
  CHECK(pair.server.dtls->next_deadline() == base::never);
  CHECK(exchanges_data(pair));
  CHECK(pair.client.dtls->next_deadline() < base::never);
  stay_idle(pair);
  CHECK(pair.server.dtls->next_deadline() == base::never);
  pair.client.dtls->close(virtual_time::now());
  pair.carry();
  CHECK(pair.server.reason() == errc::remote_closed);
}

TEST_CASE("an idle server still repeats its last flight for a client that lost it") {
  endpoint_pair pair;
  bool losing = true;
  pair.wire = [&](const packet& sent) {
    const bool last_flight = !sent.from_client && pair.server.state() == state::connected;
    return last_flight && losing ? lost() : once(sent);
  };
  pair.start();
  pair.carry();
  REQUIRE(pair.server.state() == state::connected);
  for (int i = 0; i < 3; ++i) {
    virtual_time::advance(2s);
    pair.server.dtls->handle_timeout(virtual_time::now());
  }
  CHECK(pair.server.dtls->next_deadline() == base::never);
  losing = false;
  pair.client.dtls->handle_timeout(virtual_time::now());
  pair.carry();
  CHECK(pair.connected());
  CHECK(exchanges_data(pair));
}

TEST_CASE("an idle connected endpoint takes less than 45 kB") {
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
  const auto busy = mallinfo2();
  for (auto& pair : all) stay_idle(*pair);
  const auto idle = mallinfo2();
  const auto each = [&](const struct mallinfo2& then) {
    return (then.uordblks + then.hblkhd - before.uordblks - before.hblkhd) / (2 * pairs);
  };
  MESSAGE("bytes per endpoint: just connected ", each(busy), ", idle ", each(idle));
  // A sanitizer's allocator is not the one measured.
  if (busy.uordblks != before.uordblks) {
    CHECK(each(idle) > 1000);
    CHECK(each(idle) < 45'000);
  }
}

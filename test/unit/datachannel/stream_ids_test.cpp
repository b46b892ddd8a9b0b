#include "datachannel/stream_ids.hpp"

#include <doctest/doctest.h>

using namespace asiortc::datachannel;

TEST_CASE("the client's ids are even, the server's odd, lowest first") {
  stream_ids client;
  CHECK_FALSE(client.allocate(65535).has_value());
  client.set_parity(true);
  for (const int expected : {0, 2, 4}) {
    const auto id = client.allocate(65535);
    CHECK(id == expected);
    client.slot(*id);
  }
  CHECK(client.is_ours(10));
  CHECK_FALSE(client.is_ours(11));
  stream_ids server;
  server.set_parity(false);
  CHECK(server.allocate(65535) == 1);
}

TEST_CASE("ids in use are passed over, released ones come again") {
  stream_ids ids;
  ids.set_parity(true);
  ids.slot(2);
  for (const int expected : {0, 4, 6}) {
    const auto id = ids.allocate(65535);
    CHECK(id == expected);
    ids.slot(*id);
  }
  ids.release(4);
  ids.release(2);
  CHECK(ids.allocate(65535) == 2);
  ids.slot(4);
  CHECK(ids.allocate(65535) == 8);
}

TEST_CASE("ids end at the limit") {
  stream_ids ids;
  ids.set_parity(false);
  CHECK(ids.allocate(4) == 1);
  ids.slot(1);
  CHECK(ids.allocate(4) == 3);
  ids.slot(3);
  CHECK_FALSE(ids.allocate(4).has_value());
  ids.release(3);
  CHECK_FALSE(ids.allocate(2).has_value());
  CHECK(ids.allocate(4) == 3);
}

TEST_CASE("65534 is the last id of all") {
  stream_ids ids;
  ids.set_parity(true);
  std::size_t count = 0;
  std::optional<std::uint16_t> last;
  while (const auto id = ids.allocate(65535)) {
    ids.slot(*id);
    last = id;
    ++count;
  }
  CHECK(count == 32768);
  CHECK(last == 65534);
}

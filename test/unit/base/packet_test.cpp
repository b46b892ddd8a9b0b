#include "base/packet.hpp"

#include <doctest/doctest.h>

using namespace asiortc::base;

TEST_CASE("packet_batch keeps packets with the route set last") {
  packet_batch batch;
  const route first{socket_id{1}, *endpoint::parse("1.1.1.1:1")};
  const route second{socket_id{2}, *endpoint::parse("2.2.2.2:2")};
  batch.set_route(first, traffic_class::control);
  batch.append(as_bytes("a"));
  batch.set_route(second, traffic_class::data);
  batch.append(as_bytes("bc"));
  batch.append(as_bytes(""));
  REQUIRE(batch.size() == 3);
  CHECK(as_text(batch.view(batch.entries()[0])) == "a");
  CHECK(batch.entries()[0].to == first);
  CHECK(as_text(batch.view(batch.entries()[1])) == "bc");
  CHECK(batch.entries()[2].to == second);
  CHECK(batch.total_bytes() == 3);
}

TEST_CASE("packet_batch keeps earlier packets when it grows, and commits less than was allocated") {
  packet_batch batch;
  batch.append(as_bytes("start"));
  auto room = batch.allocate(100000);
  room[0] = 'x';
  batch.commit(1);
  batch.append(as_bytes("end"));
  CHECK(as_text(batch.view(batch.entries()[0])) == "start");
  CHECK(as_text(batch.view(batch.entries()[1])) == "x");
  CHECK(as_text(batch.view(batch.entries()[2])) == "end");
  batch.clear();
  CHECK(batch.empty());
  CHECK(batch.total_bytes() == 0);
}

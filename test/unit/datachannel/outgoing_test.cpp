#include "datachannel/outgoing.hpp"

#include "datachannel/fifo.hpp"

#include <doctest/doctest.h>

using namespace asiortc;
using namespace asiortc::datachannel;
using tickets = std::vector<std::uint64_t>;

namespace {

void push(outgoing& out, std::uint64_t ticket, std::size_t size) {
  out.push({outgoing_kind::binary, ticket, {}, base::bytes(size)});
}

}  // namespace

TEST_CASE("a fifo keeps its order through pushes, pops and erasures") {
  fifo<int> queue;
  int next_in = 0;
  int next_out = 0;
  for (int round = 0; round < 1000; ++round) {
    for (int i = 0; i < round % 7; ++i) queue.push_back(next_in++);
    while (queue.size() > 3) CHECK(queue.pop_front() == next_out++);
  }
  const int erased = *(queue.begin() + 1);
  queue.erase(queue.begin() + 1);
  CHECK(queue.pop_front() == next_out);
  CHECK(queue.front() == erased + 1);
  queue.clear();
  CHECK(queue.empty());
  CHECK(queue.size() == 0);
}

TEST_CASE("only user data counts in the buffered amount, all bytes count on the wire") {
  outgoing out;
  out.push({outgoing_kind::open, 0, {}, base::bytes(20)});
  push(out, 1, 100);
  push(out, 2, 0);
  push(out, 3, 50);
  CHECK(out.buffered_amount() == 150);
  out.front_sent(20);
  out.front_sent(100);
  out.front_sent(1);
  out.front_sent(50);
  CHECK(out.buffered_amount() == 150);
  out.acknowledge(60);
  CHECK(out.buffered_amount() == 110);
  out.acknowledge(61);
  CHECK(out.buffered_amount() == 50);
  CHECK_FALSE(out.idle());
  out.acknowledge(50);
  CHECK(out.buffered_amount() == 0);
  CHECK(out.idle());
  out.acknowledge(1000);
  CHECK(out.idle());
}

TEST_CASE("a flush waits for what is queued and in flight, and for nothing later") {
  outgoing out;
  push(out, 1, 10);
  push(out, 2, 10);
  out.front_sent(10);
  out.add_flush(100);
  push(out, 3, 10);
  CHECK(out.take_flushed().empty());
  out.front_sent(10);
  out.acknowledge(19);
  CHECK(out.take_flushed().empty());
  out.front_sent(10);
  out.acknowledge(1);
  CHECK(out.take_flushed() == tickets{100});
}

TEST_CASE("a flush of nothing is done at once") {
  outgoing out;
  out.add_flush(1);
  CHECK(out.take_flushed() == tickets{1});
}

TEST_CASE("a flush is done when what it waited for is taken back") {
  outgoing out;
  push(out, 1, 10);
  out.add_flush(2);
  push(out, 3, 10);
  CHECK(out.cancel(1));
  CHECK_FALSE(out.cancel(1));
  CHECK_FALSE(out.cancel(0));
  CHECK(out.take_flushed() == tickets{2});
  CHECK(out.buffered_amount() == 10);
}

TEST_CASE("dropping the queue makes only those flushes hopeless that wait for it") {
  outgoing out;
  push(out, 1, 10);
  out.front_sent(10);
  out.add_flush(2);
  push(out, 3, 10);
  out.add_flush(4);
  CHECK(out.drop_queued() == tickets{3});
  CHECK(out.take_hopeless_flushes(false) == tickets{4});
  CHECK(out.buffered_amount() == 10);
  out.acknowledge_all();
  CHECK(out.take_flushed() == tickets{2});
}

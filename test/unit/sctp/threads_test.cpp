// Two threads, each with associations of its own, in one usrsctp. For the thread sanitizer.
#include "sctp/association.hpp"
#include "virtual_time.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <thread>

namespace asiortc::test {
namespace {

struct driven_end {
  std::shared_ptr<std::atomic<int>> wakes = std::make_shared<std::atomic<int>>(0);
  std::unique_ptr<sctp::association> association =
      sctp::usrsctp_engine().create({}, [counter = wakes] { ++*counter; });
  std::size_t received = 0;
};

/// Moves packets from one to the other and counts what arrives.
void carry(driven_end& from, driven_end& to) {
  base::packet_batch batch;
  from.association->poll_packets(batch);
  if (!batch.empty()) to.association->handle_packets(virtual_now(), batch);
  while (auto event = to.association->poll_event()) {
    if (auto* message = std::get_if<sctp::message_received>(&*event)) {
      to.received += message->payload.size();
    }
  }
}

/// One pair's life: connect, many messages, a reset, the end. Returns what arrived.
std::size_t drive_pair() {
  driven_end a;
  driven_end b;
  a.association->connect(virtual_now());
  b.association->connect(virtual_now());
  const base::bytes payload(5000, 7);
  sctp::send_options options;
  options.stream = sctp::stream_id{1};
  for (int round = 0; round < 300; ++round) {
    advance_virtual_time(std::chrono::milliseconds(1));
    sctp::usrsctp_engine().tick(virtual_now());
    if (round >= 20 && round < 120) {
      static_cast<void>(a.association->send(virtual_now(), options, payload));
    }
    if (round == 200) {
      a.association->reset_streams(virtual_now(), std::vector<sctp::stream_id>{options.stream});
    }
    carry(a, b);
    carry(b, a);
  }
  a.association->abort(virtual_now());
  carry(a, b);
  return b.received;
}

}  // namespace

TEST_CASE("two threads drive pairs of their own at once, each ticking the engine") {
  std::atomic<std::size_t> complete = 0;
  const auto work = [&complete] {
    for (int i = 0; i < 10; ++i) {
      if (drive_pair() == 100 * 5000) ++complete;
    }
  };
  std::thread first(work);
  std::thread second(work);
  first.join();
  second.join();
  CHECK(complete == 20);
}

}  // namespace asiortc::test

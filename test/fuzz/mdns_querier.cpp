// A script of wishes, cancellations, datagrams and time keeps the querier's promises: every wish
// ends once or was cancelled, nothing is asked for without a wish, and all is over in time.
#include "mdns/querier.hpp"

#include <cstdlib>
#include <set>

using namespace asiortc;

namespace {

void check(bool promise) {
  if (!promise) std::abort();
}

struct script {
  mdns::querier querier;
  base::time_point now{};
  std::set<mdns::resolution_id> open;

  void drain() {
    while (const auto query = querier.poll_transmit()) check(!query->empty());
    while (const auto event = querier.poll_event()) {
      check(open.erase(event->id) == 1);
      check(event->addresses.size() <= mdns::querier::max_addresses);
    }
    check(querier.idle() == open.empty());
  }

  void step(base::byte_reader& input) {
    switch (input.u8() % 4) {
      case 0: {
        const std::string name(base::as_text(input.take(input.u8() % 40)));
        open.insert(querier.resolve(now, input.u8() % 2 == 0 ? name + ".local" : name));
        break;
      }
      case 1: {
        if (open.empty()) break;
        const auto id = *open.begin();
        querier.cancel(id);
        open.erase(id);
        break;
      }
      case 2: {
        const base::byte_span data = input.take(input.u16() % 1024);
        querier.handle_datagram(now, data, {{}, 5353});
        break;
      }
      default:
        now += std::chrono::milliseconds(input.u8());
        querier.handle_timeout(now);
    }
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  base::byte_reader input({data, size});
  script run;
  while (input.remaining() > 0) {
    run.step(input);
    run.drain();
  }
  while (run.querier.next_deadline() != base::never) {
    check(run.querier.next_deadline() >= run.now || !run.open.empty());
    run.now = std::max(run.now, run.querier.next_deadline());
    run.querier.handle_timeout(run.now);
    run.drain();
  }
  check(run.open.empty());
  return 0;
}

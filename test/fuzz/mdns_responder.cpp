// A script of names, questions and time keeps the responder's promises: it tells of its own names
// alone, multicasts none of them twice in a second, answers single hosts within the bound, and says
// goodbye once.
#include "mdns/responder.hpp"

#include <cstdlib>
#include <map>
#include <string>

using namespace asiortc;

namespace {

void check(bool promise) {
  if (!promise) std::abort();
}

struct told {
  base::time_point multicast_at = base::time_point::min();
  base::time_point second{};
  std::size_t unicasts = 0;
};

struct script {
  mdns::responder responder;
  base::time_point now{std::chrono::hours(1)};
  std::map<std::string, told> names;

  void drain() {
    while (const auto sent = responder.poll_transmit()) {
      const auto message = mdns::parse_message(sent->bytes);
      check(message && message->response && message->addresses.size() == 1);
      const auto& record = message->addresses.front();
      if (record.ttl == 0) {
        check(!sent->to && !names.contains(record.name));
        continue;
      }
      check(names.contains(record.name));
      note(names[record.name], sent->to.has_value());
    }
    check(responder.idle() == names.empty());
    check(responder.next_deadline() > now);
  }

  void note(told& of, bool unicast) {
    if (!unicast) {
      check(of.multicast_at == base::time_point::min() ||
            now - of.multicast_at >= mdns::responder::multicast_gap);
      of.multicast_at = now;
      return;
    }
    if (now - of.second >= std::chrono::seconds(1)) {
      of.second = now;
      of.unicasts = 0;
    }
    check(++of.unicasts <= mdns::responder::max_unicasts);
  }

  static std::string name_of(std::uint8_t number) {
    return "n" + std::to_string(number % 4) + ".local";
  }

  void step(base::byte_reader& input) {
    const std::uint8_t what = input.u8();
    const std::string name = name_of(input.u8());
    switch (what % 5) {
      case 0:
        if (names.try_emplace(name).second) responder.add(name, {}, what / 5 % 3);
        break;
      case 1:
        names.erase(name);
        responder.remove(now, name);
        break;
      case 2: {
        mdns::message query;
        const auto type = what % 2 == 0 ? mdns::record_type::a : mdns::record_type::any;
        for (int i = 0; i < what / 16; ++i) query.questions.push_back({name, type, what > 127});
        const auto port = input.u8() % 2 == 0 ? mdns::port : std::uint16_t{53};
        responder.handle_datagram(now, mdns::write_message(query), {{}, port}, 1, true);
        break;
      }
      case 3: {
        const base::byte_span data = input.take(input.u16() % 1024);
        responder.handle_datagram(now, data, {{}, input.u16()}, 1, what % 2 == 0);
        break;
      }
      default:
        now += std::chrono::milliseconds(input.u8());
        responder.handle_timeout(now);
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
  while (run.responder.next_deadline() != base::never) {
    run.now = run.responder.next_deadline();
    run.responder.handle_timeout(run.now);
    run.drain();
  }
  return 0;
}

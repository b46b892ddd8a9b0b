// Whatever a server, or who pretends to be one, answers: few packets are sent, all is over in time,
// and what is found out is consistent.
#include "stun/message_builder.hpp"
#include "stun/nat_discovery.hpp"
#include "support/seeded_random.hpp"

#include <cstdlib>
#include <vector>

using namespace asiortc;

namespace {

void check(bool promise) {
  if (!promise) std::abort();
}

class script {
 public:
  explicit script(base::byte_span input) : input_(input), core_(make_settings(), random_) {
    core_.start(now_);
    drain();
  }

  void run() {
    while (input_.remaining() > 0) {
      step();
      drain();
    }
    while (!core_.done()) {
      check(core_.next_deadline() != base::never);
      now_ = std::max(now_, core_.next_deadline());
      core_.handle_timeout(now_);
      drain();
    }
    check(core_.next_deadline() == base::never);
    const auto& found = core_.findings();
    const bool told =
        found.mapping != nat_behaviour::unknown || found.filtering != nat_behaviour::unknown;
    check(!told || (found.mapped && found.other));
    check(!found.other || found.other->address != make_settings().server.address);
    check(!found.mapped || (!found.unreachable && found.refused_with == 0));
  }

 private:
  struct asked {
    stun::transaction_id id;
    base::route to;
  };

  static stun::nat_discovery_settings make_settings() {
    stun::nat_discovery_settings settings;
    settings.server = {base::ip_address::v4({198, 51, 100, 1}), 3478};
    return settings;
  }

  void drain() {
    base::packet_batch batch;
    core_.poll_transmit(batch);
    for (const auto& packet : batch.entries()) {
      const auto message = stun::message_view::parse(batch.view(packet));
      check(message && message->kind() == stun::message_class::request);
      asked_.push_back({message->transaction(), packet.to});
    }
    // Six questions, three times each.
    check(asked_.size() <= 18);
  }

  void step() {
    const std::uint8_t what = input_.u8();
    const asked& one = asked_[(what >> 2) % asked_.size()];
    switch (what % 4) {
      case 0:
        return answer(one);
      case 1:
        return give(input_.take(input_.u8()), one.to);
      case 2:
        now_ += std::chrono::milliseconds(input_.u8() * 10);
        return core_.handle_timeout(now_);
      default:
        core_.handle_send_error(one.to);
    }
  }

  /// The right transaction, with any attributes, from one of four places.
  void answer(const asked& one) {
    const std::uint8_t how = input_.u8();
    base::route from = one.to;
    if ((how & 1) != 0) from.remote.address = base::ip_address::v4({198, 51, 100, 2});
    if ((how & 2) != 0) from.remote.port = 3479;
    const auto kind = (how & 4) != 0 ? stun::message_class::error : stun::message_class::success;
    stun::message_builder message(kind, stun::method::binding, one.id);
    for (int count = how >> 5; count > 0; --count) {
      const auto type = static_cast<stun::attribute_type>(input_.u16());
      message.add(type, input_.take(input_.u8() % 64));
    }
    give(message.bytes(), from);
  }

  void give(base::byte_span bytes, const base::route& from) {
    base::bytes copy(bytes.begin(), bytes.end());
    base::datagram datagram;
    datagram.bytes = copy;
    datagram.from = from;
    core_.handle_datagram(now_, datagram);
  }

  base::byte_reader input_;
  test::seeded_random random_{1};
  base::time_point now_{std::chrono::hours(1)};
  stun::nat_discovery core_;
  std::vector<asked> asked_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  script({data, size}).run();
  return 0;
}

// Bytes drive an agent: its owner's calls, the passing of time, and a peer that knows the
// credentials, so that its checks and answers are authentic as often as they are damaged.
#include "ice/agent.hpp"
#include "ice/check_message.hpp"
#include "stun/message_builder.hpp"
#include "support/seeded_random.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

using namespace asiortc;

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

class driver {
 public:
  explicit driver(base::byte_span script) : script_(script), agent_(make_settings(), random_, {}) {}

  void run() {
    while (script_.remaining() > 0) {
      act(script_.u8() % 16);
      settle();
    }
  }

 private:
  ice::agent_settings make_settings() {
    ice::agent_settings settings;
    settings.max_pairs = 6;
    settings.max_remote_candidates = 8;
    const std::uint8_t kind = script_.u8() % 16;
    settings.relay_only = kind == 15;
    settings.lite = kind == 14;
    settings.tcp = true;
    return settings;
  }

  void act(int what) {
    switch (what) {
      case 0:
        return pass_time(std::chrono::milliseconds(script_.u8()));
      case 1:
        return pass_time(std::chrono::milliseconds(100) * script_.u8());
      case 2:
        return run_timers(1 + script_.u8() % 32);
      case 3:
      case 4:
        return send_check();
      case 5:
      case 6:
        return answer_request();
      case 7:
        return add_candidate();
      case 8:
        return agent_.set_remote_credentials(now_, peer(script_.u8() % 3));
      case 9:
        return change_sockets();
      case 10:
        return agent_.add_stun_server(now_, address(script_.u8()));
      case 11:
        return negotiate(script_.u8() % 16);
      case 12:
        return send_raw();
      case 13:
        return agent_.handle_send_error(now_, route());
      case 14:
        return agent_.note_data_received(now_, route());
      default:
        return agent_.set_role(script_.u8() % 2 == 0 ? ice::role::controlling
                                                     : ice::role::controlled);
    }
  }

  void negotiate(int what) {
    switch (what) {
      case 0:
        return agent_.restart(now_);
      case 1:
        return agent_.finish_gathering(now_);
      case 2:
        return agent_.hold_remote_candidate(now_);
      case 3:
        return agent_.release_remote_candidate(now_);
      case 4:
        return agent_.end_of_remote_candidates(now_);
      case 5:
        return agent_.set_remote_lite(script_.u8() % 2 == 0);
      case 6:
        if (script_.u8() == 255) agent_.close();
        return;
      case 7:
        (void)agent_.is_known_route(route());
        return;
      case 8:
        return agent_.abandon_restart(now_);
      case 9:
        return lose_connection(route());
      default:
        return gather_outside(script_.u8());
    }
  }

  void lose_connection(const base::route& which) {
    agent_.handle_connection_lost(now_, which);
    require(!agent_.data_route() || agent_.data_route() != which);
  }

  /// What a TURN client beside the agent tells it.
  void gather_outside(std::uint8_t what) {
    const auto id = static_cast<base::socket_id>(1 + what / 4 % 8);
    const base::ip_address server = base::ip_address::v4({192, 0, 2, 1});
    switch (what % 4) {
      case 0:
        ++held_;
        return agent_.hold_gathering();
      case 1:
        if (held_ == 0) return;
        --held_;
        return agent_.release_gathering(now_);
      case 2:
        return agent_.add_reflexive_address(now_, id, address(script_.u8()),
                                            base::endpoint{server, 3478});
      default:
        return agent_.add_relayed_socket(now_, {id, address(what >> 5), address(9), server, what});
    }
  }

  void pass_time(base::duration time) {
    now_ += time;
    agent_.handle_timeout(now_);
  }

  void run_timers(int count) {
    while (count-- > 0 && agent_.next_deadline() != base::never) {
      now_ = std::max(now_, agent_.next_deadline());
      agent_.handle_timeout(now_);
      settle();
    }
  }

  ice::credentials peer(int which) const {
    return {"peer" + std::to_string(which), "the password of a peer"};
  }

  base::endpoint address(std::uint8_t which) const {
    if (which % 8 == 7) return *base::endpoint::parse("[2001:db8::1]:5000");
    return {base::ip_address::v4({10, 0, 0, 1}), static_cast<std::uint16_t>(5000 + which % 8)};
  }

  base::route route() {
    const std::uint8_t which = script_.u8();
    return {static_cast<base::socket_id>(1 + which / 64), address(which)};
  }

  void give(base::bytes message, const base::route& from) {
    const std::uint8_t damage = script_.u8();
    if (damage >= 240 && !message.empty()) {
      message[script_.u8() % message.size()] ^= static_cast<std::uint8_t>(1U << damage % 8);
    }
    base::datagram datagram;
    datagram.bytes = message;
    datagram.from = from;
    agent_.handle_datagram(now_, datagram);
  }

  void send_check() {
    const std::uint8_t flags = script_.u8();
    ice::check_request check;
    check.id = ice::make_transaction_id(random_);
    check.priority = script_.u8() * 1000000U;
    check.as = (flags & 1) != 0 ? ice::role::controlling : ice::role::controlled;
    check.tie_breaker = (flags & 2) != 0 ? UINT64_MAX : 0;
    check.use_candidate = (flags & 4) != 0;
    const auto& local = (flags & 8) != 0 && old_ ? *old_ : agent_.local_credentials();
    give(ice::build_check(check, peer(flags >> 6), local), route());
  }

  void answer_request() {
    if (asked_.empty()) return;
    const std::uint8_t how = script_.u8();
    const auto request = asked_[script_.u8() % asked_.size()];
    const auto message = stun::message_view::parse(request.bytes);
    require(message.has_value());
    auto from = request.to;
    if (how % 16 == 15) from.remote = address(how >> 4);
    const auto mapped = address(how >> 4);
    const auto keys = agent_.remote_credentials().value_or(peer(0));
    if (!message->has(stun::attribute_type::username)) {
      stun::message_builder answer(stun::message_class::success, stun::method::binding,
                                   message->transaction());
      answer.add_xor_address(stun::attribute_type::xor_mapped_address, mapped);
      return give(std::move(answer).take(), from);
    }
    if (how % 8 == 6) return give(ice::build_error(*message, 487, "Role Conflict", keys), from);
    if (how % 16 == 7) return give(ice::build_error(*message, 400, "Bad Request", keys), from);
    give(ice::build_success(*message, mapped, keys), from);
  }

  void add_candidate() {
    ice::candidate remote;
    const std::uint8_t kind = script_.u8();
    remote.address = address(script_.u8());
    remote.foundation = std::to_string(kind % 4);
    remote.priority = kind * 7000000U;
    remote.type = static_cast<candidate_type>(kind % 4);
    if (kind >= 250) remote.ufrag = "other";
    if (kind >= 224 && kind < 250) {
      remote.protocol = ice::transport_protocol::tcp;
      remote.tcp = static_cast<ice::tcp_type>(kind % 4);
    }
    (void)agent_.add_remote_candidate(now_, remote);
  }

  void change_sockets() {
    const std::uint8_t what = script_.u8();
    const auto id = static_cast<base::socket_id>(1 + what % 4);
    if (what >= 192) return agent_.remove_local_socket(now_, id);
    ice::local_socket socket{id, address(what >> 2), what};
    if (what >= 144) socket.tcp = what % 8 < 4 ? ice::tcp_type::active : ice::tcp_type::passive;
    agent_.add_local_socket(now_, socket);
  }

  void send_raw() {
    const base::byte_span bytes =
        script_.take(std::min<std::size_t>(script_.u8(), script_.remaining()));
    give({bytes.begin(), bytes.end()}, route());
  }

  /// What holds after every input.
  void settle() {
    base::packet_batch batch;
    agent_.poll_transmit(batch);
    for (const auto& packet : batch.entries()) {
      const auto bytes = batch.view(packet);
      const auto message = stun::message_view::parse(bytes);
      require(message && message->has_fingerprint());
      if (message->kind() != stun::message_class::request) continue;
      if (asked_.size() >= 16) asked_.erase(asked_.begin());
      asked_.push_back({{bytes.begin(), bytes.end()}, packet.to});
    }
    while (const auto event = agent_.poll_event()) {
      const bool complete = std::holds_alternative<ice::gathering_complete>(*event);
      require(!over_ && !(complete && held_ > 0));
    }
    over_ = agent_.state() == ice::agent_state::closed;
    const auto rows = agent_.pairs();
    require(rows.size() <= 12);
    require(!agent_.data_route() || std::any_of(rows.begin(), rows.end(), [](const auto& row) {
      return row.selected && row.valid;
    }));
    const bool over =
        agent_.state() == ice::agent_state::failed || agent_.state() == ice::agent_state::closed;
    require(!over || (!agent_.data_route() && agent_.next_deadline() == base::never));
    if (!old_) old_ = agent_.local_credentials();
    agent_.handle_timeout(now_);
    require(agent_.next_deadline() > now_);
  }

  struct asked {
    base::bytes bytes;
    base::route to;
  };

  base::byte_reader script_;
  test::seeded_random random_{1};
  base::time_point now_{std::chrono::hours(1)};
  ice::agent agent_;
  std::vector<asked> asked_;
  std::optional<ice::credentials> old_;
  int held_ = 0;
  bool over_ = false;  ///< closed, with no event left
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  driver({data, size}).run();
  return 0;
}

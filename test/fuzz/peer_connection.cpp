// Two whole peers, and between them a network and a signaling channel that the bytes spoil: packets
// are lost, doubled, altered and forged, descriptions and candidates changed, while either side
// does whatever its interface has. What must hold all the same is checked after each step.
#include "fuzz/spoiled_text.hpp"
#include "support/turn_server.hpp"
#include "support/virtual_pair.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <utility>

namespace {

using namespace asiortc;
using namespace std::chrono_literals;

const auto relay_address = *base::endpoint::parse("10.0.0.5:3478");

void require(bool condition) {
  if (!condition) std::abort();
}

/// What one side has sent, to know it again on the other.
struct sent_message {
  std::size_t size = 0;
  std::uint64_t seed = 0;
  bool text = false;
};

/// One side of the pair, and what is remembered of it.
struct side {
  test::virtual_peer& peer;
  std::vector<datachannel::channel_key> made;
  std::vector<sent_message> sent;
  std::map<datachannel::channel_key, std::size_t> next;  ///< in the other's `sent`
  std::size_t checked = 0;                               ///< of the peer's `received`
};

class story {
 public:
  explicit story(base::byte_span script) : script_(script), pair_(make_options()) {
    pair_.network.filter = [this](const test::virtual_packet& packet) { return pass(packet); };
    pair_.description_filter = [this](const test::virtual_peer&, session_description& changed) {
      return fuzz::spoil(description_damage_, changed.sdp);
    };
    pair_.candidate_filter = [this](const test::virtual_peer&, ice_candidate& changed) {
      return fuzz::spoil(candidate_damage_, changed.candidate);
    };
    for (side* each : {&a_, &b_}) {
      each->peer.resolve = [](const std::string&) { return test_addresses(); };
    }
    relay_.to_client = [this](const base::endpoint& client, base::byte_span bytes) {
      transmit(relay_address, client, bytes);
    };
    relay_.to_peer = [this](const base::endpoint& relayed, const base::endpoint& peer,
                            base::byte_span bytes) { transmit(relayed, peer, bytes); };
    relay_.refuse = [this](const stun::message_view&) { return std::exchange(refusal_, {}); };
  }

  void run() {
    for (int step = 0; step < longest_run && script_.remaining() > 0; ++step) {
      const std::uint8_t what = script_.u8();
      attempt([&] { act(what % 16, (what & 0x80) != 0 ? b_ : a_); });
      check();
    }
    end();
  }

 private:
  static constexpr int longest_run = 200;
  /// For the answers of TURN servers to which relays are given back.
  static constexpr base::duration farewell = 500ms;

  test::pair_options make_options() {
    test::pair_options options;
    options.seed = script_.u8();
    const std::uint8_t how = script_.u8();
    options.network.loss = (how & 7) / 32.0;
    options.network.duplication = (how >> 3 & 3) / 16.0;
    options.network.jitter = std::chrono::milliseconds(how >> 5) * 10;
    return options;
  }

  static std::vector<base::ip_address> test_addresses() {
    return {base::ip_address::v4({10, 0, 0, 1}), base::ip_address::v4({10, 0, 0, 2})};
  }

  /// The pair throws what a peer refuses, which is what most damage deserves.
  template <class Call>
  static void attempt(const Call& call) {
    try {
      call();
    } catch (const std::exception&) {
    }
  }

  void act(int what, side& of) {
    switch (what) {
      case 0:
        return wait(std::chrono::milliseconds(script_.u8()));
      case 1:
        return wait(std::chrono::milliseconds(100) * script_.u8());
      case 2:
        return create_channel(of);
      case 3:
      case 4:
        return send(of);
      case 5:
        return use_channel(of);
      case 6:
        return negotiate(of);
      case 7:
        return describe(of);
      case 8:
        packet_damage_ = script_.u8();
        packets_to_damage_ = script_.u8() % 32;
        return;
      case 9:
        return description_damage_.read(script_);
      case 10:
        return candidate_damage_.read(script_);
      case 11:
        return forge(of);
      case 12:
        return trickle(of);
      case 13:
        return change_network(of);
      case 14:
        return change_reading(of);
      default:
        return finish(of);
    }
  }

  void wait(base::duration time) {
    // Enough for every timer of a connection; the sum bounds what an input takes.
    constexpr base::duration longest = 100s;
    time = std::min(time, longest - waited_);
    waited_ += time;
    pair_.run_for(time);
  }

  void create_channel(side& of) {
    const std::uint8_t how = script_.u8();
    data_channel_init init;
    init.ordered = (how & 1) == 0;
    if ((how & 2) != 0) init.max_retransmits = how >> 5;
    if ((how & 4) != 0) init.max_packet_life_time = std::chrono::milliseconds(how);
    init.negotiated = (how & 8) != 0;
    if (init.negotiated) init.id = how >> 4;
    if ((how & 16) != 0) init.protocol = "fuzz";
    const auto made = of.peer.core().create_data_channel(pair_.now(), "channel", init);
    if (made) of.made.push_back(*made);
  }

  void send(side& of) {
    const auto channel = pick_channel(of);
    const std::uint16_t size = script_.u16();
    const sent_message next{size, sent_++, size % 2 == 0};
    const auto queued = of.peer.core().channels().send(
        pair_.now(), channel, test::make_message(next.size, next.seed, next.text));
    if (queued) of.sent.push_back(next);
    if (queued && size % 7 == 0) of.peer.core().channels().cancel_send(channel, *queued);
  }

  void use_channel(side& of) {
    auto& channels = of.peer.core().channels();
    const auto channel = pick_channel(of);
    const std::uint8_t how = script_.u8();
    if (how % 4 == 0) channels.close(pair_.now(), channel);
    if (how % 4 == 1) static_cast<void>(channels.flush(channel));
    if (how % 4 == 2) channels.set_low_threshold(channel, how);
    if (how % 8 == 3) channels.forget(channel);
    if (how % 8 == 7) channels.discard_received(pair_.now(), channel);
  }

  datachannel::channel_key pick_channel(side& of) {
    const std::uint8_t which = script_.u8();
    const auto& from = (which & 1) != 0 ? of.peer.opened_by_peer : of.made;
    if (from.empty()) return datachannel::channel_key{which};
    return from[which / 2 % from.size()];
  }

  /// What makes the pair exchange descriptions by itself.
  void negotiate(side& of) {
    if (script_.u8() % 2 == 0) of.peer.core().restart_ice(pair_.now());
    of.peer.negotiation_needed = true;
  }

  /// Descriptions made and set without the other side being told, or told something else.
  void describe(side& of) {
    auto& core = of.peer.core();
    const std::uint8_t how = script_.u8();
    const auto type = static_cast<sdp_type>(how >> 3 & 3);
    if (how % 8 == 0) static_cast<void>(core.create_offer(pair_.now(), {(how & 8) != 0}));
    if (how % 8 == 1) static_cast<void>(core.create_answer(pair_.now()));
    if (how % 8 == 2) static_cast<void>(core.set_local_description(pair_.now(), std::nullopt));
    if (how % 8 == 3) {
      static_cast<void>(core.set_local_description(pair_.now(), session_description(type, "")));
    }
    if (how % 8 < 4) return;
    auto& other = (&of == &a_ ? b_ : a_).peer.core();
    auto told = other.pending_local_description();
    if (!told) told = other.current_local_description();
    if (!told || !fuzz::spoil(description_damage_, told->sdp)) return;
    const auto before = core.current_signaling_state();
    const auto done =
        core.set_remote_description(pair_.now(), session_description(type, told->sdp));
    require(done || core.current_signaling_state() == before);
  }

  /// A datagram from nowhere, or from where the other side is.
  void forge(side& at) {
    const std::uint8_t how = script_.u8();
    base::bytes bytes;
    // First bytes of STUN, of DTLS in either epoch, and of neither.
    if (how % 4 == 1) bytes = {0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42};
    if (how % 4 == 2) bytes = {22, 0xfe, 0xfd, 0, static_cast<std::uint8_t>(how & 1)};
    if (how % 4 == 3) bytes = {static_cast<std::uint8_t>(20 + how / 64), 0xfe, 0xfd, 0, 1};
    const auto rest = script_.take(std::min<std::size_t>(script_.u8(), script_.remaining()));
    bytes.insert(bytes.end(), rest.begin(), rest.end());
    const bool known = (how & 4) != 0;
    const auto& other = &at == &a_ ? b_ : a_;
    deliver(at.peer, bytes, known ? other.peer.address() : *base::endpoint::parse("10.9.9.9:9"));
  }

  void deliver(test::virtual_peer& to, base::bytes bytes, const base::endpoint& from) {
    base::datagram datagram;
    datagram.bytes = bytes;
    datagram.from = {base::socket_id{1}, from};
    datagram.arrival = pair_.now();
    to.core().handle_datagrams(pair_.now(), {&datagram, 1});
  }

  void trickle(side& to) {
    ice_candidate value;
    const std::uint8_t how = script_.u8();
    if (how % 4 != 0) value.sdp_mid = how % 4 == 3 ? "none" : "0";
    if (how % 8 == 0) value.sdp_m_line_index = static_cast<std::uint16_t>(how >> 6);
    if ((how & 16) != 0) value.username_fragment = "none";
    value.candidate = (how & 32) != 0 ? "candidate:1 1 udp 2113937151 some.local 5002 typ host"
                                      : "candidate:1 1 udp 2113937151 10.0.0.2 5002 typ host";
    if (how == 1) value.candidate.clear();
    candidate_damage_.apply(value.candidate);
    static_cast<void>(to.peer.core().add_ice_candidate(pair_.now(), value));
  }

  void change_network(side& of) {
    auto& core = of.peer.core();
    const std::uint8_t how = script_.u8();
    if ((how & 8) != 0) return change_relays(of, how);
    const auto& other = &of == &a_ ? b_ : a_;
    if (how % 4 == 0) core.handle_send_error(pair_.now(), {base::socket_id{1}, of.peer.address()});
    if (how % 4 == 1) {
      core.handle_send_error(pair_.now(), {base::socket_id{1}, other.peer.address()});
    }
    if (how % 4 == 2) core.add_stun_server(pair_.now(), *base::endpoint::parse("10.0.0.3:3478"));
    if (how % 4 == 3) {
      core.add_local_socket(pair_.now(), {base::socket_id{2}, of.peer.address(), how});
    }
    if ((how & 128) != 0) of.peer.hidden_behind = "hidden.local";
    if ((how & 64) != 0) of.peer.resolve = nullptr;
  }

  void change_relays(side& of, std::uint8_t how) {
    auto& core = of.peer.core();
    const auto own = base::socket_id{1U + (how >> 7)};
    const peer::turn_server server{
        relay_address, "user", how >= 0xf0 ? "wrong" : "secret", "relay", {}};
    switch (how & 7) {
      case 0:
        return core.add_turn_server(pair_.now(), server);
      case 1:
        return core.add_turn_carrier(pair_.now(), {own, how % 32 >= 16, how}, server);
      case 2:
        return core.remove_socket(pair_.now(), own, errc::closed);
      case 3:
        return relay_.restart();
      case 4:
        return relay_.expire_nonce();
      case 5:
        refusal_ = static_cast<std::uint16_t>(400 + how / 2);
        return;
      case 6:
        relay_.settings().alternate = *base::endpoint::parse("10.0.0.6:3478");
        refusal_ = std::uint16_t{300};
        return;
      default:
        direct_ = !direct_;
        return;
    }
  }

  void change_reading(side& of) {
    const std::uint8_t how = script_.u8();
    of.peer.reads = (how & 1) != 0;
    of.peer.core().handle_wake(pair_.now());
    static_cast<void>(of.peer.core().selected_candidate_pair());
    static_cast<void>(of.peer.core().can_trickle_ice_candidates());
    if (const auto known = of.peer.core().sctp()) require(known->max_message_size > 0);
  }

  void finish(side& of) {
    const std::uint8_t how = script_.u8();
    if (how > 240) of.peer.core().close(pair_.now(), errc::closed);
    if (how > 200) of.peer.core().shutdown(pair_.now(), pair_.now() + 1s);
  }

  /// Whether a packet goes its way. An altered one takes its place.
  bool pass(const test::virtual_packet& packet) {
    require(!packet.bytes.empty());
    const bool through_relay = packet.from == relay_address || is_relayed(packet.from);
    if (!direct_ && !through_relay && packet.to != relay_address && !is_relayed(packet.to)) {
      return false;
    }
    if (packets_to_damage_ == 0) return take_by_relay(packet);
    --packets_to_damage_;
    if (packet_damage_ % 4 == 0) return false;
    base::bytes bytes = packet.bytes;
    const std::size_t place = packet_damage_ * 5 % bytes.size();
    if (packet_damage_ % 4 == 1) bytes[place] ^= static_cast<std::uint8_t>(packet_damage_ | 1);
    if (packet_damage_ % 4 == 2) bytes.resize(place);
    if (packet_damage_ % 4 == 3)
      bytes.insert(bytes.end(), packet.bytes.begin(), packet.bytes.end());
    for (side* each : {&a_, &b_}) {
      if (each->peer.address() == packet.to) deliver(each->peer, std::move(bytes), packet.from);
    }
    return false;
  }

  [[nodiscard]] bool is_relayed(const base::endpoint& address) {
    return address.address == relay_.settings().relay_v4;
  }

  /// False where it was for the relay, which takes it at once.
  bool take_by_relay(const test::virtual_packet& packet) {
    if (packet.to == relay_address) {
      relay_.handle_client(pair_.now(), packet.from, packet.bytes);
    } else if (is_relayed(packet.to)) {
      relay_.handle_peer(pair_.now(), packet.to, packet.from, packet.bytes);
    } else {
      return true;
    }
    return false;
  }

  void transmit(const base::endpoint& from, const base::endpoint& to, base::byte_span bytes) {
    pair_.network.send(pair_.now(), {{bytes.begin(), bytes.end()}, from, to});
  }

  void check() {
    check_messages(a_, b_);
    check_messages(b_, a_);
    for (const side* each : {&a_, &b_}) {
      auto& core = each->peer.core();
      const bool stable = core.current_signaling_state() == signaling_state::stable;
      require(!stable || !core.pending_local_description());
      require(!stable || !core.pending_remote_description());
      const bool closed = core.current_signaling_state() == signaling_state::closed;
      require(closed == (core.current_connection_state() == connection_state::closed));
      require(!closed || core.next_deadline() == base::never ||
              core.next_deadline() <= pair_.now() + farewell);
    }
  }

  /// Whatever the network does, only what was sent arrives, and in order where that was promised.
  static void check_messages(side& to, const side& from) {
    const auto& received = to.peer.received;
    for (; to.checked < received.size(); ++to.checked) {
      const auto channel = received[to.checked].channel;
      const message& value = received[to.checked].value;
      const auto info = to.peer.core().channels().info(channel);
      const bool ordered = info && info->init.ordered;
      const auto same = [&value](const sent_message& one) {
        return one.size == value.size() && one.text == value.is_text() &&
               test::make_message(one.size, one.seed, one.text) == value;
      };
      const auto begin =
          from.sent.begin() + static_cast<std::ptrdiff_t>(ordered ? to.next[channel] : 0);
      const auto found = std::find_if(begin, from.sent.end(), same);
      require(found != from.sent.end());
      to.next[channel] = static_cast<std::size_t>(found - from.sent.begin()) + 1;
    }
  }

  /// A graceful end is over by its deadline, whatever came before it, and nothing is due after it.
  void end() {
    const base::time_point deadline = pair_.now() + 1s;
    for (const side* each : {&a_, &b_}) each->peer.core().shutdown(pair_.now(), deadline);
    while (pair_.now() < deadline) attempt([&] { pair_.run_for(deadline - pair_.now()); });
    check();
    for (const side* each : {&a_, &b_}) require(each->peer.has_state(connection_state::closed));
    pair_.run_for(farewell);
    for (const side* each : {&a_, &b_}) require(each->peer.core().next_deadline() == base::never);
  }

  base::byte_reader script_;
  test::virtual_pair pair_;
  side a_{pair_.a, {}, {}, {}, 0};
  side b_{pair_.b, {}, {}, {}, 0};
  std::uint64_t sent_ = 0;
  base::duration waited_{};
  std::uint8_t packet_damage_ = 0;
  int packets_to_damage_ = 0;
  test::turn_server relay_{{}};
  std::optional<std::uint16_t> refusal_;
  bool direct_ = true;
  fuzz::damage description_damage_;
  fuzz::damage candidate_damage_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  story({data, size}).run();
  // What the engine keeps for a while is let go, so that inputs do not add up.
  auto& clock = test::virtual_clock::instance();
  clock.advance(1s);
  sctp::usrsctp_engine().tick(clock.now());
  return 0;
}

// Bytes drive a client: its owner's calls, the passing of time, losses, and a server that knows the
// credentials, so that its answers are authentic as often as they are damaged.
#include "support/seeded_random.hpp"
#include "support/turn_server.hpp"
#include "turn/client.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

using namespace asiortc;

namespace {

const auto server_address = *base::endpoint::parse("192.0.2.1:3478");
const auto client_address = *base::endpoint::parse("10.0.0.1:5000");

void require(bool condition) {
  if (!condition) std::abort();
}

class driver {
 public:
  explicit driver(base::byte_span script)
      : script_(script), server_(server_settings()), client_(client_settings(), random_) {
    server_.to_client = [this](const base::endpoint&, base::byte_span bytes) {
      answers_.emplace_back(bytes.begin(), bytes.end());
    };
    server_.refuse = [this](const stun::message_view&) { return std::exchange(refusal_, {}); };
    client_.start(now_);
    settle();
  }

  void run() {
    while (script_.remaining() > 0) {
      act(script_.u8() % 16);
      settle();
    }
    client_.close(now_);
    settle();
    if (answers_.size() % 2 == 0) exchange();
    // Whatever the server says, or where it says nothing.
    pass_time(std::chrono::milliseconds(500));
    require(client_.current_state() == turn::state::closed);
    require(client_.next_deadline() == base::never);
  }

 private:
  test::turn_server_settings server_settings() {
    test::turn_server_settings settings;
    const std::uint8_t flags = script_.u8();
    if ((flags & 1) != 0) settings.algorithms = {2, 1};
    if ((flags & 2) != 0) settings.algorithms.push_back(1);
    settings.anonymous = (flags & 4) != 0;
    settings.authenticate = (flags & 8) == 0;
    settings.sign_errors = (flags & 16) == 0;
    if ((flags & 32) != 0) settings.lifetime = std::chrono::seconds(20);
    if ((flags & 64) != 0) settings.relay_v4 = settings.relay_v6;
    if ((flags & 128) != 0) settings.nonce_lifetime = std::chrono::seconds(60);
    settings.alternate = client_address;
    return settings;
  }

  turn::settings client_settings() {
    turn::settings settings;
    const std::uint8_t flags = script_.u8();
    settings.server = {static_cast<base::socket_id>(1), server_address};
    settings.reliable = (flags & 1) != 0;
    if ((flags & 2) != 0) settings.family = turn::address_family::ipv6;
    settings.username = (flags & 12) == 12 ? "" : "user";
    settings.password = (flags & 48) == 48 ? "guess" : "secret";
    return settings;
  }

  void act(int what) {
    switch (what) {
      case 0:
        return pass_time(std::chrono::milliseconds(script_.u8()));
      case 1:
        return pass_time(std::chrono::seconds(script_.u8()));
      case 2:
        return run_timers(1 + script_.u8() % 16);
      case 3:
      case 4:
      case 5:
        return exchange();
      case 6:
        return give_answer();
      case 7:
        return server_.handle_peer(now_, relayed_, peer(), base::as_bytes("from a peer"));
      case 8:
      case 9:
        return send();
      case 10:
        return client_.bind_channel(now_, peer());
      case 11:
        return client_.permit(now_, peer());
      case 12:
        return give_raw();
      case 13:
        refusal_ = static_cast<std::uint16_t>(300 + script_.u8());
        return;
      case 14:
        return disturb(script_.u8() % 8);
      default:
        return give(forged_data());
    }
  }

  void pass_time(base::duration time) {
    now_ += time;
    client_.handle_timeout(now_);
  }

  void run_timers(int count) {
    while (count-- > 0 && client_.next_deadline() != base::never) {
      now_ = std::max(now_, client_.next_deadline());
      client_.handle_timeout(now_);
      settle();
    }
  }

  /// Everything under way arrives.
  void exchange() {
    for (auto& bytes : std::exchange(requests_, {})) {
      server_.handle_client(now_, client_address, bytes);
    }
    for (auto& bytes : std::exchange(answers_, {})) give(std::move(bytes));
  }

  /// One answer, again or out of order, perhaps damaged or from elsewhere.
  void give_answer() {
    if (!requests_.empty()) {
      const base::bytes request = requests_.back();
      server_.handle_client(now_, client_address, request);
    }
    if (answers_.empty()) return;
    base::bytes bytes = answers_[script_.u8() % answers_.size()];
    const std::uint8_t damage = script_.u8();
    if (damage >= 128 && !bytes.empty()) {
      bytes[script_.u8() % bytes.size()] ^= static_cast<std::uint8_t>(1U << damage % 8);
    }
    give(std::move(bytes), damage % 64 == 63 ? client_address : server_address);
  }

  void give_raw() {
    const base::byte_span bytes =
        script_.take(std::min<std::size_t>(script_.u8(), script_.remaining()));
    give({bytes.begin(), bytes.end()});
  }

  base::bytes forged_data() {
    stun::message_builder message(stun::message_class::indication, stun::method::data, {});
    message.add_xor_address(stun::attribute_type::xor_peer_address, peer());
    if (script_.u8() < 200) message.add_text(stun::attribute_type::data, "data");
    return std::move(message).take();
  }

  void disturb(int what) {
    switch (what) {
      case 0:
        return server_.restart();
      case 1:
        return server_.expire_nonce();
      case 2:
        server_.settings().lifetime = {};
        return;
      case 3:
        server_.settings().realm += "x";
        return;
      case 4:
        server_.settings().algorithms = {2};
        return;
      case 5:
        server_.settings().algorithms = {0x77};
        return;
      case 6:
        if (script_.u8() == 255) client_.close(now_);
        return;
      default:
        requests_.clear();
        return;
    }
  }

  base::endpoint peer() {
    const std::uint8_t which = script_.u8();
    const auto port = static_cast<std::uint16_t>(6000 + which % 4);
    if (relayed_.address.is_v6() != (which >= 240)) {
      return {*base::ip_address::parse("2001:db8::5"), port};
    }
    return {base::ip_address::v4({203, 0, 113, static_cast<std::uint8_t>(which / 4)}), port};
  }

  void send() {
    const auto to = peer();
    const base::bytes payload(script_.u8(), 'x');
    const auto kind =
        script_.u8() % 2 == 0 ? base::traffic_class::control : base::traffic_class::data;
    const std::size_t overhead = client_.overhead(to);
    base::packet_batch out;
    const bool taken = client_.send(now_, to, payload, kind, out);
    require(taken || out.empty());
    require(out.empty() || out.total_bytes() <= payload.size() + overhead);
    collect(out);
  }

  void give(base::bytes bytes, const base::endpoint& from = server_address) {
    base::datagram datagram;
    datagram.bytes = bytes;
    datagram.from = {static_cast<base::socket_id>(1), from};
    const auto outcome = client_.handle_datagram(now_, datagram);
    if (outcome.relayed && !outcome.relayed->payload.empty()) {
      const auto& payload = outcome.relayed->payload;
      require(payload.data() >= bytes.data() &&
              payload.data() + payload.size() <= bytes.data() + bytes.size());
    }
    require(outcome.taken || !outcome.relayed);
    require(outcome.taken || client_.dropped_datagrams() > 0 || from == server_address);
  }

  void collect(const base::packet_batch& batch) {
    for (const auto& entry : batch.entries()) {
      const auto bytes = batch.view(entry);
      require((entry.to == base::route{static_cast<base::socket_id>(1), server_address}));
      require(bytes.front() >= 64 || stun::message_view::parse(bytes));
      if (requests_.size() < 64) requests_.emplace_back(bytes.begin(), bytes.end());
    }
  }

  /// What holds after every input.
  void settle() {
    base::packet_batch batch;
    client_.poll_transmit(batch);
    collect(batch);
    while (const auto event = client_.poll_event()) {
      if (const auto* got = std::get_if<turn::allocated>(&*event)) {
        require(client_.current_state() != turn::state::closed && relayed_.port == 0);
        relayed_ = got->relayed;
      }
    }
    if (answers_.size() > 64) answers_.clear();
    client_.handle_timeout(now_);
    require(client_.next_deadline() > now_);
    const bool over = client_.current_state() > turn::state::allocated &&
                      client_.current_state() != turn::state::closing;
    require(!over || client_.next_deadline() == base::never);
  }

  base::byte_reader script_;
  test::seeded_random random_{1};
  base::time_point now_{std::chrono::hours(1)};
  test::turn_server server_;
  turn::client client_;
  std::vector<base::bytes> requests_;
  std::vector<base::bytes> answers_;
  std::optional<std::uint16_t> refusal_;
  base::endpoint relayed_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  driver({data, size}).run();
  return 0;
}

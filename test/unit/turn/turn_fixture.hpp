// A client and a server in virtual time, with the packets between them in the test's hands.
#pragma once

#include "support/seeded_random.hpp"
#include "support/turn_server.hpp"
#include "turn/client.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace asiortc::test {

using namespace std::chrono_literals;

inline const auto server_address = *base::endpoint::parse("192.0.2.1:3478");
inline const auto client_address = *base::endpoint::parse("10.0.0.1:5000");
inline const auto peer_a = *base::endpoint::parse("203.0.113.1:6000");
inline const auto peer_b = *base::endpoint::parse("203.0.113.2:6000");
constexpr auto client_socket = static_cast<base::socket_id>(1);

inline turn::settings client_settings() {
  turn::settings settings;
  settings.server = {client_socket, server_address};
  settings.username = "user";
  settings.password = "secret";
  return settings;
}

class turn_fixture {
 public:
  explicit turn_fixture(turn_server_settings server_settings = {},
                        turn::settings settings = client_settings(), std::uint64_t seed = 1)
      : server(std::move(server_settings)), random_(seed), client(std::move(settings), random_) {
    server.to_client = [this](const base::endpoint&, base::byte_span bytes) {
      carry(false, {bytes.begin(), bytes.end()});
    };
    server.to_peer = [this](const base::endpoint&, const base::endpoint& peer,
                            base::byte_span bytes) {
      at_peers.emplace_back(peer, base::as_text(bytes));
      if (echo) server.handle_peer(now, relayed(), peer, bytes);
    };
  }

  /// False loses the packet. Packets are numbered in the order in which they are sent.
  std::function<bool(int number, bool to_server, base::byte_span)> deliver;
  bool echo = false;

  void start() {
    started = now;
    client.start(now);
    settle();
  }
  bool allocate() {
    start();
    run_for(1s);
    return client.current_state() == turn::state::allocated;
  }

  /// The client is gone without a word, and another one is in its place.
  void crash() {
    client = turn::client(client_settings(), random_);
    events.clear();
  }

  /// The server answers each request of the method with the code.
  void refuse(stun::method method, std::uint16_t code) {
    server.refuse = [=](const stun::message_view& request) {
      return request.method() == method ? std::optional(code) : std::nullopt;
    };
  }

  bool send(const base::endpoint& peer, std::string_view text,
            base::traffic_class kind = base::traffic_class::control) {
    base::packet_batch out;
    const bool taken = client.send(now, peer, base::as_bytes(text), kind, out);
    carry_all(out);
    settle();
    return taken;
  }

  void permit(const base::endpoint& peer) {
    client.permit(now, peer);
    settle();
  }
  void bind_channel(const base::endpoint& peer) {
    client.bind_channel(now, peer);
    settle();
  }
  void close() {
    client.close(now);
    settle();
  }

  /// Something arrives from the server's address, or from another one.
  turn::outcome give(base::bytes bytes, const base::route& from = {client_socket, server_address}) {
    last_given = std::move(bytes);
    base::datagram datagram;
    datagram.bytes = last_given;
    datagram.from = from;
    const auto outcome = client.handle_datagram(now, datagram);
    if (outcome.relayed) {
      received.emplace_back(outcome.relayed->peer, base::as_text(outcome.relayed->payload));
    }
    settle();
    return outcome;
  }

  void run_until(base::time_point end) {
    while (true) {
      const auto arrival = in_flight_.empty() ? base::never : in_flight_.begin()->first;
      const auto next = std::min(arrival, client.next_deadline());
      if (next > end) break;
      now = std::max(now, next);
      if (arrival == next) {
        arrive();
      } else {
        client.handle_timeout(now);
      }
      settle();
    }
    now = end;
  }
  void run_for(base::duration time) { run_until(now + time); }

  template <class Event>
  const Event* find_event() const {
    for (const auto& event : events) {
      if (const auto* found = std::get_if<Event>(&event)) return found;
    }
    return nullptr;
  }

  [[nodiscard]] base::endpoint relayed() const {
    const auto* found = find_event<turn::allocated>();
    return found == nullptr ? base::endpoint{} : found->relayed;
  }

  using packet = std::pair<base::endpoint, std::string>;

  base::time_point now{1h};
  base::time_point started;
  turn_server server;

 private:
  seeded_random random_;

 public:
  turn::client client;
  std::vector<turn::event> events;
  std::vector<packet> received;  ///< what peers sent through the server
  std::vector<packet> at_peers;  ///< what came out of the relayed address
  std::vector<base::bytes> to_server;
  std::vector<base::bytes> to_client;
  std::vector<base::duration> sent_at;
  base::bytes last_given;

 private:
  void carry(bool towards_server, base::bytes bytes) {
    auto& log = towards_server ? to_server : to_client;
    log.push_back(bytes);
    if (deliver && !deliver(numbered_++, towards_server, bytes)) return;
    in_flight_.emplace(now + 10ms, std::pair(towards_server, std::move(bytes)));
  }

  void carry_all(const base::packet_batch& batch) {
    for (const auto& entry : batch.entries()) {
      const auto bytes = batch.view(entry);
      sent_at.push_back(now - started);
      if (entry.to != base::route{client_socket, server_address}) continue;
      carry(true, {bytes.begin(), bytes.end()});
    }
  }

  void arrive() {
    auto [towards_server, bytes] = std::move(in_flight_.begin()->second);
    in_flight_.erase(in_flight_.begin());
    if (towards_server) {
      server.handle_client(now, client_address, bytes);
    } else {
      give(std::move(bytes));
    }
  }

  void settle() {
    base::packet_batch out;
    client.poll_transmit(out);
    carry_all(out);
    while (auto event = client.poll_event()) events.push_back(*std::move(event));
  }

  std::multimap<base::time_point, std::pair<bool, base::bytes>> in_flight_;
  int numbered_ = 0;
};

}  // namespace asiortc::test

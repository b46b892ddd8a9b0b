// A peer with a TURN server beside it.
#pragma once

#include "support/turn_server.hpp"
#include "unit/peer/fixture.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace asiortc::test {

inline const auto relay_address = *base::endpoint::parse("203.0.113.1:3478");
inline const auto own_address = *base::endpoint::parse("192.0.2.1:4000");

/// A peer with a TURN server that does what the test wants.
class served_peer {
 public:
  explicit served_peer(peer::settings settings = {})
      : server(turn_server_settings{}), peer(1, std::move(settings)) {
    server.to_client = [this](const base::endpoint&, base::byte_span bytes) {
      waiting_.emplace_back(bytes.begin(), bytes.end());
    };
    peer.create_channel();
    REQUIRE(peer.set_local());
  }

  /// `name` hides the address of the peer's socket.
  void gather(const std::string& password, std::string name = "") {
    peer->add_turn_server(now, configured(password));
    peer.gather(std::move(name));
  }

  /// Asks the server over this alone.
  void gather_over(const peer::turn_carrier& carrier) {
    peer->add_turn_carrier(now, carrier, configured("secret"));
    peer.gather();
  }

  void run_until(base::time_point end) {
    while (true) {
      settle();
      const auto next = peer->next_deadline();
      if (next > end) break;
      now = std::max(now, next);
      peer->handle_timeout(now);
    }
    now = end;
  }

  template <class Event>
  std::vector<Event> told() const {
    std::vector<Event> found;
    for (const auto& each : peer.events) {
      if (const auto* event = std::get_if<Event>(&each)) found.push_back(*event);
    }
    return found;
  }

  turn_server server;
  lone_peer peer;
  base::time_point now = start;
  base::endpoint seen_as = own_address;  ///< by the server

 private:
  static peer::turn_server configured(const std::string& password) {
    peer::turn_server known;
    known.address = relay_address;
    known.username = "user";
    known.password = password;
    known.name = "turn:relay.test";
    return known;
  }

  void settle() {
    base::packet_batch batch;
    peer->poll_transmit(now, batch);
    for (const auto& packet : batch.entries()) {
      if (packet.to.remote == relay_address) {
        server.handle_client(now, seen_as, batch.view(packet));
      }
    }
    for (auto& bytes : std::exchange(waiting_, {})) {
      base::datagram datagram;
      datagram.bytes = bytes;
      datagram.from = {base::socket_id{1}, relay_address};
      peer->handle_datagrams(now, {&datagram, 1});
    }
    peer.drain();
    if (!batch.empty()) settle();
  }

  std::vector<base::bytes> waiting_;
};

}  // namespace asiortc::test

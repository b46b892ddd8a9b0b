// Two ICE agents with their TURN clients, as a transport joins them, on a virtual internet. DTLS
// is never begun.
#pragma once

#include "peer/transport.hpp"
#include "sim/matrix.hpp"
#include "support/seeded_random.hpp"

#include <deque>
#include <functional>
#include <vector>

namespace asiortc::test {

class agent_host {
 public:
  agent_host(virtual_internet& net, const nat_kind& kind, side which, std::uint64_t seed);
  agent_host(const agent_host&) = delete;
  agent_host& operator=(const agent_host&) = delete;

  // What `gather` calls.
  void add_local_socket(base::time_point now, const ice::local_socket& socket) {
    core_.add_local_socket(now, socket);
  }
  void add_stun_server(base::time_point now, const base::endpoint& server) {
    agent().add_stun_server(now, server);
  }
  void add_turn_server(base::time_point now, const peer::turn_server& server) {
    core_.add_turn_server(now, server);
  }
  void add_turn_carrier(base::time_point now, const peer::turn_carrier& carrier,
                        const peer::turn_server& server) {
    core_.add_turn_carrier(now, carrier, server);
  }

  [[nodiscard]] ice::agent& agent() { return core_.agent(); }
  [[nodiscard]] bool is_connected();
  /// Whether what it sends now passes the server; true also without a pair.
  [[nodiscard]] bool is_relaying();

  std::vector<ice::agent_state> states;
  std::function<void(const ice::candidate&)> on_candidate;
  std::function<void()> on_complete;

 private:
  friend class agents;

  void gather();
  void handle_timeout();
  /// Sends what there is to send, and takes the events.
  void pump();
  [[nodiscard]] base::time_point next_deadline() const { return core_.next_deadline(); }

  virtual_internet& net_;
  seeded_random random_;
  peer::transport core_;
  virtual_internet::site site_;
  base::packet_batch batch_;
  base::packet_batch plain_;
};

class agents {
 public:
  agents(const matrix_cell& cell, std::uint64_t seed, const network_conditions& conditions);

  [[nodiscard]] bool are_connected();
  /// Both connected, and what they send goes as it should.
  [[nodiscard]] bool go(bool direct);
  [[nodiscard]] bool have_failed() const;
  /// Lets things happen until the condition holds; false when it does not within the time.
  bool run_until(const std::function<bool()>& condition, base::duration limit);
  void run_for(base::duration time);

  virtual_internet net;
  agent_host offerer;
  agent_host answerer;

 private:
  /// Signaling is in order and loses nothing.
  void signal(std::function<void()> act);
  void trickle(agent_host& from, agent_host& to);
  void step_to(base::time_point then);

  std::deque<std::pair<base::time_point, std::function<void()>>> signals_;
};

}  // namespace asiortc::test

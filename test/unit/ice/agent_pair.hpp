// Two agents on a virtual network, signalling to each other, and a STUN server.
#pragma once

#include "ice/agent.hpp"
#include "stun/message_builder.hpp"
#include "stun/message_view.hpp"
#include "virtual_network.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace asiortc::test {

inline base::endpoint ep(std::string_view text) { return base::endpoint::parse(text).value(); }

/// One agent with its sockets and what it has said so far.
class ice_host {
 public:
  ice_host(virtual_network& net, std::uint64_t seed, ice::agent_settings settings = {})
      : net_(net), random_(seed), agent(settings, random_, {}) {}
  ice_host(const ice_host&) = delete;
  ice_host& operator=(const ice_host&) = delete;

  base::socket_id add_socket(const base::endpoint& address, nat* behind = nullptr,
                             std::uint16_t preference = 100, std::string name = {}) {
    const auto id = attach(address, behind);
    agent.add_local_socket(net_.now, {id, address, preference, std::move(name)});
    pump();
    return id;
  }

  /// One end of ICE-TCP; its packets go to `send_over_tcp`.
  void add_tcp_end(base::socket_id id, const base::endpoint& address, ice::tcp_type type) {
    agent.add_local_socket(net_.now, {id, address, 100, {}, type});
    pump();
  }

  /// As if a TURN server had lent the address.
  base::socket_id add_relayed(const base::endpoint& address, const base::endpoint& mapped) {
    const auto id = attach(address, nullptr);
    agent.add_relayed_socket(net_.now, {id, address, mapped, address.address, 100});
    pump();
    return id;
  }

  void remove_socket(base::socket_id id) {
    net_.detach(sockets_[id]);
    sockets_.erase(id);
    agent.remove_local_socket(net_.now, id);
    pump();
  }

  void receive(base::socket_id id, base::mutable_byte_span bytes, const base::endpoint& from) {
    if (deaf) return;
    base::datagram datagram;
    datagram.bytes = bytes;
    datagram.from = {id, from};
    datagram.arrival = net_.now;
    if (stun::looks_like_stun(bytes)) {
      agent.handle_datagram(net_.now, datagram);
    } else {
      agent.note_data_received(net_.now, datagram.from);
      data.push_back(datagram.from);
    }
    pump();
  }

  bool send_data() {
    const auto route = agent.data_route();
    if (!route) return false;
    const base::bytes payload{200, 1, 2, 3};
    net_.send(sockets_.at(route->local), route->remote, payload);
    agent.note_data_sent(net_.now);
    return true;
  }

  /// Sends what there is to send and takes the events.
  void pump() {
    base::packet_batch batch;
    agent.poll_transmit(batch);
    for (const auto& packet : batch.entries()) {
      const auto socket = sockets_.find(packet.to.local);
      if (socket != sockets_.end()) {
        net_.send(socket->second, packet.to.remote, batch.view(packet));
      } else if (send_over_tcp) {
        send_over_tcp(packet.to, batch.view(packet));
      }
    }
    while (auto event = agent.poll_event()) take(std::move(*event));
  }

  /// Runs the agent's timer if it is due; it must not ask to be woken at once again.
  void handle_timeout() {
    if (agent.next_deadline() <= net_.now) agent.handle_timeout(net_.now);
    REQUIRE(agent.next_deadline() > net_.now);
    pump();
  }

  [[nodiscard]] bool connected() const {
    return agent.state() == ice::agent_state::connected ||
           agent.state() == ice::agent_state::completed;
  }
  [[nodiscard]] bool nominated() const { return selected_row() && selected_row()->nominated; }
  [[nodiscard]] std::optional<ice::pair_report> selected_row() const {
    for (const auto& row : agent.pairs()) {
      if (row.selected) return row;
    }
    return std::nullopt;
  }
  [[nodiscard]] std::uint64_t requests_sent() const {
    std::uint64_t sum = 0;
    for (const auto& row : agent.pairs()) sum += row.requests_sent;
    return sum;
  }

 private:
  base::socket_id attach(const base::endpoint& address, nat* behind) {
    const auto id = static_cast<base::socket_id>(++last_socket_);
    sockets_[id] = address;
    net_.attach(
        address,
        [this, id](base::mutable_byte_span bytes, const base::endpoint& from) {
          receive(id, bytes, from);
        },
        behind);
    return id;
  }

  void take(ice::event event) {
    if (auto* gathered = std::get_if<ice::local_candidate_gathered>(&event)) {
      candidates.push_back(gathered->value);
      if (on_candidate) on_candidate(gathered->value);
    } else if (std::holds_alternative<ice::gathering_complete>(event)) {
      ++gathering_completes;
      if (on_complete) on_complete();
    } else if (auto* changed = std::get_if<ice::state_changed>(&event)) {
      states.push_back(changed->now);
      reason = changed->reason;
    } else if (auto* selected = std::get_if<ice::selected_pair_changed>(&event)) {
      selections.push_back(*selected);
    } else if (auto* failed = std::get_if<ice::server_failed>(&event)) {
      server_failures.push_back(std::move(*failed));
    } else if (std::holds_alternative<ice::selected_path_lost>(event)) {
      ++lost_paths;
    } else {
      ++writables;
    }
  }

  virtual_network& net_;
  seeded_random random_;
  std::map<base::socket_id, base::endpoint> sockets_;
  std::uint32_t last_socket_ = 0;

 public:
  ice::agent agent;
  bool deaf = false;
  std::vector<ice::candidate> candidates;
  std::vector<ice::agent_state> states;
  std::vector<ice::selected_pair_changed> selections;
  std::vector<ice::server_failed> server_failures;
  std::vector<base::route> data;
  base::failure reason = boost::system::error_code{};
  int gathering_completes = 0;
  int writables = 0;
  int lost_paths = 0;
  std::function<void(const ice::candidate&)> on_candidate;
  std::function<void()> on_complete;
  std::function<void(const base::route&, base::byte_span)> send_over_tcp;
};

/// Answers Binding requests with the address they came from.
inline void attach_stun_server(virtual_network& net, const base::endpoint& address) {
  net.attach(address, [&net, address](base::byte_span bytes, const base::endpoint& from) {
    const auto request = stun::message_view::parse(bytes);
    if (!request || request->kind() != stun::message_class::request) return;
    stun::message_builder answer(stun::message_class::success, stun::method::binding,
                                 request->transaction());
    answer.add_xor_address(stun::attribute_type::xor_mapped_address, from).add_fingerprint();
    net.send(address, from, answer.bytes());
  });
}

class agent_pair {
 public:
  explicit agent_pair(std::uint64_t seed = 1, const link_settings& link = {},
                      const ice::agent_settings& settings = {})
      : agent_pair(seed, link, settings, settings) {}
  agent_pair(std::uint64_t seed, const link_settings& link, const ice::agent_settings& of_left,
             const ice::agent_settings& of_right)
      : net(seed, link), left(net, seed * 2 + 1, of_left), right(net, seed * 2 + 2, of_right) {
    left.agent.set_role(ice::role::controlling);
    right.agent.set_role(ice::role::controlled);
  }

  void add_default_sockets() {
    left.add_socket(ep("10.0.0.1:1000"));
    right.add_socket(ep("10.0.0.2:2000"));
  }

  /// Offer and answer: credentials at once, candidates as they come, then the end of them.
  void signal() {
    exchange_credentials();
    trickle(left, right);
    trickle(right, left);
    left.agent.finish_gathering(net.now);
    right.agent.finish_gathering(net.now);
    pump();
  }

  void exchange_credentials() {
    left.agent.set_remote_credentials(net.now, right.agent.local_credentials());
    right.agent.set_remote_credentials(net.now, left.agent.local_credentials());
    pump();
  }

  /// Candidates gathered so far and from now on go to the other side.
  void trickle(ice_host& from, ice_host& to) {
    from.on_candidate = [this, &to](const ice::candidate& value) {
      const auto parsed = ice::parse_candidate(ice::to_string(value));
      REQUIRE(parsed.has_value());
      (void)to.agent.add_remote_candidate(net.now, *parsed);
      to.pump();
    };
    from.on_complete = [this, &to] {
      to.agent.end_of_remote_candidates(net.now);
      to.pump();
    };
    const auto known = from.candidates;
    const std::string& ufrag = from.agent.local_credentials().ufrag;
    for (const auto& value : known) {
      if (value.ufrag == ufrag) from.on_candidate(value);
    }
  }

  void pump() {
    left.pump();
    right.pump();
  }

  /// One step of virtual time; false if nothing will ever happen again or not before `limit`.
  bool step(base::time_point limit) {
    const auto when =
        std::min({net.next(), left.agent.next_deadline(), right.agent.next_deadline()});
    if (when > limit) return false;
    net.advance(std::max(when, net.now));
    for (ice_host* host : {&left, &right}) {
      host->handle_timeout();
    }
    return true;
  }

  void run_for(base::duration time) {
    const auto limit = net.now + time;
    while (step(limit)) {
    }
    net.now = limit;
  }

  bool run_until(const std::function<bool()>& done, base::duration at_most) {
    const auto limit = net.now + at_most;
    while (!done()) {
      if (!step(limit)) return false;
    }
    return true;
  }

  bool connect(base::duration at_most = 40s) {
    return run_until([this] { return left.nominated() && right.nominated(); }, at_most);
  }

  virtual_network net;
  ice_host left;
  ice_host right;
};

}  // namespace asiortc::test

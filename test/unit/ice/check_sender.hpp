// A peer made of nothing but messages, for an agent that is tested alone.
#pragma once

#include "agent_pair.hpp"
#include "ice/check_message.hpp"

namespace asiortc::test {

/// Knows the agent's credentials and sends it what it likes from one address.
class check_sender {
 public:
  explicit check_sender(ice::agent_settings settings = {}) : net(1, {}), host(net, 11, settings) {
    host.agent.set_role(ice::role::controlled);
    host.add_socket(ep("10.0.0.1:1000"));
    net.attach(address, [this](base::mutable_byte_span bytes, const base::endpoint&) {
      received.emplace_back(bytes.begin(), bytes.end());
    });
  }

  void start() {
    host.agent.set_remote_credentials(net.now, own);
    host.pump();
  }

  ice::check_request request() {
    ice::check_request check;
    check.id = ice::make_transaction_id(random);
    check.priority = 1000;
    check.as = ice::role::controlling;
    check.tie_breaker = 1;
    return check;
  }

  base::bytes build(const ice::check_request& check) {
    return ice::build_check(check, own, host.agent.local_credentials());
  }

  void give(base::bytes message, const base::endpoint& from) {
    host.receive(base::socket_id{1}, message, from);
    run_for(0ms);
  }
  void give(base::bytes message) { give(std::move(message), address); }

  void run_for(base::duration time) {
    const auto limit = net.now + time;
    while (true) {
      const auto when = std::min(net.next(), host.agent.next_deadline());
      if (when > limit) break;
      net.advance(std::max(when, net.now));
      host.handle_timeout();
    }
    net.now = limit;
  }

  /// The first message of the kind that came since the last call, and forgets all.
  std::optional<base::bytes> take(stun::message_class kind) {
    run_for(2ms);
    for (auto& message : std::exchange(received, {})) {
      if (stun::message_view::parse(message)->kind() == kind) return std::move(message);
    }
    return std::nullopt;
  }

  base::bytes success_for(const base::bytes& check) {
    return ice::build_success(*stun::message_view::parse(check), ep("10.0.0.1:1000"), own);
  }

  const base::endpoint address = ep("10.0.0.9:9000");
  ice::credentials own{"peer", "the password of the peer"};
  virtual_network net;
  ice_host host;
  seeded_random random{99};
  std::vector<base::bytes> received;
};

}  // namespace asiortc::test

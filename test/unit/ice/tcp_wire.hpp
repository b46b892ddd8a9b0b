// TCP connections between the two hosts of an agent_pair, in virtual time.
#pragma once

#include "agent_pair.hpp"

#include <memory>
#include <vector>

namespace asiortc::test {

/// Does what the shell does: the first packet to a route of an active end opens its connection.
class tcp_wire {
 public:
  explicit tcp_wire(agent_pair& pair) : pair_(pair) {
    for (ice_host* host : {&pair.left, &pair.right}) {
      host->send_over_tcp = [this, host](const base::route& to, base::byte_span bytes) {
        send(*host, to, bytes);
      };
    }
  }

  base::socket_id add_active(ice_host& host, const base::ip_address& address) {
    return add(host, {address, 0}, ice::tcp_type::active);
  }
  base::socket_id add_passive(ice_host& host, const base::endpoint& address) {
    return add(host, address, ice::tcp_type::passive);
  }

  /// As when both sides are reset.
  void cut_all() {
    for (const auto& each : std::exchange(connections_, {})) {
      each->open = false;
      lose(*each->from, each->outward);
      lose(*each->to, each->inward);
    }
  }

  [[nodiscard]] std::size_t open() const { return connections_.size(); }

  std::size_t opened = 0;
  std::size_t packets = 0;
  bool silent = false;   ///< what is sent never arrives
  bool refuses = false;  ///< connections that are asked for
  base::duration delay = 5ms;

 private:
  struct end {
    ice_host* host;
    base::socket_id id;
    base::endpoint address;
    ice::tcp_type type;
  };
  struct connection {
    ice_host* from;
    base::route outward;
    ice_host* to;
    base::route inward;
    bool open = true;
  };

  base::socket_id add(ice_host& host, const base::endpoint& address, ice::tcp_type type) {
    const auto id = static_cast<base::socket_id>(100 + ends_.size());
    ends_.push_back({&host, id, address, type});
    host.add_tcp_end(id, address, type);
    return id;
  }

  void lose(ice_host& host, const base::route& route) {
    pair_.net.at(pair_.net.now + delay, [this, &host, route] {
      host.agent.handle_connection_lost(pair_.net.now, route);
      host.pump();
    });
  }

  std::shared_ptr<connection> find(const ice_host& host, const base::route& to) {
    for (const auto& each : connections_) {
      const bool forth = each->from == &host && each->outward == to;
      if (forth || (each->to == &host && each->inward == to)) return each;
    }
    return nullptr;
  }

  std::shared_ptr<connection> connect(ice_host& host, const base::route& to) {
    const end* from = nullptr;
    const end* target = nullptr;
    for (const auto& each : ends_) {
      if (each.host == &host && each.id == to.local) from = &each;
      if (each.type == ice::tcp_type::passive && each.address == to.remote) target = &each;
    }
    REQUIRE(from != nullptr);
    if (from->type != ice::tcp_type::active || target == nullptr || refuses) return nullptr;
    const base::endpoint source(from->address.address, static_cast<std::uint16_t>(40000 + opened));
    ++opened;
    connections_.push_back(std::make_shared<connection>(
        connection{&host, to, target->host, {target->id, source}, true}));
    return connections_.back();
  }

  void send(ice_host& host, const base::route& to, base::byte_span bytes) {
    ++packets;
    auto over = find(host, to);
    if (!over) over = connect(host, to);
    if (!over) return lose(host, to);
    if (silent) return;
    const bool forth = over->from == &host;
    pair_.net.at(pair_.net.now + delay,
                 [over, forth, copy = base::bytes(bytes.begin(), bytes.end())]() mutable {
                   if (!over->open) return;
                   const base::route& at = forth ? over->inward : over->outward;
                   (forth ? over->to : over->from)->receive(at.local, copy, at.remote);
                 });
  }

  agent_pair& pair_;
  std::vector<end> ends_;
  std::vector<std::shared_ptr<connection>> connections_;
};

}  // namespace asiortc::test

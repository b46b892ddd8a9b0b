// Datagrams between hosts in virtual time, with loss, delay, reordering, duplication and NATs.
#pragma once

#include "base/packet.hpp"
#include "support/seeded_random.hpp"

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

namespace asiortc::test {

using namespace std::chrono_literals;

struct link_settings {
  unsigned loss_percent = 0;
  unsigned duplicate_percent = 0;
  base::duration least_delay = 1ms;
  base::duration most_delay = 1ms;  ///< more than the least one reorders
};

/// Maps endpoint-independently or, if `symmetric`, per destination; filters by address and port
/// (RFC 4787 4.1, 5).
class nat {
 public:
  nat(base::ip_address outside, bool symmetric) : outside_(outside), symmetric_(symmetric) {}

  base::endpoint translate_out(const base::endpoint& from, const base::endpoint& to) {
    const auto key = std::pair(from, symmetric_ ? to : base::endpoint{});
    const auto [place, is_new] = ports_.try_emplace(key, next_port_);
    if (is_new) inside_[next_port_++] = from;
    allowed_.insert({place->second, to});
    return {outside_, place->second};
  }

  std::optional<base::endpoint> translate_in(const base::endpoint& from, const base::endpoint& to) {
    const auto inside = inside_.find(to.port);
    if (inside == inside_.end() || allowed_.count({to.port, from}) == 0) return std::nullopt;
    return inside->second;
  }

  [[nodiscard]] const base::ip_address& outside() const { return outside_; }
  /// As after a reboot: nothing is mapped any more.
  void forget() {
    ports_.clear();
    inside_.clear();
    allowed_.clear();
  }

 private:
  base::ip_address outside_;
  bool symmetric_;
  std::uint16_t next_port_ = 20000;
  std::map<std::pair<base::endpoint, base::endpoint>, std::uint16_t> ports_;
  std::map<std::uint16_t, base::endpoint> inside_;
  std::set<std::pair<std::uint16_t, base::endpoint>> allowed_;
};

class virtual_network {
 public:
  using receiver = std::function<void(base::mutable_byte_span, const base::endpoint& from)>;
  /// Sees each packet as it is sent; false loses it.
  using filter =
      std::function<bool(base::byte_span, const base::endpoint& from, const base::endpoint& to)>;

  virtual_network(std::uint64_t seed, const link_settings& initial_link)
      : link(initial_link), random_(seed) {}

  void attach(const base::endpoint& address, receiver receive, nat* behind = nullptr) {
    hosts_[address] = {std::move(receive), behind};
  }
  void detach(const base::endpoint& address) { hosts_.erase(address); }

  void send(const base::endpoint& from, const base::endpoint& to, base::byte_span bytes) {
    const auto host = hosts_.find(from);
    if (host == hosts_.end()) return;
    nat* const own = host->second.behind;
    // Two hosts behind one NAT share a wire; everything else goes through it.
    const auto target = hosts_.find(to);
    const bool inside = target != hosts_.end() && target->second.behind == own;
    const auto source = own == nullptr || inside ? from : own->translate_out(from, to);
    ++packets_sent;
    if (pass && !pass(bytes, source, to)) return;
    if (random_.below(100) < link.loss_percent) return;
    schedule(source, to, bytes);
    if (random_.below(100) < link.duplicate_percent) schedule(source, to, bytes);
  }

  void at(base::time_point when, std::function<void()> act) {
    agenda_.emplace(when, std::move(act));
  }
  [[nodiscard]] base::time_point next() const {
    return agenda_.empty() ? base::never : agenda_.begin()->first;
  }
  /// Moves the time there and does what is due.
  void advance(base::time_point when) {
    now = when;
    while (!agenda_.empty() && agenda_.begin()->first <= now) {
      const auto act = std::move(agenda_.begin()->second);
      agenda_.erase(agenda_.begin());
      act();
    }
  }

  link_settings link;
  filter pass;
  base::time_point now{1h};
  std::uint64_t packets_sent = 0;

 private:
  struct attachment {
    receiver receive;
    nat* behind = nullptr;
  };

  void schedule(const base::endpoint& from, const base::endpoint& to, base::byte_span bytes) {
    const auto spread = static_cast<std::uint64_t>((link.most_delay - link.least_delay).count());
    const auto delay =
        link.least_delay + base::duration(static_cast<std::int64_t>(random_.below(spread + 1)));
    at(now + delay, [this, from, to, copy = base::bytes(bytes.begin(), bytes.end())]() mutable {
      deliver(from, to, copy);
    });
  }

  void deliver(const base::endpoint& from, base::endpoint to, base::bytes& bytes) {
    const auto direct = hosts_.find(to);
    if (direct != hosts_.end()) {
      // An address behind a NAT is reached from there only, which `send` has seen to.
      const auto sender = hosts_.find(from);
      nat* const wire = sender == hosts_.end() ? nullptr : sender->second.behind;
      if (direct->second.behind == wire) direct->second.receive(bytes, from);
      return;
    }
    for (const auto& [address, host] : hosts_) {
      if (host.behind == nullptr || host.behind->outside() != to.address) continue;
      const auto inside = host.behind->translate_in(from, to);
      const auto target = inside ? hosts_.find(*inside) : hosts_.end();
      if (target != hosts_.end()) target->second.receive(bytes, from);
      return;
    }
  }

  seeded_random random_;
  std::map<base::endpoint, attachment> hosts_;
  std::multimap<base::time_point, std::function<void()>> agenda_;
};

}  // namespace asiortc::test

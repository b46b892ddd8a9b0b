// A NAT or a firewall in virtual time, in the terms of RFC 4787.
#pragma once

#include "base/endpoint.hpp"
#include "base/time.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

namespace asiortc::test {

/// RFC 4787 4.1 and 5: what of the remote endpoint a mapping or a filter goes by.
enum class dependence { endpoint_independent, address_dependent, address_and_port_dependent };

struct nat_behaviour {
  bool translates = true;  ///< a firewall leaves addresses as they are
  bool udp = true;         ///< else none passes, in either direction
  dependence mapping = dependence::endpoint_independent;
  dependence filtering = dependence::address_and_port_dependent;
  /// RFC 4787 REQ-5: "MUST NOT expire in less than two minutes". Only what is sent from inside
  /// keeps a mapping, and an entry of the filter, alive.
  base::duration timeout = std::chrono::minutes(2);
};

/// Never lets a packet from inside come back in (hairpinning, RFC 4787 6).
class virtual_nat {
 public:
  virtual_nat(const base::ip_address& outer, const nat_behaviour& behaviour)
      : outer_(outer), behaviour_(behaviour) {}

  /// Whom a packet from inside seems to come from outside; nothing if it is dropped.
  std::optional<base::endpoint> translate_out(base::time_point now, const base::endpoint& from,
                                              const base::endpoint& to);
  /// For whom inside a packet to an outer endpoint is; nothing if it is dropped.
  std::optional<base::endpoint> translate_in(base::time_point now, const base::endpoint& from,
                                             const base::endpoint& to);

  [[nodiscard]] const base::ip_address& outer() const { return outer_; }

 private:
  struct mapping {
    base::endpoint inside;
    base::endpoint remote;  ///< as far as the mapping goes by it
    base::endpoint outside;
    base::time_point used_at;
    std::map<base::endpoint, base::time_point> contacted;  ///< as far as the filter goes by it
  };

  void forget_old(base::time_point now);
  mapping& mapping_for(const base::endpoint& from, const base::endpoint& remote);

  base::ip_address outer_;
  nat_behaviour behaviour_;
  std::vector<mapping> mappings_;
  std::uint16_t next_port_ = 20000;
};

}  // namespace asiortc::test

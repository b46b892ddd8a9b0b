// One candidate pair (RFC 8445 6.1.2).
#pragma once

#include "base/packet.hpp"
#include "ice/agent.hpp"
#include "ice/candidate.hpp"
#include "ice/consent.hpp"
#include "ice/priority.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace asiortc::ice {

using pair_state = candidate_pair_state;

/// Names a pair for as long as its check list lives. 0 is none.
enum class pair_id : std::uint32_t { none = 0 };

/// The local end is always a base: RFC 8445 6.1.2.4 replaces reflexive candidates by it and prunes,
/// so such pairs are never made. The valid pair (RFC 8445 7.2.5.3.2) that a check constructs sends
/// from the same base to the same address, so it is this pair with `valid` set.
struct pair {
  pair_id id = pair_id::none;
  base::route route;
  std::shared_ptr<const candidate> local;
  /// What the other side sees us as, if that is not `local`; known once the pair is valid.
  std::shared_ptr<const candidate> reflexive;
  std::shared_ptr<const candidate> remote;
  std::uint64_t priority = 0;
  std::uint16_t local_preference = 0;
  pair_state state = pair_state::frozen;
  bool valid = false;
  bool nominated = false;
  /// Controlled: USE-CANDIDATE came before our own check succeeded (RFC 8445 7.3.1.5).
  bool nominate_when_valid = false;
  /// Controlling: until then its checks are frequent, since it took the place of another.
  base::time_point confirm_until = base::time_point::min();
  consent life;
  std::optional<base::duration> round_trip_time;
  base::duration total_round_trip_time{};
  std::uint64_t round_trips = 0;  ///< how many the total is of
  std::uint64_t requests_sent = 0;
  std::uint64_t requests_repeated = 0;
  std::uint64_t consent_requests_sent = 0;
  std::uint64_t requests_received = 0;
  std::uint64_t responses_sent = 0;
  std::uint64_t responses_received = 0;
  traffic data_sent;
  traffic data_received;
  std::string failure;   ///< why the state is failed
  bool refused = false;  ///< it is failed because a TURN server does not relay to the address

  [[nodiscard]] bool undecided() const {
    return state == pair_state::frozen || state == pair_state::waiting ||
           state == pair_state::in_progress;
  }
  [[nodiscard]] const candidate& shown_local() const { return reflexive ? *reflexive : *local; }
  [[nodiscard]] bool is_relayed() const {
    return local->type == candidate_type::relayed || remote->type == candidate_type::relayed;
  }
  [[nodiscard]] bool is_over_tcp() const { return local->protocol == transport_protocol::tcp; }
  /// RFC 8445 7.1.1: what a peer-reflexive candidate learnt from our check would have.
  [[nodiscard]] std::uint32_t reflexive_priority() const {
    return candidate_priority(candidate_type::peer_reflexive, local_preference, 1, local->protocol);
  }
};

}  // namespace asiortc::ice

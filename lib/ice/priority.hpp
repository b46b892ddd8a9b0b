// The numbers that order candidates and pairs (RFC 8445 5.1.2, 6.1.2.3).
#pragma once

#include "ice/candidate.hpp"

#include <algorithm>
#include <cstdint>

namespace asiortc::ice {

/// RFC 8445 5.1.2.2: "The RECOMMENDED values are 126 for host candidates, 100 for server-reflexive
/// candidates, 110 for peer-reflexive candidates, and 0 for relayed candidates".
constexpr std::uint32_t type_preference(candidate_type type) {
  switch (type) {
    case candidate_type::host:
      return 126;
    case candidate_type::peer_reflexive:
      return 110;
    case candidate_type::server_reflexive:
      return 100;
    case candidate_type::relayed:
      break;
  }
  return 0;
}

/// RFC 6544 4.2: where UDP is preferred, TCP has lower type preferences. These are below all of
/// UDP's but the relayed one, so that a connection is better than a relay.
constexpr std::uint32_t tcp_type_preference(candidate_type type) {
  return type == candidate_type::host ? 90 : 80;
}

/// RFC 6544 4.2: (2^13) * (direction preference) + (other preference), where the direction of a
/// host candidate counts 6 for active and 4 for passive.
constexpr std::uint16_t tcp_local_preference(tcp_type direction, std::uint16_t other) {
  const unsigned worth = direction == tcp_type::active ? 6 : 4;
  return static_cast<std::uint16_t>(worth << 13 | (other & 0x1FFFU));
}

/// RFC 8445 5.1.2.1: (2^24)*(type preference) + (2^8)*(local preference) + (256 - component ID).
constexpr std::uint32_t candidate_priority(candidate_type type, std::uint16_t local_preference,
                                           std::uint16_t component = 1,
                                           transport_protocol protocol = transport_protocol::udp) {
  const std::uint32_t type_part =
      protocol == transport_protocol::udp ? type_preference(type) : tcp_type_preference(type);
  return type_part << 24 | std::uint32_t{local_preference} << 8 | (256U - component);
}

/// RFC 8445 6.1.2.3: 2^32*MIN(G,D) + 2*MAX(G,D) + (G>D?1:0), G being the controlling agent's.
constexpr std::uint64_t pair_priority(std::uint32_t controlling, std::uint32_t controlled) {
  return (std::uint64_t{std::min(controlling, controlled)} << 32) +
         2 * std::uint64_t{std::max(controlling, controlled)} + (controlling > controlled ? 1 : 0);
}

}  // namespace asiortc::ice

// The numbers that order candidates and pairs (RFC 8445 5.1.2, 6.1.2.3).
#pragma once

#include <asiortc/candidate_pair.hpp>

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

/// RFC 8445 5.1.2.1: (2^24)*(type preference) + (2^8)*(local preference) + (256 - component ID).
constexpr std::uint32_t candidate_priority(candidate_type type, std::uint16_t local_preference,
                                           std::uint16_t component = 1) {
  return type_preference(type) << 24 | std::uint32_t{local_preference} << 8 | (256U - component);
}

/// RFC 8445 6.1.2.3: 2^32*MIN(G,D) + 2*MAX(G,D) + (G>D?1:0), G being the controlling agent's.
constexpr std::uint64_t pair_priority(std::uint32_t controlling, std::uint32_t controlled) {
  return (std::uint64_t{std::min(controlling, controlled)} << 32) +
         2 * std::uint64_t{std::max(controlling, controlled)} + (controlling > controlled ? 1 : 0);
}

}  // namespace asiortc::ice

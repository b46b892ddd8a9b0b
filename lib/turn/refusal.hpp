// The words for what a server refuses.
#pragma once

#include "base/endpoint.hpp"
#include "base/result.hpp"
#include "stun/message_view.hpp"

#include <cstdint>
#include <string>

namespace asiortc::turn {

// RFC 8656 19.
inline constexpr std::uint16_t error_forbidden = 403;
inline constexpr std::uint16_t error_allocation_mismatch = 437;
inline constexpr std::uint16_t error_family_not_supported = 440;
inline constexpr std::uint16_t error_wrong_credentials = 441;
inline constexpr std::uint16_t error_transport_not_supported = 442;
inline constexpr std::uint16_t error_peer_family_mismatch = 443;
inline constexpr std::uint16_t error_quota_reached = 486;
inline constexpr std::uint16_t error_server = 500;
inline constexpr std::uint16_t error_insufficient_capacity = 508;
// RFC 6062 6.2: another connection to that peer exists.
inline constexpr std::uint16_t error_connection_exists = 446;

/// Why something was not to be had: a code of the server's, or 0 and our own words.
struct refusal {
  std::uint16_t code = 0;
  std::string words;
};

/// What an error answer says. The server's own reason is quoted up to 80 characters of plain ASCII.
refusal refusal_of(const stun::message_view& answer);

/// `errc::turn_unauthorized` for 401 and 441, `turn_refused` for other codes and `turn_unreachable`
/// without one, with words that name the server.
base::failure failure_of(const refusal& why, const base::endpoint& server);

}  // namespace asiortc::turn

// Who is in a signaling room (signaling-protocol.md).
#pragma once

#include <asiortc/config.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace asiortc::inline ASIORTC_ABI {

/// Names a peer within a room: 1 to 2147483647, given by the server, never used twice while the
/// room lives.
using peer_id = std::int32_t;

/// A peer of a room, as the server presents it.
class ASIORTC_EXPORT signaling_peer {
 public:
  signaling_peer() = default;
  /// `number` becomes `id`, `called` `name`.
  signaling_peer(peer_id number, std::string called) : id(number), name(std::move(called)) {}

  peer_id id = 0;    ///< 0 is nobody
  std::string name;  ///< what the peer calls itself: up to 64 bytes of UTF-8, not to be trusted

  /// Whether all members are equal.
  bool operator==(const signaling_peer&) const = default;
};

/// Why a peer is no longer in the room.
enum class ASIORTC_EXPORT leave_reason {
  left,     ///< it said so
  timeout,  ///< its socket fell silent or broke; a healthy peer connection to it outlives that
  kicked,   ///< the host put it out
  closed    ///< its socket was closed
};

/// "left", "timeout", "kicked" or "closed". Thread-safe.
ASIORTC_EXPORT std::string_view to_string(leave_reason reason) noexcept;

}  // namespace asiortc::inline ASIORTC_ABI

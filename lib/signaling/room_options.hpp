// The bounds of a signaling server.
#pragma once

#include "base/time.hpp"
#include "signaling/messages.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace asiortc::signaling {

struct room_options {
  std::size_t max_connections = 4096;
  std::size_t max_rooms = 1024;
  std::size_t max_peers_per_room = 256;
  /// What may wait to be written to one socket, in bytes.
  std::size_t max_queue = std::size_t{4} * 1024 * 1024;
  base::duration join_timeout = std::chrono::seconds(10);
  base::duration ping_interval = std::chrono::seconds(15);
  base::duration idle_timeout = std::chrono::seconds(45);
  /// A newcomer to a full room makes an offer and some ten candidates for each peer at once.
  std::uint64_t message_burst = 4096;
  std::uint64_t messages_per_second = 200;
  std::uint64_t byte_burst = std::uint64_t{16} * 1024 * 1024;
  std::uint64_t bytes_per_second = std::uint64_t{512} * 1024;
  std::uint64_t reconnect_ms = 1000;  ///< told in `going-away`
  std::vector<ice_server> ice_servers;
};

/// A `joined` with so many peers of the longest names stays below `max_server_message`.
inline constexpr std::size_t most_peers_per_room = 2048;

/// The third bad message within a minute closes the socket.
inline constexpr std::size_t bad_messages_allowed = 3;
inline constexpr std::size_t rate_warnings_allowed = 10;
/// What a queued message costs beside its text.
inline constexpr std::size_t queue_overhead = 64;

}  // namespace asiortc::signaling

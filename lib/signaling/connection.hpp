// What the room service knows of one connection, and of one room.
#pragma once

#include "signaling/id_sequence.hpp"
#include "signaling/messages.hpp"
#include "signaling/rate.hpp"
#include "signaling/room_options.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace asiortc::signaling {

/// Names a socket to the core; the shell gives the numbers and uses none twice.
enum class connection_id : std::uint64_t {};

enum class connection_state {
  waiting,  ///< connected, has not joined
  joined,
  closing  ///< told to close; nothing from it is heard any more
};

struct room;

struct connection {
  connection(connection_id number, const room_options& options, base::time_point now)
      : id(number),
        since(now),
        last_heard(now),
        next_ping(now + options.ping_interval),
        bad_messages(bad_messages_allowed),
        rate_warnings(rate_warnings_allowed),
        messages(options.message_burst, options.messages_per_second, now),
        bytes(options.byte_burst, options.bytes_per_second, now) {}

  connection_id id;
  connection_state state = connection_state::waiting;
  base::time_point since;
  base::time_point last_heard;
  base::time_point next_ping;
  base::time_point deadline = base::never;
  strikes bad_messages;
  strikes rate_warnings;
  token_bucket messages;
  token_bucket bytes;
  std::size_t queued = 0;  ///< bytes given out and not yet written
  bool overflowed = false;

  // Of a joined one.
  room* in = nullptr;
  signaling_peer peer;
  std::uint64_t last_seq = 0;  ///< of the last message that carried one
  std::uint64_t received = 0;  ///< the highest `n` processed
};

struct room {
  room(std::string called, base::random_source& random) : name(std::move(called)), ids(random) {}

  /// None when nobody of that id is here.
  [[nodiscard]] connection* find(peer_id id) const {
    for (connection* member : members) {
      if (member->peer.id == id) return member;
    }
    return nullptr;
  }

  std::string name;
  id_sequence ids;
  std::vector<connection*> members;  ///< in the order of arrival; the first is the host
};

}  // namespace asiortc::signaling

// The connection to one other peer of the room.
#pragma once

#include "line_log.hpp"

#include <asiortc/data_channel.hpp>
#include <asiortc/negotiate.hpp>
#include <asiortc/peer_connection.hpp>
#include <asiortc/signaling_client.hpp>

#include <chrono>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>

namespace peer_cli {

/// Shared by the coroutines that serve it.
class link {
 public:
  enum class stage {
    arriving,  ///< its channel has not opened yet
    met,       ///< it has
    astray     ///< its connection is lost, and it may be met again over another one
  };

  link(const boost::asio::any_io_executor& executor, const asiortc::configuration& config,
       const asiortc::signaling_peer& peer, std::shared_ptr<asiortc::signaling_pipe> pipe,
       bool we_came_later, line_log::place begin);

  /// Notes who is at the other end, once connected.
  void identify();
  [[nodiscard]] bool is_open() const;
  [[nodiscard]] bool is_connected() const;
  /// Whether there is no connection yet.
  [[nodiscard]] bool is_on_the_way() const;

  const asiortc::peer_id id;
  const std::string name;  ///< harmless text
  asiortc::peer_connection connection;
  asiortc::negotiation negotiation;
  std::optional<asiortc::data_channel> chat;
  /// Who this is over the life of the process behind it, whatever id a server gave it: the
  /// fingerprint of its certificate.
  std::string person;
  const bool we_came_later;  ///< then it is we who make the channel
  stage now = stage::arriving;
  /// Of the first line that it was not sent. One for all links to one person.
  std::shared_ptr<line_log::place> place;
  std::chrono::steady_clock::time_point opened_at;
  std::chrono::steady_clock::time_point due;  ///< who is not met by then is waited for no longer
  /// Lines after it are not for one who is in the room no more, and was not met.
  line_log::place owed_end = std::numeric_limits<line_log::place>::max();
  bool overdue = false;      ///< lines were said without it, and no more are kept
  bool present = true;       ///< in the room, as its server says
  bool we_return = false;    ///< where the connection fails, it is we who join again
  bool excused = false;      ///< it was told that the end waits for it
  bool measured = false;     ///< the round trip of the pair in use was told
  bool carrying = true;      ///< its messages are being read
  bool sending = false;      ///< lines are on the way into its backlog
  std::uint64_t sent = 0;    ///< lines
  bool watched = false;      ///< for whether it takes what is sent
  bool given_up = false;     ///< it did not
  bool unconfirmed = false;  ///< lines were sent since a confirmation was last asked for
  bool confirming = false;   ///< a confirmation is under way
};

}  // namespace peer_cli

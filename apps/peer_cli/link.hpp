// The connection to one other peer of the room.
#pragma once

#include <asiortc/data_channel.hpp>
#include <asiortc/negotiate.hpp>
#include <asiortc/peer_connection.hpp>
#include <asiortc/signaling_client.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace peer_cli {

/// Shared by the coroutines that serve it.
class link {
 public:
  link(const boost::asio::any_io_executor& executor, const asiortc::configuration& config,
       const asiortc::signaling_peer& peer, std::shared_ptr<asiortc::signaling_pipe> pipe,
       bool we_came_later);

  /// Notes who is at the other end, once connected.
  void identify();
  [[nodiscard]] bool is_open() const;
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
  std::chrono::steady_clock::time_point opened_at;
  bool measured = false;     ///< the round trip of the pair in use was told
  bool carrying = true;      ///< its messages are being read
  bool awaited = false;      ///< no line is sent before this one is open
  bool sending = false;      ///< a line waits for room in the backlog, and no other is sent
  std::uint64_t sent = 0;    ///< lines
  bool watched = false;      ///< for whether it takes what is sent
  bool given_up = false;     ///< it did not
  bool unconfirmed = false;  ///< lines were sent since a confirmation was last asked for
  bool confirming = false;   ///< a confirmation is under way
};

}  // namespace peer_cli

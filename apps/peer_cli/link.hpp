// The connection to one other peer of the room.
#pragma once

#include <asiortc/data_channel.hpp>
#include <asiortc/negotiate.hpp>
#include <asiortc/peer_connection.hpp>
#include <asiortc/signaling_client.hpp>

#include <memory>
#include <optional>
#include <string>

namespace peer_cli {

/// Shared by the coroutines that serve it.
class link {
 public:
  link(const boost::asio::any_io_executor& executor, const asiortc::configuration& config,
       const asiortc::signaling_peer& peer, std::shared_ptr<asiortc::signaling_pipe> pipe);

  /// Notes who is at the other end, once connected.
  void identify();
  [[nodiscard]] bool is_open() const;

  const asiortc::peer_id id;
  const std::string name;  ///< harmless text
  asiortc::peer_connection connection;
  asiortc::negotiation negotiation;
  std::optional<asiortc::data_channel> chat;
  /// Who this is over the life of the process behind it, whatever id a server gave it: the
  /// fingerprint of its certificate.
  std::string person;
};

}  // namespace peer_cli

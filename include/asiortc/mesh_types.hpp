// What a mesh is made of: its peers, packets, events and options.
#pragma once

#include <asiortc/config.hpp>
#include <asiortc/states.hpp>

#include <boost/system/error_code.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

namespace asiortc::inline ASIORTC_ABI {

class peer_connection;

/// Names a peer of a mesh: 1 to 2147483647. 1 is the server, where there is one. As a target, 0 is
/// everybody and -n everybody but n.
using mesh_id = std::int32_t;

/// How a packet travels, numbered as Godot numbers it; each is a data channel of its own, so that
/// packets of different modes may overtake each other.
enum class ASIORTC_EXPORT transfer_mode {
  unreliable,          ///< may be lost, and overtaken (channel 3)
  unreliable_ordered,  ///< may be lost (channel 2)
  reliable             ///< arrives, in order (channel 1)
};

/// "unreliable", "unreliable-ordered" or "reliable". Thread-safe, never fails.
ASIORTC_EXPORT std::string_view to_string(transfer_mode mode) noexcept;

/// Whether a mesh is usable, numbered as Godot numbers it.
enum class ASIORTC_EXPORT mesh_status {
  disconnected,  ///< closed, or its server is gone
  connecting,    ///< its server is not there yet
  connected
};

/// "disconnected", "connecting" or "connected". Thread-safe, never fails.
ASIORTC_EXPORT std::string_view to_string(mesh_status status) noexcept;

/// What a `mesh_event` tells.
enum class ASIORTC_EXPORT mesh_event_kind {
  peer_connected,        ///< all three channels to `id` are open
  peer_disconnected,     ///< `id`, which was connected, is no peer any more; why says `reason`
  peer_failed,           ///< `id` is no peer any more and never was connected; why says `reason`
  connection_succeeded,  ///< with a server: it is connected, and so is the mesh
  server_disconnected    ///< with a server: it is gone, and the mesh disconnected
};

/// "peer-connected" and so on. Thread-safe, never fails.
ASIORTC_EXPORT std::string_view to_string(mesh_event_kind kind) noexcept;

/// Something that happened to the peers of a mesh.
class ASIORTC_EXPORT mesh_event {
 public:
  mesh_event() = default;
  /// `what` becomes `kind`, `whom` `id` and `why` `reason`.
  mesh_event(mesh_event_kind what, mesh_id whom, boost::system::error_code why = {})
      : kind(what), id(whom), reason(why) {}

  mesh_event_kind kind = mesh_event_kind::peer_connected;  ///< what happened
  mesh_id id = 0;                                          ///< to whom
  /// Why, for `peer_disconnected`, `peer_failed` and `server_disconnected`; none for a good end.
  boost::system::error_code reason;

  /// Whether all members are equal.
  bool operator==(const mesh_event&) const = default;
};

/// A packet that a peer sent.
class ASIORTC_EXPORT mesh_packet {
 public:
  mesh_packet() = default;
  /// `sender` becomes `from`, `way` `mode` and `content` `bytes`.
  mesh_packet(mesh_id sender, transfer_mode way, std::vector<std::uint8_t> content)
      : from(sender), mode(way), bytes(std::move(content)) {}

  /// The content as characters; valid while the packet lives.
  [[nodiscard]] std::string_view text() const noexcept {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }

  mesh_id from = 0;                              ///< who sent it
  transfer_mode mode = transfer_mode::reliable;  ///< over which channel it came
  std::vector<std::uint8_t> bytes;               ///< may be empty

  /// Whether all members are equal.
  bool operator==(const mesh_packet&) const = default;
};

/// A peer of a mesh, as it was when it was asked for.
class ASIORTC_EXPORT mesh_peer_info {
 public:
  mesh_peer_info() = default;

  mesh_id id = 0;          ///< as given to `add_peer`
  bool connected = false;  ///< whether all three channels have opened
  /// The connection itself, to negotiate with and to look at. Closing it removes the peer; it is
  /// closed when the peer is removed, whoever holds it.
  std::shared_ptr<peer_connection> connection;
  data_channel_state reliable = data_channel_state::connecting;    ///< of the channel with id 1
  data_channel_state ordered = data_channel_state::connecting;     ///< of the channel with id 2
  data_channel_state unreliable = data_channel_state::connecting;  ///< of the channel with id 3
  std::size_t buffered_amount = 0;  ///< bytes sent and not acknowledged, of the three channels
};

/// Options of a `mesh`.
class ASIORTC_EXPORT mesh_options {
 public:
  mesh_options() = default;

  /// There is a server, the peer with the id 1: without it a mesh with another id is not connected.
  bool server_compatibility = false;
  bool refuse_new_connections = false;  ///< `add_peer` fails; see `set_refuse_new_connections`
  /// How long a connection may be `disconnected` before its peer is removed; 0 removes it at once,
  /// as Godot does. Not negative.
  std::chrono::milliseconds disconnected_grace{0};
  /// How many peers there may be, with those whose connection is still closing or whose packets are
  /// not all read; from 1.
  std::size_t max_peers = 256;
  /// The largest packet that is sent and taken, in bytes; from 1. Who sends a larger one is
  /// removed. `configuration::max_message_size` of the connections is to be no smaller.
  std::size_t max_packet_size = 262144;
  /// Packets that wait to be read, in bytes and 64 more each; not below `max_packet_size`. Past it
  /// what comes waits at its connection, until that one's `configuration::receive_budget` holds its
  /// sender back.
  std::size_t receive_budget = 8 * 1024 * 1024;
};

}  // namespace asiortc::inline ASIORTC_ABI

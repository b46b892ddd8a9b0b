// Several peer connections as one: packets to one peer, to all, to all but one.
#pragma once

#include <asiortc/config.hpp>
#include <asiortc/error.hpp>
#include <asiortc/event_stream.hpp>
#include <asiortc/mesh_types.hpp>
#include <asiortc/peer_connection.hpp>

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/deferred.hpp>

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace asiortc::inline ASIORTC_ABI {

namespace detail {
class mesh_state;
}

/// A move-only handle to a full mesh as Godot's `WebRTCMultiplayerPeer` has it: connections that
/// their owner negotiates, each with an id, over which packets go in three ways. Every side of the
/// mesh gives the same peer the same id, and adds every other. Each connection gets three
/// negotiated channels, "reliable" (id 1), "ordered" (2) and "unreliable" (3); what a peer opens
/// besides is closed again.
///
/// A peer is connected once all three channels are open. It is removed when its connection fails,
/// closes, or is disconnected for longer than `mesh_options::disconnected_grace`, when one of its
/// channels is closed, or when it sends a packet of more than `mesh_options::max_packet_size`. What
/// came before it closed is still received.
///
/// With `mesh_options::server_compatibility` and another id than 1 the peer 1 is the server. Nobody
/// is told of before it is connected, and no packet received: then come `peer_connected` for it,
/// `connection_succeeded`, and `peer_connected` for each peer that is connected already. When it is
/// gone, `server_disconnected` follows its `peer_disconnected`: sends fail, the other peers stay
/// and are received from, and who connects is not told of until a new peer 1 has connected.
///
/// Dropping the handle aborts every connection without blocking; `async_close` is the graceful way.
/// One that was moved from may only be destroyed, assigned to and closed with `close()`.
///
/// Thread safety: every member may be called from any thread. Completion handlers run on their
/// associated executor, else on the executor given here, and are always posted. As with
/// `peer_connection`, a coroutine that uses `||`, a slot or a timeout on a multi-threaded context
/// runs on a strand of its own.
///
/// Lifetime: the connections may run on other executors of the same execution context. It may be
/// destroyed first; the mesh is inert then: pending handlers are dropped, getters still answer.
class ASIORTC_EXPORT mesh {
 public:
  /// A mesh without peers, in which this side is `id`. `executor` is not empty.
  /// Throws `error`: `type_error` for an id that is not from 1 to 2147483647 and for an option out
  /// of its bounds, which the text names.
  mesh(boost::asio::any_io_executor executor, mesh_id id, mesh_options options = mesh_options());
  /// The same, on the executor of an execution context such as `io_context`.
  template <class Context>
  requires requires(Context& context) {
    { context.get_executor() } -> std::convertible_to<boost::asio::any_io_executor>;
  }
  mesh(Context& context, mesh_id id, mesh_options options = mesh_options())
      : mesh(boost::asio::any_io_executor(context.get_executor()), id, options) {}
  /// Leaves the other handle empty.
  mesh(mesh&&) noexcept;
  /// Aborts what was held before, as `close()`, and leaves the other handle empty.
  mesh& operator=(mesh&&) noexcept;
  /// As `close()`.
  ~mesh();

  /// Takes `connection` over as the peer `id` and makes the three channels on it; packets of the
  /// two unreliable ones are given up after `unreliable_lifetime`. The mesh says nothing to the
  /// other side: the connection is negotiated by its owner, by `negotiate` before or after this, or
  /// through `get_peer(id)->connection`. From then on the mesh reads `connection_states()` and
  /// `data_channels()` of the connection, which nobody waits for; else the peer is removed with
  /// `errc::in_use`.
  ///
  /// Throws `error`, and leaves `connection` as it was: `type_error` for an id that is not from 1
  /// to 2147483647 and for a life time that is not from 0 to 65535 ms; `operation_error` for the id
  /// of this side or of a peer, and where the connection uses one of the channels' ids;
  /// `invalid_state` when the mesh is closed or refuses new connections, or the connection is no
  /// longer in the state `new_`; `limit_reached` past `mesh_options::max_peers`, and when more than
  /// 65,536 events could be unread.
  void add_peer(peer_connection&& connection, mesh_id id,
                std::chrono::milliseconds unreliable_lifetime = std::chrono::milliseconds(1));

  /// Closes the connection to a peer in the background, after what was sent, and forgets it at
  /// once: nothing more is taken from it. Packets of it that wait in `packets()` already are still
  /// received. `peer_disconnected` tells of it if it was connected.
  /// Throws `error`: `peer_not_found`.
  void remove_peer(mesh_id id);

  /// Whether there is such a peer, connected or not. Never fails.
  [[nodiscard]] bool has_peer(mesh_id id) const;
  /// The peer as it is now; none where there is no such. Never fails.
  [[nodiscard]] std::optional<mesh_peer_info> get_peer(mesh_id id) const;
  /// All peers, by their ids. Never fails.
  [[nodiscard]] std::vector<mesh_peer_info> get_peers() const;

  /// This side's id. Never fails.
  [[nodiscard]] mesh_id id() const;
  /// Gives this side another id, as where a room is joined again.
  /// Throws `error`: `type_error` for an id that is not from 1 to 2147483647, `operation_error` for
  /// that of a peer, `invalid_state` with `server_compatibility`.
  void set_id(mesh_id id);
  /// As Godot's `get_connection_status`; without a server always `connected`, until it is closed.
  /// Equals the last event queued. Never fails.
  [[nodiscard]] mesh_status connection_status() const;
  /// Whether `add_peer` fails from now on; peers that are there stay. Never fails.
  void set_refuse_new_connections(bool refuse);
  /// As set last. Never fails.
  [[nodiscard]] bool refuse_new_connections() const;
  /// The largest packet that can be sent to all peers that are connected now, in bytes: the least
  /// of `mesh_options::max_packet_size` and of what each announced. Never fails.
  [[nodiscard]] std::size_t max_packet_size() const;
  /// What the last refused send was refused for, in words; empty if none was. Never fails.
  [[nodiscard]] std::string last_error_detail() const;

  /// Sends a packet to the peer `target`, or with 0 to all, or with -n to all but n, whether there
  /// is an n or not. Of many, those that are not connected are left out. The packet is queued in
  /// the order of the calls. Completes once less than `configuration::send_high_water` bytes wait
  /// at each of the channels, so that awaiting each send is back-pressure by the slowest.
  ///
  /// Completion signature: `void(error_code)`.
  /// Errors, after which nothing was sent, with words in `last_error_detail()`:
  /// `errc::invalid_state` when the mesh is closed, its server is gone, or the one target is not
  /// connected; `errc::peer_not_found` when it is no peer; `errc::message_too_large` when the
  /// packet is larger than `mesh_options::max_packet_size`, or than a target takes;
  /// `errc::type_error` for the target -2147483648. The reason of the end when the one target ends
  /// while the operation waits. Cancellation: `operation_aborted` says that nothing of the packet
  /// is or will be sent to anybody; where it is for some of many, the operation completes with
  /// success.
  template <class Token = boost::asio::deferred_t>
  [[nodiscard]] auto async_send(mesh_id target, std::vector<std::uint8_t> bytes,
                                transfer_mode mode = transfer_mode::reliable,
                                Token&& token = Token()) {
    return boost::asio::async_initiate<Token, void(boost::system::error_code)>(
        send_operation(), token, state_, target, std::move(bytes), mode);
  }

  /// Waits for the next packet of any peer. A reader that stops reading stops the senders.
  ///
  /// Completion signature: `void(error_code, std::optional<mesh_packet>)`; no value after the close
  /// of the mesh, once what came before it is received.
  /// Errors: `errc::in_use` when another receive is pending; `operation_aborted`, and then no
  /// packet was consumed.
  template <class Token = boost::asio::deferred_t>
  [[nodiscard]] auto async_receive(Token&& token = Token()) {
    return packets().async_next(std::forward<Token>(token));
  }
  /// Takes a packet if there is one; never waits and never fails.
  [[nodiscard]] std::optional<mesh_packet> try_receive();

  /// The packets as a stream; the same queue that `async_receive` reads. The sender of each was
  /// told of by `events()` before it was queued. It ends with the mesh, without an error.
  [[nodiscard]] event_stream<mesh_packet> packets() const;
  /// Who comes and goes. No event is lost: `add_peer` fails where too many are unread. It ends with
  /// the mesh, without an error, and does not tell of those who go with it.
  [[nodiscard]] event_stream<mesh_event> events() const;

  /// Aborts every connection: what is not sent is dropped. Never blocks and never fails; does
  /// nothing when it is closed.
  void close();

  /// Closes every connection, as `peer_connection::async_close`, those of peers that were removed
  /// too, and completes when every socket and timer is gone. Idempotent; several may wait at once.
  ///
  /// Completion signature: `void(error_code)`. Errors: none but `operation_aborted`, which abandons
  /// the wait alone.
  template <class Token = boost::asio::deferred_t>
  [[nodiscard]] auto async_close(Token&& token = Token()) {
    return boost::asio::async_initiate<Token, void(boost::system::error_code)>(close_operation(),
                                                                               token, state_);
  }

 private:
  using state_ptr = std::shared_ptr<detail::mesh_state>;
  struct ASIORTC_EXPORT send_operation {
    void operator()(detail::void_completion handler, state_ptr state, mesh_id target,
                    std::vector<std::uint8_t> bytes, transfer_mode mode) const;
  };
  struct ASIORTC_EXPORT close_operation {
    void operator()(detail::void_completion handler, state_ptr state) const;
  };

  state_ptr state_;
};

}  // namespace asiortc::inline ASIORTC_ABI

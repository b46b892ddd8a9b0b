// A mesh of all who are in a signaling room.
#pragma once

#include <asiortc/config.hpp>
#include <asiortc/configuration.hpp>
#include <asiortc/data_channel.hpp>
#include <asiortc/event_stream.hpp>
#include <asiortc/mesh_types.hpp>
#include <asiortc/signaling_client.hpp>
#include <asiortc/signaling_types.hpp>

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
class room_mesh_state;
}

/// Options of a `room_mesh`.
class ASIORTC_EXPORT room_mesh_options {
 public:
  room_mesh_options() = default;

  std::string name;  ///< what the others see, up to 64 bytes of UTF-8
  /// Of each connection. Where it has no certificate, one is made for all.
  asiortc::configuration configuration;
  /// Whether the servers that the room recommends are used besides those of `configuration`; what
  /// cannot be used of them is left out.
  bool use_room_ice_servers = true;
  mesh_options mesh;  ///< without `server_compatibility` and `refuse_new_connections`
  std::chrono::milliseconds unreliable_lifetime{1};  ///< as of `mesh::add_peer`
  signaling_client_options signaling;                ///< of each stay in the room
  /// How long until a member whose connection ended is met again, and until a room that was lost is
  /// joined again; doubled with each try that fails. From 1 ms.
  std::chrono::milliseconds retry_min{1000};
  std::chrono::milliseconds retry_max{30000};  ///< the most that it is doubled to
};

/// A move-only handle to a mesh that keeps itself: it joins a signaling room, and whoever is in
/// there becomes a peer, by perfect negotiation (webrtc-pc 10.7). The ids are those of the room
/// (`peer_id`), which never gives one twice.
///
/// A member whose connection fails or closes while it stays in the room, or has not come about in
/// `timeouts::ice_failed` and `dtls_handshake` together, is met again, over a new connection,
/// whichever side notices; one for which `mesh_options::max_peers` leaves no place is tried again
/// until there is one. Where the signaling server is lost, connections that work go on, and the
/// room is joined again until that succeeds; this side then has another id and meets all anew.
/// Where both sides of a connection came back so, each is connected under its new id first and
/// leaves under its old one then, known by its certificate. Where one side alone lost the server,
/// the other has kept its id, under which there is one connection at a time: to the one that comes
/// back it is disconnected first and connected again then, and it sees that one leave under its old
/// id and come under its new one, mostly in this order. A peer that left the room is removed, once
/// its connection has had the time to end by itself; one that the server lost is not while its
/// connection works.
///
/// Thread safety, cancellation and lifetime are those of `mesh`. Dropping the handle aborts
/// everything without blocking; one that was moved from may only be destroyed and assigned to.
class ASIORTC_EXPORT room_mesh {
 public:
  /// Opens nothing yet. `executor` is not empty.
  /// Throws `error`: what `peer_connection` and `mesh` throw for their options; `type_error` for
  /// `server_compatibility`, `refuse_new_connections` and times that are none.
  explicit room_mesh(boost::asio::any_io_executor executor,
                     room_mesh_options options = room_mesh_options());
  /// The same, on the executor of an execution context such as `io_context`.
  template <class Context>
  requires requires(Context& context) {
    { context.get_executor() } -> std::convertible_to<boost::asio::any_io_executor>;
  }
  explicit room_mesh(Context& context, room_mesh_options options = room_mesh_options())
      : room_mesh(boost::asio::any_io_executor(context.get_executor()), std::move(options)) {}
  /// Leaves the other handle empty.
  room_mesh(room_mesh&&) noexcept;
  /// Aborts what was held before, and leaves the other handle empty.
  room_mesh& operator=(room_mesh&&) noexcept;
  /// Aborts everything; never blocks.
  ~room_mesh();

  /// Connects to the server at `url` and joins `room`, as `signaling_client::async_connect` and
  /// `async_join`. When it completes, `id()` is known and the members are being connected to.
  ///
  /// Completion signature: `void(error_code)`.
  /// Errors: those of `signaling_client`, after which a new `room_mesh` is made;
  /// `errc::invalid_state` on a second call; `errc::closed` when it was closed meanwhile.
  /// Cancellation (any type) ends the `room_mesh`, with `operation_aborted`.
  template <class Token = boost::asio::deferred_t>
  [[nodiscard]] auto async_join(std::string url, std::string room, Token&& token = Token()) {
    return boost::asio::async_initiate<Token, void(boost::system::error_code)>(
        join_operation(), token, state_, std::move(url), std::move(room));
  }

  /// This side's id; 0 before it has joined. Another one after each rejoin. Never fails.
  [[nodiscard]] mesh_id id() const;
  /// Who else is in the room, connected or not; empty while it is lost. Never fails.
  [[nodiscard]] std::vector<signaling_peer> members() const;
  /// As `mesh::has_peer`: whether there is a connection, ready or not. Never fails.
  [[nodiscard]] bool has_peer(mesh_id id) const;
  /// As `mesh::get_peer`. The connection is negotiated already. Never fails.
  [[nodiscard]] std::optional<mesh_peer_info> get_peer(mesh_id id) const;
  /// As `mesh::get_peers`. Never fails.
  [[nodiscard]] std::vector<mesh_peer_info> get_peers() const;
  /// As `mesh::max_packet_size`. Never fails.
  [[nodiscard]] std::size_t max_packet_size() const;
  /// As `mesh::last_error_detail`; after a join that was refused, why, in words. Never fails.
  [[nodiscard]] std::string last_error_detail() const;

  /// As `mesh::async_send`, with its completion and its errors.
  template <class Token = boost::asio::deferred_t>
  [[nodiscard]] auto async_send(mesh_id target, std::vector<std::uint8_t> bytes,
                                transfer_mode mode = transfer_mode::reliable,
                                Token&& token = Token()) {
    return boost::asio::async_initiate<Token, void(boost::system::error_code)>(
        send_operation(), token, state_, target, std::move(bytes), mode);
  }

  /// As `mesh::async_receive`, with its completion and its errors.
  template <class Token = boost::asio::deferred_t>
  [[nodiscard]] auto async_receive(Token&& token = Token()) {
    return packets().async_next(std::forward<Token>(token));
  }
  /// Takes a packet if there is one; never waits and never fails.
  [[nodiscard]] std::optional<mesh_packet> try_receive();

  /// As `mesh::packets`.
  [[nodiscard]] event_stream<mesh_packet> packets() const;
  /// What happens to the peers, as in `mesh::events`; each try to connect that came to nothing is a
  /// `peer_failed`. `connection_succeeded` tells that the room was joined, `server_disconnected`
  /// that it was lost and will be joined again, both with this side's id.
  ///
  /// It ends without an error after `async_close`; with `errc::signaling_refused` when the first
  /// join was refused, or a later one for good (`kicked`, `sealed`, `forbidden`, `unauthorized`,
  /// `replaced`); with what else the first join failed with; with `errc::limit_reached` when 65,536
  /// events are unread. Every connection is closed then.
  [[nodiscard]] event_stream<mesh_event> events() const;

  /// Closes every connection, as `mesh::async_close`, leaves the room, and completes when every
  /// socket and timer is gone. Idempotent; several may wait at once.
  ///
  /// Completion signature: `void(error_code)`. Errors: none but `operation_aborted`, which abandons
  /// the wait alone.
  template <class Token = boost::asio::deferred_t>
  [[nodiscard]] auto async_close(Token&& token = Token()) {
    return boost::asio::async_initiate<Token, void(boost::system::error_code)>(close_operation(),
                                                                               token, state_);
  }

 private:
  using state_ptr = std::shared_ptr<detail::room_mesh_state>;
  struct ASIORTC_EXPORT join_operation {
    void operator()(detail::void_completion handler, state_ptr state, std::string url,
                    std::string room) const;
  };
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

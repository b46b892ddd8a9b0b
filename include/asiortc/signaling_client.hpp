// A peer's way into a signaling room.
#pragma once

#include <asiortc/config.hpp>
#include <asiortc/configuration.hpp>
#include <asiortc/event_stream.hpp>
#include <asiortc/log.hpp>
#include <asiortc/name_resolver.hpp>
#include <asiortc/signaling_pipe.hpp>
#include <asiortc/signaling_types.hpp>

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/system/error_code.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace asiortc::inline ASIORTC_ABI {

namespace detail {
class client_state;
}

/// What a `signaling_event` tells (signaling-protocol.md, messages from the server).
enum class ASIORTC_EXPORT signaling_event_kind {
  peer_joined,  ///< `peer` came after us: it is the polite side, and it offers
  peer_left,    ///< `peer` is gone, with `reason`
  peer_away,    ///< the server lost `peer` and keeps its place for a while
  peer_back,    ///< `peer` is there again
  room_sealed,  ///< nobody can join any more
  going_away,   ///< the server is about to stop; the end follows
  refused       ///< the server refused something and goes on: `code`, `message`, `peer.id` or 0
};

/// What happened in the room.
class ASIORTC_EXPORT signaling_event {
 public:
  signaling_event() = default;

  signaling_event_kind kind = signaling_event_kind::peer_joined;  ///< which of the rest counts
  signaling_peer peer;                       ///< whom it is about; id 0: nobody
  leave_reason reason = leave_reason::left;  ///< of `peer_left`
  std::string code;                          ///< of the protocol, e.g. `peer-not-found`
  std::string message;                       ///< in words, from the server
};

/// Options of a `signaling_client`.
class ASIORTC_EXPORT signaling_client_options {
 public:
  signaling_client_options() = default;

  /// Resolves the server's name; none: `make_name_resolver` of the client's executor.
  std::shared_ptr<name_resolver> resolver;
  std::chrono::milliseconds connect_timeout{10000};  ///< of the name, and again of the handshake
  std::chrono::milliseconds join_timeout{10000};     ///< until the server has answered the join
  std::chrono::milliseconds idle_timeout{45000};     ///< a server silent for so long is gone
  std::chrono::milliseconds close_timeout{5000};     ///< then the socket is dropped
  log_sink log;  ///< where lines of the log go; none: nowhere. Called on the client's strand
  log_level log_threshold = log_level::info;  ///< the least important level that is given to it
};

/// A move-only handle to one connection and one stay in one room. After its end a new client is
/// made. It owns no thread: everything runs on a strand of the executor it is given. Dropping it
/// drops the connection; its pipes then end with `errc::signaling_lost`. One that was moved from
/// may only be destroyed and assigned to. The protocol is that of signaling-protocol.md, over a
/// WebSocket (RFC 6455); what is in it for JSEP is RFC 9429 3.1's signaling.
///
/// Thread safety: every member may be called from any thread. Completion handlers run on their
/// associated executor, else on that of the client, and are always posted. The context may be
/// destroyed first; the client is then inert: pending handlers are dropped, getters still answer.
///
/// Cancellation: every operation honours its slot, with any type, and completes with
/// `asio::error::operation_aborted`; what else comes of it is said there.
class ASIORTC_EXPORT signaling_client {
 public:
  /// Opens nothing yet; never fails. `executor` is not empty.
  explicit signaling_client(boost::asio::any_io_executor executor,
                            signaling_client_options options = signaling_client_options());
  /// Leaves the other handle empty.
  signaling_client(signaling_client&&) noexcept;
  /// Drops what was held before.
  signaling_client& operator=(signaling_client&&) noexcept;
  /// Drops the connection in the background; never blocks.
  ~signaling_client();

  /// Connects to `ws://HOST[:PORT][/PATH]` (RFC 6455 3 and 4.1).
  ///
  /// Completion signature: `void(error_code)`.
  /// Errors: `errc::syntax_error` for what is no such URL, `errc::not_supported` for `wss:`,
  /// `errc::invalid_state` on a second call, `errc::signaling_refused` when the server is none of
  /// this protocol or refuses, `asio::error::connection_refused` and others of the socket,
  /// `asio::error::eof` when the server hangs up before it has answered,
  /// `asio::error::timed_out`, those of the name resolver, `errc::signaling_protocol` when the
  /// server chose another subprotocol, `errc::closed` and `errc::signaling_lost` when the client
  /// was closed or dropped meanwhile, `operation_aborted`.
  /// Cancellation (any type) ends the client.
  template <class Token = boost::asio::deferred_t>
  [[nodiscard]] auto async_connect(std::string url, Token&& token = Token()) {
    return boost::asio::async_initiate<Token, void(boost::system::error_code)>(
        connect_operation(), token, state_, std::move(url));
  }

  /// Joins a room (signaling-protocol.md, `join`): `room` is 1 to 64 of `A-Za-z0-9._-`, `name` up
  /// to 64 bytes of UTF-8. When it completes, `id()`, `peers()` and `ice_servers()` are known, and
  /// everybody who comes or goes from then on is told by `events()`.
  ///
  /// Completion signature: `void(error_code)`.
  /// Errors: `errc::type_error` for a room or a name out of bounds, `errc::invalid_state` when not
  /// connected or joined already, `errc::signaling_refused` (`refusal()` has the words),
  /// `errc::limit_reached` for a room with more than 4,096 others,
  /// `asio::error::timed_out`, the error that ended the connection, `errc::closed` when the client
  /// was closed meanwhile, `operation_aborted`.
  /// Cancellation (any type) ends the client.
  template <class Token = boost::asio::deferred_t>
  [[nodiscard]] auto async_join(std::string room, std::string name, Token&& token = Token()) {
    return boost::asio::async_initiate<Token, void(boost::system::error_code)>(
        join_operation(), token, state_, std::move(room), std::move(name));
  }

  /// Leaves the room after all that was sent (signaling-protocol.md, `leave`), closes and waits
  /// until the socket is gone, at most `close_timeout`. Idempotent; several may wait at once.
  ///
  /// Completion signature: `void(error_code)`.
  /// Errors: `operation_aborted`. Cancellation (any type) abandons the wait, not the close.
  template <class Token = boost::asio::deferred_t>
  [[nodiscard]] auto async_close(Token&& token = Token()) {
    return boost::asio::async_initiate<Token, void(boost::system::error_code)>(close_operation(),
                                                                               token, state_);
  }

  /// What happens in the room. It ends without an error after `async_close`; with
  /// `errc::signaling_refused` when the server closed with a reason of its own, see `refusal()`;
  /// with `errc::signaling_lost` when the connection broke or fell silent; with
  /// `errc::signaling_protocol` when the server broke the protocol. At most 65,536 events wait
  /// unread; then the client ends with `errc::limit_reached`, and so it does when more than 4,096
  /// others are in the room.
  [[nodiscard]] event_stream<signaling_event> events() const;

  /// This peer's id; 0 before it has joined. It stays after the end. Never fails.
  [[nodiscard]] peer_id id() const;
  /// The others in the room, in the order of their arrival; none before the join and after the end.
  /// May be ahead of `events()`. Never fails.
  [[nodiscard]] std::vector<signaling_peer> peers() const;
  /// The STUN and TURN servers that the signaling server recommends (signaling-protocol.md,
  /// `ice_servers`); none before the join. They stay after the end. Never fails.
  [[nodiscard]] std::vector<ice_server> ice_servers() const;
  /// Why the server refused or closed, for a person: `code: words`; empty where it did not. Never
  /// fails.
  [[nodiscard]] std::string refusal() const;

  /// The pipe to a peer of the room. Everything that the peer has sent since it or we came is in
  /// it. All pipes to one peer are one. Its `polite()` is true where the peer was here before us;
  /// then we also offer (webrtc-pc 10.7; signaling-protocol.md, who offers). For a peer that is not
  /// in the room, a pipe that has ended with `errc::peer_not_found`.
  [[nodiscard]] std::shared_ptr<signaling_pipe> pipe_to(peer_id peer) const;

 private:
  using completion = boost::asio::any_completion_handler<void(boost::system::error_code)>;
  using state_ptr = std::shared_ptr<detail::client_state>;
  struct ASIORTC_EXPORT connect_operation {
    void operator()(completion handler, state_ptr state, std::string url) const;
  };
  struct ASIORTC_EXPORT join_operation {
    void operator()(completion handler, state_ptr state, std::string room, std::string name) const;
  };
  struct ASIORTC_EXPORT close_operation {
    void operator()(completion handler, state_ptr state) const;
  };

  state_ptr state_;
};

}  // namespace asiortc::inline ASIORTC_ABI

// A signaling server of the protocol `asiortc.v1`, for a program of its own or inside another.
#pragma once

#include <asiortc/config.hpp>
#include <asiortc/configuration.hpp>
#include <asiortc/log.hpp>

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/system/error_code.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace asiortc::inline ASIORTC_ABI {

namespace detail {
class server_state;
}

/// Options of a `signaling_server`; the defaults are those of the protocol.
class ASIORTC_EXPORT signaling_server_options {
 public:
  signaling_server_options() = default;

  std::string host = "127.0.0.1";  ///< an IP address without brackets, or `localhost`
  std::uint16_t port = 8765;       ///< 0 picks one

  /// Which web pages may connect, as `https://example.org`. None may unless they are named here or
  /// `allow_any_origin` is set, so that no page walks into a server on loopback. Programs that
  /// send no Origin always may.
  std::vector<std::string> allowed_origins;
  bool allow_any_origin = false;  ///< every web page may connect (RFC 6455 10.2)

  std::vector<ice_server> ice_servers;  ///< told to every peer that joins

  std::size_t max_connections = 4096;                    ///< sockets; more are refused
  std::size_t max_rooms = 1024;                          ///< at once; a join beyond is refused
  std::size_t max_peers_per_room = 256;                  ///< at most 2048
  std::size_t max_queue = std::size_t{4} * 1024 * 1024;  ///< unread bytes a peer, then it is closed

  std::chrono::milliseconds handshake_timeout{10000};  ///< for the HTTP request (RFC 6455 4.2)
  std::chrono::milliseconds join_timeout{10000};       ///< until a peer's `join`
  std::chrono::milliseconds ping_interval{15000};      ///< between pings of a socket
  std::chrono::milliseconds idle_timeout{45000};       ///< a peer silent for so long is gone
  std::chrono::milliseconds close_timeout{5000};       ///< a socket not closed by then is dropped

  log_sink log;                               ///< where lines of the log go; none: nowhere
  log_level log_threshold = log_level::info;  ///< the least important level that is given to it
};

/// A move-only handle. It owns no thread: everything runs on a strand of the executor it is given.
/// Dropping it stops listening and drops every connection without a word; `async_close` is the
/// graceful way. One that was moved from may only be destroyed and assigned to. The protocol is
/// that of signaling-protocol.md, over WebSockets (RFC 6455).
///
/// Thread safety: every member may be called from any thread. Completion handlers run on their
/// associated executor, else on that of the server, and are always posted. The context may be
/// destroyed first; the server is then inert: pending handlers are dropped.
class ASIORTC_EXPORT signaling_server {
 public:
  /// Opens nothing yet. Throws what `check_ice_server` throws for one of `options.ice_servers`,
  /// which every peer would be told of. `executor` is not empty.
  explicit signaling_server(boost::asio::any_io_executor executor,
                            signaling_server_options options = signaling_server_options());
  /// Leaves the other handle empty.
  signaling_server(signaling_server&&) noexcept;
  /// Drops what was held before.
  signaling_server& operator=(signaling_server&&) noexcept;
  /// Drops every connection in the background; never blocks.
  ~signaling_server();

  /// Takes the port and begins to serve.
  /// Throws `error`, whose text names the address: `errc::syntax_error` when the host is no
  /// address, `asio::error::address_in_use` when the port is taken, another error of the system;
  /// `errc::invalid_state` on a second call, failed or not, and after `async_close`.
  void listen();

  /// The TCP port that was taken; 0 before `listen`. It stays after the end. Never fails.
  [[nodiscard]] std::uint16_t port() const;
  /// `ws://HOST:PORT/` (RFC 6455 3), the host as it was given. Never fails.
  [[nodiscard]] std::string url() const;

  /// Stops listening, tells every peer `going-away` (signaling-protocol.md), closes with 1012 and
  /// waits until every socket is gone, at most `close_timeout`. Idempotent; several may wait at
  /// once.
  ///
  /// Completion signature: `void(error_code)`.
  /// Errors: `operation_aborted`. Cancellation (any type) abandons the wait, not the close.
  template <class Token = boost::asio::deferred_t>
  [[nodiscard]] auto async_close(Token&& token = Token()) {
    return boost::asio::async_initiate<Token, void(boost::system::error_code)>(close_operation(),
                                                                               token, state_);
  }

 private:
  using completion = boost::asio::any_completion_handler<void(boost::system::error_code)>;
  using state_ptr = std::shared_ptr<detail::server_state>;
  struct ASIORTC_EXPORT close_operation {
    void operator()(completion handler, state_ptr state) const;
  };

  state_ptr state_;
};

}  // namespace asiortc::inline ASIORTC_ABI

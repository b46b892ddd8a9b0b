// What carries descriptions and candidates between two peers.
#pragma once

#include <asiortc/config.hpp>
#include <asiortc/event_stream.hpp>
#include <asiortc/ice_candidate.hpp>
#include <asiortc/session_description.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/deferred.hpp>

#include <memory>
#include <optional>
#include <utility>
#include <variant>

namespace asiortc::inline ASIORTC_ABI {

/// One thing said between two peers while they set up a connection.
using peer_signal = std::variant<session_description, ice_candidate>;

/// An ordered, bounded, two-way pipe of signals to one other peer. `signaling_client::pipe_to`
/// gives one over a server; a program with a transport of its own derives from it. It
/// is always held by a `shared_ptr`. What a pipe promises is what JSEP asks of the application's
/// signaling (RFC 9429 3.1) and trickle ICE of its transport (RFC 8838 18).
///
/// Thread safety: every member may be called from any thread.
class ASIORTC_EXPORT signaling_pipe : public std::enable_shared_from_this<signaling_pipe> {
 public:
  /// No value and no error after a good end; no value and the reason after any other.
  using receive_handler = boost::asio::any_completion_handler<void(boost::system::error_code,
                                                                   std::optional<peer_signal>)>;

  signaling_pipe() = default;
  signaling_pipe(const signaling_pipe&) = delete;
  signaling_pipe& operator=(const signaling_pipe&) = delete;
  virtual ~signaling_pipe() = default;

  /// Sends behind what was sent before; never blocks. False when the pipe has ended, or when too
  /// much waits to be sent: then the pipe ends with `errc::limit_reached`, since what follows a
  /// lost signal makes no sense.
  virtual bool send(peer_signal value) = 0;

  /// Ends the pipe for both directions; a pending receive ends without an error after what is
  /// queued. What was sent before is still sent. Further calls do nothing.
  virtual void close() = 0;

  /// Whether this side gives way when both offer at once: the one that came later does. Empty
  /// where the pipe knows no order of arrival: then give `negotiate` a role, not the same at both
  /// ends. Does not change while the pipe lives.
  [[nodiscard]] virtual std::optional<bool> polite() const = 0;

  /// Waits for the next signal, in the order in which the other side sent them. What arrives
  /// before the first wait is kept.
  ///
  /// Completion signature: `void(error_code, std::optional<peer_signal>)`, as of `event_stream`.
  /// Errors: `errc::in_use` when another wait is pending; `asio::error::operation_aborted` when
  /// cancelled (any type), and then nothing was consumed; `errc::signaling_lost` when the way to
  /// the other side broke, `errc::remote_closed` when it left, `errc::peer_not_found` when it was
  /// never there, `errc::limit_reached` when more was sent than is kept, `errc::closed` when the
  /// `signaling_client` of the pipe was closed on this side.
  template <class Token = boost::asio::deferred_t>
  [[nodiscard]] auto async_receive(Token&& token = Token()) {
    return boost::asio::async_initiate<Token,
                                       void(boost::system::error_code, std::optional<peer_signal>)>(
        [](auto handler, const std::shared_ptr<signaling_pipe>& self) {
          self->start_receive(receive_handler(std::move(handler)));
        },
        token, shared_from_this());
  }

 protected:
  /// The body of `async_receive`, with its errors; called from any thread. The handler is posted,
  /// never called from inside.
  virtual void start_receive(receive_handler handler) = 0;
};

/// Two pipes in memory, each the other's far end, for two peers in one program. The first came
/// first: it is impolite, the second polite. Dropping one ends the other with
/// `errc::remote_closed`. Thread-safe. Handlers without an executor of their own run on `executor`.
[[nodiscard]] ASIORTC_EXPORT
    std::pair<std::shared_ptr<signaling_pipe>, std::shared_ptr<signaling_pipe>>
    make_signaling_pipe_pair(boost::asio::any_io_executor executor);

}  // namespace asiortc::inline ASIORTC_ABI

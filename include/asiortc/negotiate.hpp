// Perfect negotiation over any signaling pipe (webrtc-pc 10.7, RFC 9429).
#pragma once

#include <asiortc/config.hpp>
#include <asiortc/data_channel.hpp>
#include <asiortc/peer_connection.hpp>
#include <asiortc/signaling_pipe.hpp>

#include <boost/asio/async_result.hpp>
#include <boost/asio/deferred.hpp>

#include <memory>

namespace asiortc::inline ASIORTC_ABI {

namespace detail {
class negotiation_state;
}

/// Who gives way when both offer at once.
enum class negotiation_role {
  by_arrival,  ///< as the pipe says; polite where it does not know: then the other must be impolite
  polite,      ///< rolls its own offer back
  impolite     ///< ignores the other side's offer
};

/// A move-only handle to a running negotiation; dropping it ends it, but not the connection. One
/// that was moved from may only be destroyed, assigned to and stopped.
///
/// Thread safety: as `peer_connection`.
class ASIORTC_EXPORT negotiation {
 public:
  /// For the library itself.
  explicit negotiation(std::shared_ptr<detail::negotiation_state> state) noexcept;
  /// Leaves the other handle without a negotiation.
  negotiation(negotiation&&) noexcept;
  /// Stops what was held before. What is assigned has begun already, so of the same connection
  /// stop the one before it first.
  negotiation& operator=(negotiation&&) noexcept;
  /// As `stop()`.
  ~negotiation();

  /// Waits for the end of the negotiation; at once when it has ended. Several may wait.
  ///
  /// Completion signature: `void(error_code)`. No error when the connection was closed in good
  /// order, or the negotiation was stopped; `errc::signaling_lost` when the pipe ended before the
  /// peers were connected, or the pipe's own error afterwards; the error that ended the connection,
  /// such as that of `async_set_remote_description` for a description that was refused.
  /// Cancellation: any type; abandons the wait alone, with `operation_aborted`.
  template <class Token = boost::asio::deferred_t>
  [[nodiscard]] auto async_wait(Token&& token = Token()) {
    return boost::asio::async_initiate<Token, void(boost::system::error_code)>(wait_operation(),
                                                                               token, state_);
  }

  /// Ends it: the pipe is closed and the streams are given back, on the strand and so soon after.
  /// Another may begin at once, and finds all as this one left it. Never blocks or fails; does
  /// nothing when it has ended.
  void stop();

 private:
  using state_ptr = std::shared_ptr<detail::negotiation_state>;
  struct ASIORTC_EXPORT wait_operation {
    void operator()(detail::void_completion handler, state_ptr state) const;
  };

  state_ptr state_;
};

/// Offers, answers and trickles candidates by itself, from now until the connection or the pipe
/// ends: perfect negotiation (webrtc-pc 10.7, RFC 9429 4.1.10.2 rollback, RFC 8838 trickle). It
/// takes over `ice_candidates()` and `negotiation_needed()`, runs on the connection's strand and
/// holds its state, not the handle. Candidates that come before a description wait (at most 64). A
/// pipe that ends before the peers are connected ends the connection with `errc::signaling_lost`,
/// so that nothing waits for ever; later it only ends the negotiation. So does a description that
/// is refused: before the peers are connected it ends the connection with that error, later it is
/// logged and left out, as candidates that are refused always are.
///
/// A connection that outlived its pipe can be given another. An offer that is still open is sent
/// again, since it or its answer may be lost, and one of the other side that has no answer yet is
/// answered. Of two sides one has to be polite and one not, or a collision is never settled.
///
/// Throws `error`: `invalid_state` when the connection is closed, `in_use` when a negotiation runs.
/// `connection` has not been moved from, and `pipe` is not null. Thread-safe.
[[nodiscard]] ASIORTC_EXPORT negotiation
negotiate(peer_connection& connection, std::shared_ptr<signaling_pipe> pipe,
          negotiation_role role = negotiation_role::by_arrival);

}  // namespace asiortc::inline ASIORTC_ABI

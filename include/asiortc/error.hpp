// Errors: one category, every value with its emitter and its reason.
#pragma once

#include <asiortc/config.hpp>

#include <boost/system/error_code.hpp>
#include <boost/system/system_error.hpp>

#include <string>

namespace asiortc::inline ASIORTC_ABI {

/// Every error that asiortc itself gives. Errors of sockets and of Asio keep their own categories
/// (`asio::error::operation_aborted` is what a cancelled operation completes with).
enum class ASIORTC_EXPORT errc {
  // What a call was refused for; the names are those of the W3C's exceptions (webrtc-pc 4).
  invalid_state = 1,  ///< the object is closed, or not in a state in which the call is allowed
  type_error,         ///< an argument is missing, contradictory or out of its range
  syntax_error,       ///< a text (SDP, candidate, URL, PEM, flag) could not be parsed
  invalid_access,  ///< credentials are missing, a certificate has expired, or a selector is foreign
  invalid_modification,  ///< a description or configuration changes what may not change
  operation_error,       ///< an id is in use or exhausted, or a candidate names an old generation
  not_supported,         ///< well-formed, but asiortc does not do it (yet)
  in_use,                ///< a stream has a waiter already, or `negotiate()` has taken it over
  message_too_large,     ///< a message is larger than the peer's max-message-size
  limit_reached,         ///< a bound on a queue or a count was met

  // Why a peer connection or a channel ended.
  closed,                ///< closed by this side
  remote_closed,         ///< the other side closed (DTLS close_notify, SCTP abort or shutdown)
  no_remote_candidates,  ///< ICE: the other side gave no candidate that can be tried
  checks_failed,         ///< ICE: every candidate pair failed or timed out (RFC 8445 8.1.2)
  consent_expired,       ///< ICE: no answer to consent checks for 30 s (RFC 7675 5.1)
  dtls_failed,           ///< DTLS: the handshake failed or an alert ended the association
  dtls_timeout,          ///< DTLS: the handshake did not finish in time
  fingerprint_mismatch,  ///< DTLS: the certificate is not the one that the SDP announced
  sctp_failed,           ///< SCTP: the association could not be set up or was aborted
  protocol_violation,    ///< the peer broke DCEP or data channel rules on this channel
  signaling_lost,        ///< the signaling pipe or server was lost

  // What the signaling client gives.
  signaling_refused,   ///< the server sent a fatal `error`, or is none of this protocol
  signaling_protocol,  ///< the server broke the protocol `asiortc.v1`
  peer_not_found,      ///< the addressed peer is not in the room

  // What the TURN client gives; the words beside it name the server and its error code.
  turn_unreachable,   ///< the TURN server did not answer, or not in a way that can be believed
  turn_unauthorized,  ///< the TURN server refused the credentials (401, 441)
  turn_refused,       ///< the TURN server refused the allocation or a peer's address (RFC 8656 19)
  turn_lost,          ///< the TURN allocation ended on the server (437) or could not be refreshed
};

/// The category of `errc`. Thread-safe; lives as long as the program.
ASIORTC_EXPORT const boost::system::error_category& error_category() noexcept;

/// The error code of `value`; Boost.System finds it. Thread-safe.
inline boost::system::error_code make_error_code(errc value) noexcept {
  return {static_cast<int>(value), error_category()};
}

/// Thrown by plain functions; `what()` names the argument or line at fault and what was expected.
class ASIORTC_EXPORT error : public boost::system::system_error {
 public:
  /// `detail` comes before the message of `code` in `what()`.
  error(boost::system::error_code code, const std::string& detail) : system_error(code, detail) {}
};

}  // namespace asiortc::inline ASIORTC_ABI

template <>
struct boost::system::is_error_code_enum<asiortc::errc> : std::true_type {};

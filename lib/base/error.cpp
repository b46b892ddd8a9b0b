#include <asiortc/error.hpp>

namespace asiortc::inline ASIORTC_ABI {
namespace {

// long: a line or two an error
const char* text_of(errc value) {
  switch (value) {
    case errc::invalid_state:
      return "the call is not allowed in the present state";
    case errc::type_error:
      return "an argument is missing, contradictory or out of range";
    case errc::syntax_error:
      return "malformed text";
    case errc::invalid_access:
      return "credentials are missing or a certificate has expired";
    case errc::invalid_modification:
      return "the change is not allowed";
    case errc::operation_error:
      return "the operation failed";
    case errc::not_supported:
      return "not supported";
    case errc::in_use:
      return "already in use";
    case errc::message_too_large:
      return "the message is larger than the peer accepts";
    case errc::limit_reached:
      return "a limit was reached";
    case errc::closed:
      return "closed by this side";
    case errc::remote_closed:
      return "closed by the other side";
    case errc::no_remote_candidates:
      return "ICE failed: the other side gave no usable candidate";
    case errc::checks_failed:
      return "ICE failed: all candidate pairs failed";
    case errc::consent_expired:
      return "ICE consent expired: the other side stopped answering";
    case errc::dtls_failed:
      return "DTLS failed";
    case errc::dtls_timeout:
      return "the DTLS handshake timed out";
    case errc::fingerprint_mismatch:
      return "the DTLS certificate does not match the announced fingerprint";
    case errc::sctp_failed:
      return "the SCTP association failed";
    case errc::protocol_violation:
      return "the other side broke the data channel protocol";
    case errc::signaling_lost:
      return "signaling was lost";
    case errc::signaling_refused:
      return "the signaling server refused";
    case errc::signaling_protocol:
      return "the signaling server broke the protocol";
    case errc::peer_not_found:
      return "no such peer in the room";
    case errc::turn_unreachable:
      return "the TURN server did not answer";
    case errc::turn_unauthorized:
      return "the TURN server refused the credentials";
    case errc::turn_refused:
      return "the TURN server refused";
    case errc::turn_lost:
      return "the TURN allocation was lost";
  }
  return "unknown asiortc error";
}

class category final : public boost::system::error_category {
 public:
  // The id makes two copies of the category, in two shared objects, compare equal.
  constexpr category() : error_category(0x6173696f72746331ULL) {}

  [[nodiscard]] const char* name() const noexcept override { return "asiortc"; }
  [[nodiscard]] std::string message(int value) const override {
    return text_of(static_cast<errc>(value));
  }
};

}  // namespace

const boost::system::error_category& error_category() noexcept {
  static const category instance;
  return instance;
}

}  // namespace asiortc::inline ASIORTC_ABI

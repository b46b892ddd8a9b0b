// A session description as signaling carries it (webrtc-pc 4.6, JSEP RFC 9429 4.2).
#pragma once

#include <asiortc/config.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace asiortc::inline ASIORTC_ABI {

/// webrtc-pc 4.6.1 RTCSdpType.
enum class ASIORTC_EXPORT sdp_type { offer, pranswer, answer, rollback };

/// "offer", "pranswer", "answer" or "rollback". Thread-safe.
ASIORTC_EXPORT std::string_view to_string(sdp_type type) noexcept;
/// The inverse of `to_string`; empty for any other text. Thread-safe.
ASIORTC_EXPORT std::optional<sdp_type> sdp_type_from_string(std::string_view text) noexcept;

/// A type and its SDP text (webrtc-pc 4.6.2 RTCSessionDescription). The text is not checked until a
/// peer connection is given it.
class ASIORTC_EXPORT session_description {
 public:
  session_description() = default;
  /// `kind` becomes `type`, `text` `sdp`; neither is checked.
  session_description(sdp_type kind, std::string text) : type(kind), sdp(std::move(text)) {}

  sdp_type type = sdp_type::offer;  ///< what it is (RFC 9429 4.1.10)
  std::string sdp;                  ///< RFC 8866 text with CRLF; empty for a rollback

  /// Whether all members are equal.
  bool operator==(const session_description&) const = default;
};

}  // namespace asiortc::inline ASIORTC_ABI

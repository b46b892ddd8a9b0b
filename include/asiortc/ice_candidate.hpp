// A candidate as signaling carries it (webrtc-pc 4.8, RFC 8839 5.1), and why there is none.
#pragma once

#include <asiortc/config.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace asiortc::inline ASIORTC_ABI {

/// The four members of RTCIceCandidateInit (webrtc-pc 4.8.1). An empty `candidate` ends the
/// candidates of the m-section or generation that it names, or of all where it names none.
class ASIORTC_EXPORT ice_candidate {
 public:
  ice_candidate() = default;
  /// As signaling brings it, and as Godot's `add_ice_candidate` takes it. Never fails: what it says
  /// is checked by `async_add_ice_candidate`.
  explicit ice_candidate(std::string text, std::optional<std::string> mid = std::nullopt,
                         std::optional<std::uint16_t> m_line_index = std::nullopt)
      : candidate(std::move(text)), sdp_mid(std::move(mid)), sdp_m_line_index(m_line_index) {}

  std::string candidate;                          ///< `candidate:…` as in SDP, without `a=`
  std::optional<std::string> sdp_mid;             ///< of the m-section that it belongs to
  std::optional<std::uint16_t> sdp_m_line_index;  ///< from 0; counts where there is no mid
  std::optional<std::string> username_fragment;   ///< names the ICE generation (RFC 8839 5.4)

  /// Whether all members are equal.
  bool operator==(const ice_candidate&) const = default;
};

/// Why a STUN or TURN server gave no candidate (webrtc-pc 4.8.3 RTCPeerConnectionIceErrorEvent), or
/// took back one that it had given.
class ASIORTC_EXPORT ice_candidate_error {
 public:
  ice_candidate_error() = default;

  /// `code` where the server gave no answer that could be believed (webrtc-pc 4.8.3): it cannot be
  /// reached, its name has no address, its certificate does not fit.
  static constexpr std::uint16_t not_reached = 701;

  std::string url;         ///< of the server, as in the configuration
  std::string address;     ///< the local address that it was asked from; empty where unknown
  std::uint16_t port = 0;  ///< the local port; 0 where unknown
  std::uint16_t code = 0;  ///< of the server's answer (RFC 8489 14.8), or `not_reached`
  std::string text;        ///< in words

  /// Whether all members are equal.
  bool operator==(const ice_candidate_error&) const = default;
};

}  // namespace asiortc::inline ASIORTC_ABI

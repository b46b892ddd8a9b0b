// A candidate as signaling carries it (webrtc-pc 4.8, RFC 8839 5.1).
#pragma once

#include <asiortc/config.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace asiortc::inline ASIORTC_ABI {

/// The four members of RTCIceCandidateInit (webrtc-pc 4.8.1). An empty `candidate` ends the
/// candidates of the m-section or generation that it names, or of all where it names none.
class ASIORTC_EXPORT ice_candidate {
 public:
  ice_candidate() = default;

  std::string candidate;                          ///< `candidate:…` as in SDP, without `a=`
  std::optional<std::string> sdp_mid;             ///< of the m-section that it belongs to
  std::optional<std::uint16_t> sdp_m_line_index;  ///< from 0; counts where there is no mid
  std::optional<std::string> username_fragment;   ///< names the ICE generation (RFC 8839 5.4)

  /// Whether all members are equal.
  bool operator==(const ice_candidate&) const = default;
};

}  // namespace asiortc::inline ASIORTC_ABI

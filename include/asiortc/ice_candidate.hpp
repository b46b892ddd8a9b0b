// A candidate as signaling carries it (webrtc-pc 4.8, RFC 8839 5.1).
#pragma once

#include <asiortc/config.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace asiortc::inline ASIORTC_ABI {

/// The four members of RTCIceCandidateInit. An empty `candidate` ends the candidates of the
/// m-section or generation that it names, or of all where it names none.
class ASIORTC_EXPORT ice_candidate {
 public:
  ice_candidate() = default;

  std::string candidate;  ///< `candidate:…` as in SDP, without `a=`
  std::optional<std::string> sdp_mid;
  std::optional<std::uint16_t> sdp_m_line_index;
  std::optional<std::string> username_fragment;

  bool operator==(const ice_candidate&) const = default;
};

}  // namespace asiortc::inline ASIORTC_ABI

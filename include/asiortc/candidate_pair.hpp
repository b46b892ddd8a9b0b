// The candidate pair that carries data, as shown to the user.
#pragma once

#include <asiortc/config.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace asiortc::inline ASIORTC_ABI {

/// RFC 8445 5.1.1, spelled as in SDP.
enum class ASIORTC_EXPORT candidate_type { host, server_reflexive, peer_reflexive, relayed };

/// One end of a pair: where it is and how it was learnt.
class ASIORTC_EXPORT candidate_info {
 public:
  candidate_info() = default;

  candidate_type type = candidate_type::host;  ///< how it was learnt (RFC 8445 5.1.1)
  std::string protocol = "udp";                ///< to the peer; always "udp"
  std::string address;                         ///< an IP address, or the mDNS name that hides it
  std::uint16_t port = 0;                      ///< a UDP port

  /// Whether all members are equal.
  bool operator==(const candidate_info&) const = default;
};

/// The pair over which data goes (webrtc-pc 5.6.1 RTCIceCandidatePair).
class ASIORTC_EXPORT candidate_pair {
 public:
  candidate_pair() = default;

  candidate_info local;                                      ///< our end
  candidate_info remote;                                     ///< the other side's end
  std::optional<std::chrono::microseconds> round_trip_time;  ///< of the last answered check

  /// Whether all members are equal.
  bool operator==(const candidate_pair&) const = default;
};

/// "host", "srflx", "prflx" or "relay". Thread-safe.
ASIORTC_EXPORT std::string to_string(candidate_type type);
/// One readable line, e.g. `host 10.0.0.1:5000 <-> srflx 1.2.3.4:6000 (udp, 1.2 ms)`. Thread-safe.
ASIORTC_EXPORT std::string to_string(const candidate_pair& pair);

}  // namespace asiortc::inline ASIORTC_ABI

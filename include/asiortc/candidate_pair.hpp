// Candidate pairs, as shown to the user.
#pragma once

#include <asiortc/config.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace asiortc::inline ASIORTC_ABI {

/// RFC 8445 5.1.1, spelled as in SDP.
enum class ASIORTC_EXPORT candidate_type { host, server_reflexive, peer_reflexive, relayed };

/// One end of a pair: where it is and how it was learnt.
class ASIORTC_EXPORT candidate_info {
 public:
  candidate_info() = default;

  candidate_type type = candidate_type::host;  ///< how it was learnt (RFC 8445 5.1.1)
  std::string protocol = "udp";                ///< to the peer: "udp" or "tcp"
  std::string tcp_type;                        ///< over TCP "active" or "passive", else empty
  std::string address;                         ///< an IP address, or the mDNS name that hides it
  std::uint16_t port = 0;                      ///< of UDP or TCP

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

/// How far the check of a pair is (RFC 8445 6.1.2.6).
enum class ASIORTC_EXPORT candidate_pair_state {
  frozen,       ///< one of the same foundation is tried first
  waiting,      ///< its turn comes
  in_progress,  ///< a check is under way
  succeeded,    ///< a check was answered
  failed        ///< no check was answered, or the pair worked and does so no more
};

/// A row of the table of pairs (`peer_connection::async_candidate_pairs`; the W3C's
/// webrtc-stats 8.13 has the same numbers). Data is what DTLS sends and receives, without the
/// headers of UDP and TURN.
class ASIORTC_EXPORT candidate_pair_info {
 public:
  candidate_pair_info() = default;

  candidate_info local;   ///< our end, as the other side sees it
  candidate_info remote;  ///< the other side's end
  candidate_pair_state state = candidate_pair_state::frozen;  ///< how far its check is
  bool nominated = false;             ///< the controlling side has chosen it (RFC 8445 8.1.1)
  bool selected = false;              ///< data goes over it now
  std::uint64_t priority = 0;         ///< larger is tried first (RFC 8445 6.1.2.3)
  std::uint64_t checks_sent = 0;      ///< of all kinds, those sent again included
  std::uint64_t checks_answered = 0;  ///< answers to them that were believed
  std::uint64_t checks_received = 0;  ///< the other side's checks
  std::optional<std::chrono::microseconds> round_trip_time;  ///< of the last measured check
  std::chrono::microseconds total_round_trip_time{0};        ///< of all measured checks together
  std::uint64_t round_trips = 0;       ///< how many were measured; not those that were sent again
  std::uint64_t packets_sent = 0;      ///< of data
  std::uint64_t packets_received = 0;  ///< of data
  std::uint64_t bytes_sent = 0;        ///< of data
  std::uint64_t bytes_received = 0;    ///< of data
  /// How long ago anything came over it: a check, an answer or data; none: never.
  std::optional<std::chrono::milliseconds> heard_ago;
  std::string failure;  ///< why it failed, in words; empty where it has not

  /// Whether all members are equal.
  bool operator==(const candidate_pair_info&) const = default;
};

/// "host", "srflx", "prflx" or "relay". Thread-safe.
ASIORTC_EXPORT std::string to_string(candidate_type type);
/// One readable line, e.g. `host 10.0.0.1:5000 <-> srflx 1.2.3.4:6000 (udp, 1.2 ms)`. Thread-safe.
ASIORTC_EXPORT std::string to_string(const candidate_pair& pair);
/// "frozen", "waiting", "in-progress", "succeeded" or "failed", as the W3C spells it. Thread-safe.
ASIORTC_EXPORT std::string_view to_string(candidate_pair_state state) noexcept;
/// A table for people, a line for each pair below a line of titles; empty for no pairs.
/// Thread-safe.
ASIORTC_EXPORT std::string format_table(const std::vector<candidate_pair_info>& pairs);

}  // namespace asiortc::inline ASIORTC_ABI

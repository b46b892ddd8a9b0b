// Statistics of a peer connection, with the names and units of the W3C's "Identifiers for WebRTC's
// Statistics API" (here webrtc-stats), in snake_case.
#pragma once

#include <asiortc/candidate_pair.hpp>
#include <asiortc/config.hpp>
#include <asiortc/states.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace asiortc::inline ASIORTC_ABI {

/// Which side chooses the candidate pair (webrtc-pc 5.6 RTCIceRole); unknown before a description
/// settles it.
enum class ASIORTC_EXPORT ice_role { unknown, controlling, controlled };

/// webrtc-stats RTCDtlsRole; unknown before a description settles it.
enum class ASIORTC_EXPORT dtls_role { unknown, client, server };

/// webrtc-pc 5.5.1 RTCDtlsTransportState.
enum class ASIORTC_EXPORT dtls_transport_state { new_, connecting, connected, closed, failed };

/// What every entry of a report has (webrtc-stats RTCStats).
class ASIORTC_EXPORT stats_entry {
 public:
  stats_entry() = default;

  /// Names what the entry is about: the same in every report of the connection, never used for
  /// anything else in it. Its form means nothing.
  std::string id;
  /// When the numbers were taken: milliseconds since the Unix epoch. The wall clock is read once,
  /// when the connection is made, and steady time is added, so that it never goes back.
  double timestamp = 0;

  /// Whether all members are equal.
  bool operator==(const stats_entry&) const = default;
};

/// The connection (webrtc-stats RTCPeerConnectionStats).
class ASIORTC_EXPORT peer_connection_stats : public stats_entry {
 public:
  peer_connection_stats() = default;

  std::uint64_t data_channels_opened = 0;  ///< that have entered `open`
  std::uint64_t data_channels_closed = 0;  ///< that have left `open`

  /// Whether all members are equal.
  bool operator==(const peer_connection_stats&) const = default;
};

/// ICE and DTLS together (webrtc-stats RTCTransportStats). Packets and bytes are those of DTLS:
/// without connectivity checks, and without the headers of UDP, TCP and TURN. They count on over
/// ICE restarts and changes of the pair.
class ASIORTC_EXPORT transport_stats : public stats_entry {
 public:
  transport_stats() = default;

  std::uint64_t packets_sent = 0;                                ///< over all pairs there ever were
  std::uint64_t packets_received = 0;                            ///< over all pairs there ever were
  std::uint64_t bytes_sent = 0;                                  ///< over all pairs there ever were
  std::uint64_t bytes_received = 0;                              ///< over all pairs there ever were
  asiortc::ice_role ice_role = asiortc::ice_role::unknown;       ///< of this side
  std::string ice_local_username_fragment;                       ///< changes with an ICE restart
  dtls_transport_state dtls_state = dtls_transport_state::new_;  ///< of the handshake
  ice_connection_state ice_state = ice_connection_state::new_;   ///< of the transport
  std::optional<std::string> selected_candidate_pair_id;         ///< that data goes over
  std::uint64_t selected_candidate_pair_changes = 0;  ///< to another, from none and to none
  std::optional<std::string> local_certificate_id;    ///< ours
  std::optional<std::string> remote_certificate_id;   ///< once DTLS has verified it
  std::optional<std::string> tls_version;  ///< as on the wire, e.g. `FEFD`; once DTLS has connected
  std::optional<std::string> dtls_cipher;  ///< its name at IANA; once DTLS has connected
  asiortc::dtls_role dtls_role = asiortc::dtls_role::unknown;  ///< of this side

  /// Whether all members are equal.
  bool operator==(const transport_stats&) const = default;
};

/// A candidate pair (webrtc-stats RTCIceCandidatePairStats). Packets and bytes are counted as those
/// of the transport. An ICE restart ends the entries of all pairs but the one in use, and that
/// one's once another has taken its place.
class ASIORTC_EXPORT candidate_pair_stats : public stats_entry {
 public:
  candidate_pair_stats() = default;

  std::string transport_id;                                   ///< of its `transport_stats`
  std::string local_candidate_id;                             ///< among the local candidates
  std::string remote_candidate_id;                            ///< among the remote candidates
  candidate_pair_state state = candidate_pair_state::frozen;  ///< how far its check is
  bool nominated = false;                                     ///< the controlling side chose it
  std::uint64_t packets_sent = 0;                             ///< without checks
  std::uint64_t packets_received = 0;                         ///< without checks
  std::uint64_t bytes_sent = 0;                               ///< without checks
  std::uint64_t bytes_received = 0;                           ///< without checks
  /// In milliseconds since the Unix epoch, checks not counted; none: nothing was sent.
  std::optional<double> last_packet_sent_timestamp;
  /// In milliseconds since the Unix epoch, checks not counted; none: nothing was received.
  std::optional<double> last_packet_received_timestamp;
  /// In seconds, of all answers to checks that were sent once: which request the answer to one that
  /// was repeated belongs to, nobody knows.
  double total_round_trip_time = 0;
  std::optional<double> current_round_trip_time;  ///< in seconds, the last measured
  std::uint64_t requests_received = 0;            ///< checks of all kinds, with repetitions
  std::uint64_t requests_sent = 0;          ///< checks but those of consent, without repetitions
  std::uint64_t responses_received = 0;     ///< to checks of all kinds
  std::uint64_t responses_sent = 0;         ///< to checks of all kinds
  std::uint64_t consent_requests_sent = 0;  ///< of RFC 7675

  /// Whether all members are equal.
  bool operator==(const candidate_pair_stats&) const = default;
};

/// A local or remote candidate (webrtc-stats RTCIceCandidateStats).
class ASIORTC_EXPORT ice_candidate_stats : public stats_entry {
 public:
  ice_candidate_stats() = default;

  std::string transport_id;  ///< of its `transport_stats`
  /// None where an mDNS name hides it, and for a remote one that only its checks made known.
  std::optional<std::string> address;
  std::uint16_t port = 0;  ///< of UDP or TCP
  std::string protocol;    ///< to the other side: `udp` or `tcp`
  asiortc::candidate_type candidate_type = asiortc::candidate_type::host;  ///< how it was learnt
  std::uint32_t priority = 0;                                              ///< RFC 8445 5.1.2
  /// Of the server that gave it; of local reflexive and relayed ones alone.
  std::optional<std::string> url;
  /// How the TURN server is reached, `udp`, `tcp` or `tls`; of local relayed ones alone.
  std::optional<std::string> relay_protocol;
  std::string foundation;                        ///< RFC 8445 5.1.1.3
  std::optional<std::string> related_address;    ///< of what is no host candidate, where it is told
  std::optional<std::uint16_t> related_port;     ///< as `related_address`
  std::optional<std::string> username_fragment;  ///< of its generation
  std::optional<std::string> tcp_type;           ///< over TCP: `active` or `passive`

  /// Whether all members are equal.
  bool operator==(const ice_candidate_stats&) const = default;
};

/// A certificate (webrtc-stats RTCCertificateStats).
class ASIORTC_EXPORT certificate_stats : public stats_entry {
 public:
  certificate_stats() = default;

  std::string fingerprint;            ///< upper-case hexadecimal octets with colons between
  std::string fingerprint_algorithm;  ///< `sha-256`
  std::string base64_certificate;     ///< its DER form

  /// Whether all members are equal.
  bool operator==(const certificate_stats&) const = default;
};

/// A data channel (webrtc-stats RTCDataChannelStats). It has an entry until it is closed, and
/// after that as long as there is a handle to it.
class ASIORTC_EXPORT data_channel_stats : public stats_entry {
 public:
  data_channel_stats() = default;

  std::string label;                                          ///< RFC 8832 5.1
  std::string protocol;                                       ///< RFC 8832 5.1
  std::optional<std::uint16_t> data_channel_identifier;       ///< the stream id, once known
  data_channel_state state = data_channel_state::connecting;  ///< when the numbers were taken
  std::uint64_t messages_sent = 0;                            ///< that SCTP has taken
  std::uint64_t bytes_sent = 0;                               ///< of their content
  std::uint64_t messages_received = 0;                        ///< whole ones, read or not
  std::uint64_t bytes_received = 0;                           ///< of their content

  /// Whether all members are equal.
  bool operator==(const data_channel_stats&) const = default;
};

/// What `peer_connection::async_get_stats` gives (webrtc-pc 8.3 RTCStatsReport): entries by their
/// type, which refer to each other by id. What is not known is absent, never a guess.
class ASIORTC_EXPORT stats_report {
 public:
  stats_report() = default;

  std::optional<peer_connection_stats> peer_connection;  ///< none where a channel was selected
  std::vector<transport_stats> transports;               ///< one
  std::vector<candidate_pair_stats> candidate_pairs;     ///< best first
  std::vector<ice_candidate_stats> local_candidates;     ///< of this ICE generation, and in use
  std::vector<ice_candidate_stats> remote_candidates;    ///< of this ICE generation, and in use
  std::vector<certificate_stats> certificates;           ///< ours, and the other side's once known
  std::vector<data_channel_stats> data_channels;         ///< in the order of their making

  /// One JSON object with a member for each entry under its id, as in a browser
  /// `JSON.stringify(Object.fromEntries(await connection.getStats()))`: with `type`, and the
  /// W3C's names in camelCase. Thread-safe; never fails.
  [[nodiscard]] std::string to_json() const;

  /// Whether all members are equal.
  bool operator==(const stats_report&) const = default;
};

/// The entry with that id, e.g. `find_stats(report.candidate_pairs, id)`; null if there is none. It
/// is valid as long as the list is not changed. Thread-safe.
template <class Entry>
[[nodiscard]] const Entry* find_stats(const std::vector<Entry>& entries, std::string_view id) {
  const auto found = std::find_if(entries.begin(), entries.end(),
                                  [id](const Entry& entry) { return entry.id == id; });
  return found == entries.end() ? nullptr : &*found;
}

/// "unknown", "controlling" or "controlled". Thread-safe, never fails.
ASIORTC_EXPORT std::string_view to_string(ice_role role) noexcept;
/// "unknown", "client" or "server". Thread-safe, never fails.
ASIORTC_EXPORT std::string_view to_string(dtls_role role) noexcept;
/// "new", "connecting", "connected", "closed" or "failed". Thread-safe, never fails.
ASIORTC_EXPORT std::string_view to_string(dtls_transport_state state) noexcept;

}  // namespace asiortc::inline ASIORTC_ABI

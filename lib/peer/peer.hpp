// The whole peer, sans I/O: JSEP (RFC 9429) over ICE, DTLS, SCTP and the data channels.
#pragma once

#include "base/log.hpp"
#include "base/packet.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "crypto/identity.hpp"
#include "datachannel/table.hpp"
#include "ice/agent.hpp"
#include "peer/relays.hpp"
#include "sctp/association.hpp"

#include <asiortc/candidate_pair.hpp>
#include <asiortc/configuration.hpp>
#include <asiortc/ice_candidate.hpp>
#include <asiortc/session_description.hpp>
#include <asiortc/states.hpp>
#include <asiortc/stats.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace asiortc::peer {

/// What the shell gives: where random numbers come from, the SCTP engine, and a wake function that
/// may be called from any thread when the peer has output that no call will fetch.
struct environment {
  base::random_source* random = nullptr;
  sctp::engine* sctp = nullptr;
  sctp::wake_function wake;
  base::logger log;
};

struct settings {
  std::shared_ptr<const crypto::identity> identity;
  asiortc::bundle_policy bundle_policy = asiortc::bundle_policy::balanced;
  ice::agent_settings ice;
  turn_times turn;
  /// Gather before a description asks for it.
  bool pool_candidates = false;
  base::duration dtls_handshake_timeout = std::chrono::seconds(30);
  datachannel::settings channels;
  /// Unix time less the time that is told, for statistics.
  base::duration wall_clock_offset{};
};

// Events, in the order in which they happened.
struct connection_state_event {
  connection_state now;
  base::failure reason = boost::system::error_code{};
};
struct ice_connection_state_event {
  ice_connection_state now;
  base::failure reason = boost::system::error_code{};
};
struct ice_gathering_state_event {
  ice_gathering_state now;
};
struct signaling_state_event {
  signaling_state now;
};
/// A local candidate, or the end of a generation (empty text).
struct ice_candidate_event {
  ice_candidate value;
};
struct ice_candidate_error_event {
  ice_candidate_error value;
};
struct negotiation_needed_event {};
/// The state that `sctp()` tells is another one.
struct sctp_state_event {
  sctp_transport_state now;
};
struct selected_pair_event {
  candidate_pair value;
};
/// Sockets and servers are wanted: the shell answers with `add_local_socket`, `add_stun_server`
/// and `finish_gathering` for this generation.
struct gathering_wanted {
  std::uint32_t generation = 0;
};
/// A remote candidate carries a name (`….local` or DNS): the shell answers with `name_resolved`.
struct resolution_wanted {
  std::uint64_t token = 0;
  std::string name;
};
using event =
    std::variant<connection_state_event, ice_connection_state_event, ice_gathering_state_event,
                 signaling_state_event, ice_candidate_event, ice_candidate_error_event,
                 negotiation_needed_event, sctp_state_event, selected_pair_event, gathering_wanted,
                 resolution_wanted, datachannel::event>;

struct offer_options {
  bool ice_restart = false;
};

/// What may change in the life of a peer (webrtc-pc 4.4.1.6), for the next gathering.
struct gathering_options {
  /// Of the servers, as they will be named by `add_stun_server` and `add_turn_server`.
  std::vector<std::string> servers;
  bool relay_only = false;
  bool pool_candidates = false;
};

/// What `sctp()` tells once it is negotiated (webrtc-pc 6.1 RTCSctpTransport).
struct sctp_info {
  std::uint64_t max_message_size = 0;  ///< what may be sent; UINT64_MAX for no limit
  std::optional<std::uint16_t> max_channels;
  sctp_transport_state state = sctp_transport_state::connecting;
};

class peer {
 public:
  peer(settings settings, environment environment);
  ~peer();
  peer(const peer&) = delete;
  peer& operator=(const peer&) = delete;

  // JSEP. Each call either changes the state wholly or not at all.
  base::result<session_description> create_offer(base::time_point now, offer_options options);
  base::result<session_description> create_answer(base::time_point now);
  /// None given: the implicit form (webrtc-pc 4.4.1.5); empty SDP: the last created of that type.
  base::result<void> set_local_description(base::time_point now,
                                           std::optional<session_description> description);
  base::result<void> set_remote_description(base::time_point now,
                                            const session_description& description);
  base::result<void> add_ice_candidate(base::time_point now, const ice_candidate& candidate);
  void restart_ice(base::time_point now);
  void set_gathering_options(base::time_point now, gathering_options options);

  [[nodiscard]] std::optional<session_description> current_local_description() const;
  [[nodiscard]] std::optional<session_description> pending_local_description() const;
  [[nodiscard]] std::optional<session_description> current_remote_description() const;
  [[nodiscard]] std::optional<session_description> pending_remote_description() const;
  [[nodiscard]] std::optional<bool> can_trickle_ice_candidates() const;
  [[nodiscard]] connection_state current_connection_state() const;
  [[nodiscard]] ice_connection_state current_ice_connection_state() const;
  [[nodiscard]] ice_gathering_state current_ice_gathering_state() const;
  [[nodiscard]] signaling_state current_signaling_state() const;
  [[nodiscard]] std::optional<candidate_pair> selected_candidate_pair() const;
  /// After the end, what was last.
  [[nodiscard]] std::vector<candidate_pair_info> candidate_pairs(base::time_point now) const;
  /// All but the channels, of which the owner knows best how long they are of interest. After the
  /// end, what was last.
  [[nodiscard]] stats_report stats(base::time_point now) const;
  /// None for a channel that was forgotten.
  [[nodiscard]] std::optional<data_channel_stats> channel_stats(base::time_point now,
                                                                datachannel::channel_key key) const;
  [[nodiscard]] std::optional<sctp_info> sctp() const;
  /// SHA-256 of the certificate that DTLS has verified; none while it is not connected.
  [[nodiscard]] std::optional<crypto::fingerprint> remote_fingerprint() const;

  // Data channels; see datachannel::table for what each does.
  base::result<datachannel::channel_key> create_data_channel(base::time_point now,
                                                             std::string label,
                                                             data_channel_init init);
  [[nodiscard]] datachannel::table& channels();

  // Gathering, told by the shell.
  void add_local_socket(base::time_point now, const ice::local_socket& socket);
  /// A UDP socket could not be opened, in words. Of a gathering the first failure counts.
  void note_socket_failure(const std::string& why);
  /// `url` is how it is named where it fails; a further address is asked where the one before it
  /// gives none.
  void add_stun_server(base::time_point now, const base::endpoint& server,
                       const std::string& url = {}, std::vector<base::endpoint> further = {});
  /// Asks the server for a relayed address over each local socket of its family.
  void add_turn_server(base::time_point now, const turn_server& server);
  /// Asks for an address over a stream to the server, whose packets (the framing of RFC 8656 and
  /// RFC 8489 taken off) are datagrams of its id, or over a socket that serves nothing else.
  void add_turn_carrier(base::time_point now, const turn_carrier& carrier,
                        const turn_server& server);
  /// What became of `add_turn_carrier`.
  [[nodiscard]] relay_state relay_over(base::time_point now, base::socket_id carrier) const;
  /// A server could not even be asked: its name has no address, there is no connection to it.
  void stun_server_failed(base::time_point now, const std::string& url, const std::string& why);
  void turn_server_failed(base::time_point now, const std::string& url, const std::string& why);
  /// A socket or stream is gone, and what hung on it.
  void remove_socket(base::time_point now, base::socket_id socket, const base::failure& why);
  void finish_gathering(base::time_point now, std::uint32_t generation);
  void name_resolved(base::time_point now, std::uint64_t token,
                     std::span<const base::ip_address> addresses);

  // Input and output. A batch goes through demux, DTLS and SCTP before anything is polled.
  void handle_datagrams(base::time_point now, std::span<const base::datagram> datagrams);
  void handle_send_error(base::time_point now, const base::route& route);
  /// ICE-TCP; see ice::agent, which sockets with a `tcp` type are for.
  void handle_connection_lost(base::time_point now, const base::route& route);
  [[nodiscard]] bool uses_connection(const base::route& route) const;
  void handle_timeout(base::time_point now);
  [[nodiscard]] base::time_point next_deadline() const;
  /// Fetches what the SCTP engine did on its own; called after a wake and after every call of
  /// `channels()`.
  void handle_wake(base::time_point now);
  /// Appends what is to be sent, at most about `max_packets`; true when more waits.
  bool poll_transmit(base::time_point now, base::packet_batch& out, std::size_t max_packets = 256);
  std::optional<event> poll_event();

  /// Closes gracefully: channels are drained, then SCTP is aborted and close_notify sent;
  /// `connection_state::closed` follows, at the latest at `deadline`.
  void shutdown(base::time_point now, base::time_point deadline);
  /// Ends at once: ABORT and close_notify are queued for `poll_transmit`, then nothing more.
  /// The reason is what channels and states end with.
  void close(base::time_point now, base::failure reason);
  /// It has ended, and TURN servers are told so: until this is false it wants its datagrams and its
  /// timer, for half a second at most.
  [[nodiscard]] bool is_leaving() const;

 private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

}  // namespace asiortc::peer

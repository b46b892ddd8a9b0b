// What a peer is made of; the parts of its behaviour are in peer_negotiation, peer_candidates,
// peer_run and peer_end.
#pragma once

#include "peer/data_link.hpp"
#include "peer/local_session.hpp"
#include "peer/negotiation.hpp"
#include "peer/peer.hpp"
#include "peer/transport.hpp"

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace asiortc::peer {

struct peer::impl {
  impl(struct settings settings, struct environment environment);

  // Descriptions (peer_negotiation.cpp).
  base::result<session_description> create_offer(base::time_point now, bool ice_restart);
  base::result<session_description> create_answer(base::time_point now);
  base::result<void> set_local(base::time_point now, std::optional<session_description> given);
  base::result<void> set_remote(base::time_point now, const session_description& given);
  void restart_ice();

  base::result<session_description> create(base::time_point now, sdp_type type);
  base::result<void> roll_back(base::time_point now, side from);
  void undo_exchange();
  base::result<local_session> choose_local(base::time_point now, sdp_type type,
                                           const std::optional<session_description>& given);
  void set_local_offer(base::time_point now, local_session offer);
  void set_local_answer(base::time_point now, sdp_type type, local_session answer);
  void announce_signaling();
  void refuse_data(remote_session& offer) const;
  base::result<void> set_remote_offer(base::time_point now, remote_session offer);
  base::result<void> set_remote_answer(base::time_point now, sdp_type type, remote_session answer);
  base::result<std::optional<dtls::role>> plan_transport(const remote_session& remote,
                                                         sdp_type type) const;
  void apply(base::time_point now, const remote_session& remote, std::optional<dtls::role> role);
  void finish_exchange(base::time_point now, bool data_expected);
  void update_negotiation_needed();
  [[nodiscard]] bool needs_negotiation() const;
  [[nodiscard]] const ice::credentials& local_credentials() const;
  [[nodiscard]] local_facts facts() const;
  [[nodiscard]] std::optional<session_description> text_of(
      const std::optional<negotiation::local>& local) const;

  // Candidates (peer_candidates.cpp).
  base::result<void> add_candidate(base::time_point now, const ice_candidate& candidate);
  base::result<void> end_candidates(base::time_point now, const ice_candidate& candidate);
  base::result<std::optional<std::size_t>> find_section(const remote_session& session,
                                                        const ice_candidate& candidate) const;
  base::result<std::string> find_generation(const std::string& ufrag) const;
  void take_candidates(base::time_point now, const remote_session& session);
  void emit_lookups();
  void start_gathering(base::time_point now);
  void restart_agent(base::time_point now);
  void abandon_restart(base::time_point now);
  void set_gathering_options(base::time_point now, gathering_options options);
  void apply_gathering_options(base::time_point now);
  void note_local_candidate(const ice::candidate& candidate);
  void tell_local_candidates();
  void want_gathering();
  void finish_gathering();
  void set_gathering_state(ice_gathering_state next);
  local_generation& generation();
  [[nodiscard]] const local_generation* generation_of(const std::string& ufrag) const;

  // The run (peer_run.cpp).
  void handle_datagrams(base::time_point now, std::span<const base::datagram> datagrams);
  base::result<datachannel::channel_key> create_channel(base::time_point now, std::string label,
                                                        data_channel_init init);
  /// After any input: events of the layers below are taken until they rest.
  void settle(base::time_point now);
  void announce_sctp();
  void settle(base::time_point now, base::packet_batch& plain);
  void handle_transport_event(base::time_point now, transport_event& happened);
  [[nodiscard]] base::failure explain(base::time_point now, const ice::state_changed& change) const;
  void handle_lost_path();
  void handle_ice_state(base::time_point now, const ice::state_changed& change);
  void handle_dtls_state(base::time_point now, const dtls::state_changed& change);
  void update_connection_state(const base::failure& reason);
  bool transmit(base::time_point now, base::packet_batch& out, std::size_t max_packets);
  bool seal_waiting(base::time_point now, base::packet_batch& out, std::size_t budget);
  void refresh_round_trip();

  // For people (peer_explain.cpp).
  [[nodiscard]] static candidate_info describe(const ice::candidate& candidate);
  [[nodiscard]] candidate_info describe_remote(const ice::candidate& candidate) const;
  [[nodiscard]] std::vector<candidate_pair_info> describe_pairs(base::time_point now) const;
  void tell_candidate_error(std::string url, base::socket_id from, std::uint16_t code,
                            std::string text);

  // Statistics (peer_stats.cpp).
  [[nodiscard]] stats_report make_stats(base::time_point now) const;
  [[nodiscard]] std::optional<data_channel_stats> make_channel_stats(
      base::time_point now, datachannel::channel_key key) const;

  void push(event value);
  void collect_channel_events();
  std::optional<event> poll_event();

  // The end (peer_end.cpp).
  void shutdown(base::time_point now, base::time_point deadline);
  void continue_shutdown(base::time_point now);
  void close(base::time_point now, const base::failure& reason);
  [[nodiscard]] bool closed() const { return jsep_.state() == signaling_state::closed; }
  [[nodiscard]] static base::failure closed_failure();

  struct settings settings_;
  struct environment environment_;
  base::logger log_;
  std::uint64_t session_id_ = 0;
  std::uint64_t session_version_ = 0;

  negotiation jsep_;
  /// One for the one BUNDLE group that the data section is in; gone once closed.
  std::unique_ptr<transport> transport_;
  data_link data_;
  bool data_wanted_ = false;
  bool negotiation_needed_ = false;
  /// `restart_ice()` wants other credentials than these (webrtc-pc 4.4.1.2).
  std::string ufrag_to_replace_;
  std::optional<dtls::role> answer_role_;   ///< of the pending remote offer
  std::optional<ice::role> previous_role_;  ///< what a rollback of our offer goes back to
  signaling_state announced_ = signaling_state::stable;

  std::vector<local_generation> generations_;  ///< the agent's newest last, and those told
  std::string gathering_ufrag_;
  std::uint32_t gathering_generation_ = 0;
  std::string socket_failure_;  ///< the first of this gathering; empty: none
  bool pooling_ = false;        ///< gathers before any description asks for it
  std::optional<gathering_options> next_gathering_;
  std::optional<gathering_options> restart_options_;  ///< what the restart that is open applied

  // As last told by events, so that each change of the aggregate has the reason of its event.
  ice::agent_state agent_state_ = ice::agent_state::new_;
  dtls::state dtls_state_ = dtls::state::new_;
  connection_state connection_state_ = connection_state::new_;
  ice_connection_state ice_state_ = ice_connection_state::new_;
  ice_gathering_state gathering_state_ = ice_gathering_state::new_;
  std::optional<candidate_pair> selected_;
  std::vector<candidate_pair_info> last_pairs_;  ///< once closed
  stats_report last_stats_;                      ///< once closed
  std::deque<event> events_;

  /// Packets of SCTP that did not fit into the last transmit; mostly empty.
  base::packet_batch backlog_;
  std::size_t backlog_next_ = 0;
  base::packet_batch farewell_;
  std::optional<relays> leaving_;  ///< once closed, until each allocation is given back
  sctp_transport_state sctp_state_ = sctp_transport_state::connecting;  ///< as last told
  std::optional<base::failure> pending_end_;  ///< found in the batch that is being handled
  bool shutting_down_ = false;
  base::time_point shutdown_deadline_ = base::never;
};

}  // namespace asiortc::peer

// One transport: ICE, DTLS over the pair that ICE found, and the split of what arrives between
// them (RFC 7983). A BUNDLE group has one (RFC 9143 9.1).
#pragma once

#include "base/log.hpp"
#include "base/packet.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "dtls/endpoint.hpp"
#include "ice/agent.hpp"
#include "peer/relays.hpp"
#include "peer/remote_candidates.hpp"
#include "peer/session.hpp"

#include <asiortc/session_description.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <variant>
#include <vector>

namespace asiortc::peer {

struct transport_settings {
  std::shared_ptr<const crypto::identity> identity;
  ice::agent_settings ice;
  turn_times turn;
  base::duration dtls_handshake_timeout{};
  base::logger log;
};

using transport_event =
    std::variant<ice::local_candidate_gathered, ice::gathering_complete, ice::gathering_resumed,
                 ice::state_changed, ice::selected_pair_changed, ice::selected_path_lost,
                 ice::server_failed, server_refused, dtls::state_changed>;

class transport {
 public:
  transport(transport_settings settings, base::random_source& random);

  [[nodiscard]] ice::agent& agent() { return agent_; }
  [[nodiscard]] const ice::agent& agent() const { return agent_; }
  [[nodiscard]] remote_candidates& candidates() { return candidates_; }

  // Negotiation.
  /// The DTLS role that follows from the other side's `a=setup` in an offer or answer; an
  /// association that exists keeps its role (RFC 8842 5.3 to 5.5).
  [[nodiscard]] base::result<dtls::role> decide_role(sdp_type remote_type,
                                                     sdp::setup_role remote_setup) const;
  /// Another fingerprint or tls-id would ask for a new DTLS association, which we do not do.
  [[nodiscard]] base::result<void> check_remote(const transport_parameters& remote) const;
  /// Whether credentials were ever negotiated.
  [[nodiscard]] bool has_session() const { return agent_.remote_credentials().has_value(); }
  /// Both sides' parameters are known: they are in force from now on.
  void negotiate(base::time_point now, const transport_parameters& remote, dtls::role role);

  // Gathering.
  void add_local_socket(base::time_point now, const ice::local_socket& socket);
  /// Asks for an address over each local socket of the server's family, also of those to come.
  void add_turn_server(base::time_point now, const turn_server& server);
  /// Asks for an address over a stream, or over a socket that serves nothing else.
  void add_turn_carrier(base::time_point now, const turn_carrier& carrier,
                        const turn_server& server);
  /// Servers are about to be named anew.
  void begin_gathering() { relays_.begin_gathering(); }
  /// From the next ICE restart on; see `relays::keep_servers`.
  void keep_servers(base::time_point now, const std::vector<std::string>& names);
  void remove_socket(base::time_point now, base::socket_id socket, const base::failure& why);
  [[nodiscard]] const relays& turn_relays() const { return relays_; }
  /// After the end, for allocations that are being given back.
  relays take_relays() { return std::move(relays_); }
  /// The server could not even be asked.
  void note_turn_failure(const std::string& name, const std::string& why) {
    relays_.note_failure(name, {errc::turn_unreachable, why});
  }
  [[nodiscard]] bool has_udp_socket() const { return !sockets_.empty(); }
  /// The address of a local socket; none for a stream.
  [[nodiscard]] std::optional<base::endpoint> address_of(base::socket_id socket) const;

  // Input.
  void begin_batch() { last_known_.reset(); }
  /// Application data that it carried is appended to `plain`.
  void handle_datagram(base::time_point now, const base::datagram& datagram,
                       base::packet_batch& plain);
  /// Hands over DTLS datagrams that came before their route or the fingerprint was known.
  void feed_early(base::time_point now, base::packet_batch& plain);
  void handle_send_error(base::time_point now, const base::route& route);
  void handle_timeout(base::time_point now);
  [[nodiscard]] base::time_point next_deadline() const;

  // Output.
  std::optional<transport_event> poll_event(base::time_point now);
  /// ICE's and DTLS's own packets.
  void poll_transmit(base::time_point now, base::packet_batch& out);
  /// Sets the route of application data; false while there is none.
  [[nodiscard]] bool set_data_route(base::packet_batch& out);
  /// Seals one packet of application data.
  void seal(base::time_point now, base::byte_span plain, base::packet_batch& out);

  [[nodiscard]] dtls::state dtls_state() const;
  /// Of the certificate that the other side has proved to be its own; none before.
  [[nodiscard]] std::optional<crypto::fingerprint> remote_fingerprint() const;
  /// With what has gone over each until now.
  [[nodiscard]] std::vector<ice::pair_report> pairs();
  /// All that DTLS has sent and received; `pairs()` brings it up to date.
  [[nodiscard]] const ice::traffic& sent() const { return all_sent_; }
  [[nodiscard]] const ice::traffic& received() const { return all_received_; }
  /// None before anything was negotiated.
  [[nodiscard]] const dtls::endpoint* dtls_endpoint() const { return dtls_.get(); }
  [[nodiscard]] const std::optional<dtls::role>& dtls_role() const { return role_; }
  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }

  /// Says farewell into `out`, then nothing more; what it tells of the past stays.
  void close(base::time_point now, base::packet_batch& out);

 private:
  struct early_datagram {
    base::bytes bytes;
    base::route from;
  };

  void handle_direct(base::time_point now, const base::datagram& datagram,
                     base::packet_batch& plain);
  void allocate(base::time_point now, const ice::local_socket& socket, const turn_server& server);
  void forward(base::time_point now, const base::packet_batch& packets, base::packet_batch& out);
  void handle_dtls(base::time_point now, const base::datagram& datagram, base::packet_batch& plain);
  [[nodiscard]] bool is_known(base::time_point now, const base::route& from);
  void count_received(base::time_point now, const base::route& from, std::size_t bytes);
  void count_sent(base::time_point now, const base::route& to, const base::packet_batch& batch,
                  std::size_t packets, std::size_t bytes);
  void note_traffic();
  void keep_early(const base::datagram& datagram);
  void start_dtls(base::time_point now);

  transport_settings settings_;
  ice::agent agent_;
  relays relays_;
  std::vector<ice::local_socket> sockets_;  ///< of UDP
  std::vector<turn_server> turn_servers_;
  remote_candidates candidates_;
  std::unique_ptr<dtls::endpoint> dtls_;
  std::optional<dtls::role> role_;
  std::vector<crypto::fingerprint> remote_fingerprints_;
  std::optional<std::string> remote_tls_id_;
  bool writable_ = false;
  std::optional<base::route> data_route_;  ///< where data goes in this turn
  bool data_is_relayed_ = false;
  // Counted here for as long as the route is the same, then told to the agent.
  base::route sent_to_;
  base::route received_from_;
  ice::traffic sent_;
  ice::traffic received_;
  ice::traffic all_sent_;
  ice::traffic all_received_;
  std::optional<base::route> last_known_;
  std::vector<early_datagram> early_;
  std::size_t early_bytes_ = 0;
  std::uint64_t dropped_ = 0;
};

}  // namespace asiortc::peer

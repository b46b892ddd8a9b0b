// The ICE agent of one component (RFC 8445, RFC 8838 trickle, RFC 7675 consent), sans I/O.
#pragma once

#include "base/log.hpp"
#include "base/packet.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "ice/candidate.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace asiortc::ice {

class ufrag_registry;

enum class role { controlling, controlled };

/// webrtc-pc 4.3.4, of one transport.
enum class agent_state { new_, checking, connected, completed, disconnected, failed, closed };

struct credentials {
  std::string ufrag;
  std::string password;

  bool operator==(const credentials&) const = default;
};

struct agent_settings {
  bool relay_only = false;
  /// No candidate tells the address that it was made from; `local_socket::name` hides the sockets'.
  bool hide_addresses = false;
  /// RFC 8445 2.5: host candidates alone, no checks of our own; for hosts that everybody reaches.
  bool lite = false;
  /// RFC 6544: TCP candidates of the other side are taken too. Ours come from `add_local_socket`.
  bool tcp = false;
  std::size_t max_pairs = 100;              // RFC 8445 6.1.2.5: "the default limit is 100"
  std::size_t max_remote_candidates = 100;  // bounds what a peer can make us keep
  base::duration pacing = std::chrono::milliseconds(50);          // RFC 8445 14.2: Ta
  base::duration initial_rto = std::chrono::milliseconds(500);    // RFC 8445 14.3
  base::duration pac_timeout = std::chrono::milliseconds(39500);  // RFC 8863 4
  base::duration no_candidates_grace = std::chrono::seconds(15);  // after the PAC timer
  base::duration consent_interval = std::chrono::seconds(5);      // RFC 7675 5.1, +-20 %
  base::duration consent_timeout = std::chrono::seconds(30);      // RFC 7675 5.1
  base::duration disconnected_after = std::chrono::seconds(5);    // nothing heard for so long
  base::duration keepalive_interval = std::chrono::seconds(15);   // RFC 8445 11: Tr
  /// How long a better pair may take to prove itself before the one at hand is nominated. Data
  /// flows over the valid pair meanwhile, so this delays nothing; a path through a relay or over
  /// TCP waits longer, since leaving it later is what costs.
  base::duration settle_direct = std::chrono::milliseconds(100);
  base::duration settle_costly = std::chrono::milliseconds(500);
  /// Where the agent shares its sockets with others; it must outlive the agent.
  ufrag_registry* ufrags = nullptr;
};

/// A local address the shell has bound a UDP socket to; or one end of ICE-TCP at a local address,
/// where each connection is a route of this id: a listener, or what connections are opened from.
struct local_socket {
  base::socket_id id = base::socket_id::none;
  base::endpoint address;  ///< the port is of no matter for an active end
  /// Larger is better; becomes RFC 8445 5.1.2's local preference together with the family.
  std::uint16_t interface_preference = 0;
  /// Told instead of the address, which it hides; empty: the address is told.
  std::string name = {};
  tcp_type tcp = tcp_type::none;  ///< none: UDP
};

/// An address that a TURN server lends (RFC 8656): what is sent from `id` leaves the server with
/// it.
struct relayed_socket {
  base::socket_id id = base::socket_id::none;
  base::endpoint relayed;
  base::endpoint mapped;  ///< what the server sees us as
  base::ip_address server;
  /// As of a local socket; a relay reached over TCP or TLS is worth less than over UDP.
  std::uint16_t interface_preference = 0;
  std::string url = {};                   ///< of the server
  std::string_view server_protocol = {};  ///< "udp", "tcp" or "tls", to the server
};

/// Who tells what a socket looks like from outside.
struct stun_server {
  stun_server() = default;
  stun_server(const base::endpoint& at, std::string name = {},  // NOLINT: an address will do
              std::vector<base::endpoint> others = {})
      : address(at), url(std::move(name)), further(std::move(others)) {}

  base::endpoint address;
  std::string url;                      ///< as it was configured
  std::vector<base::endpoint> further;  ///< each for where the one before it fails
};

// Events.
struct local_candidate_gathered {
  candidate value;
};
/// All that the shell announced is done; the generation has no further candidates, for now.
struct gathering_complete {};
/// A socket came after that.
struct gathering_resumed {};
struct state_changed {
  agent_state now = agent_state::new_;
  base::failure reason = boost::system::error_code{};  ///< for failed and disconnected
};
/// The pair that carries data changed.
struct selected_pair_changed {
  base::route route;
  candidate local;
  candidate remote;
};
/// A STUN server gave no address to a socket (webrtc-pc 4.8.3).
struct server_failed {
  base::route asked;
  std::string url;         ///< as it was given
  std::uint16_t code = 0;  ///< of its answer; 0: there was none
  std::string why;
};
/// The socket of the pair that carried data is gone, or data left the selected pair since it found
/// no echo there; another pair may carry it by now.
struct selected_path_lost {};
/// The first valid pair exists: data may flow (DTLS starts here, not at nomination).
struct writable {};
using event =
    std::variant<local_candidate_gathered, gathering_complete, gathering_resumed, state_changed,
                 selected_pair_changed, selected_path_lost, writable, server_failed>;

/// What went over a pair beside checks.
struct traffic {
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;
  base::time_point last = base::time_point::min();  ///< when the last packet went or came

  traffic& operator+=(const traffic& more) {
    packets += more.packets;
    bytes += more.bytes;
    last = std::max(last, more.last);
    return *this;
  }
};

/// One row of the table of pairs, for people and statistics.
struct pair_report {
  std::uint64_t number = 0;           ///< names it in the agent
  bool is_of_old_generation = false;  ///< of before a restart
  candidate local;
  candidate remote;
  candidate_pair_state state = candidate_pair_state::frozen;
  bool valid = false;
  bool nominated = false;
  bool selected = false;
  std::uint64_t priority = 0;
  std::uint64_t requests_sent = 0;  ///< of all kinds, those sent again included
  std::uint64_t requests_repeated = 0;
  std::uint64_t consent_requests_sent = 0;
  std::uint64_t requests_received = 0;
  std::uint64_t responses_sent = 0;
  std::uint64_t responses_received = 0;
  std::optional<base::duration> round_trip_time;
  base::duration total_round_trip_time{};
  std::uint64_t round_trips = 0;
  traffic data_sent;
  traffic data_received;
  std::optional<base::time_point> last_received;
  std::string failure;
};

class agent {
 public:
  agent(agent_settings settings, base::random_source& random, base::logger log);
  ~agent();
  agent(agent&&) noexcept;
  agent& operator=(agent&&) noexcept;

  // Negotiation.
  void set_role(role role);
  [[nodiscard]] role current_role() const;
  void set_remote_lite(bool lite);
  /// Those of the restart that is open, if one is.
  [[nodiscard]] const credentials& local_credentials() const;
  /// Opens a restart: new credentials and candidates, to be told. Sockets and servers stay and are
  /// gathered from anew; a `finish_gathering` of before holds. All else goes on as it was until
  /// `set_remote_credentials`, and the selected pair carries data until a new one is valid.
  void restart(base::time_point now);
  /// Nobody will answer the restart that is open: the credentials and candidates of before hold.
  void abandon_restart(base::time_point now);
  [[nodiscard]] bool is_restarting() const;
  /// Checks that came before are answered now (RFC 8445 7.3). They answer the restart that is open.
  /// Else, other credentials than before are the remote side's restart, which restarts this side
  /// too.
  void set_remote_credentials(base::time_point now, credentials remote);
  /// Those in force.
  [[nodiscard]] std::optional<credentials> remote_credentials() const;

  // Gathering: the shell tells what there is; candidates come out as events.
  void add_local_socket(base::time_point now, const local_socket& socket);
  void remove_local_socket(base::time_point now, base::socket_id id);
  void add_relayed_socket(base::time_point now, const relayed_socket& socket);
  /// A server has told what the socket looks like to it, unasked by `add_stun_server`.
  void add_reflexive_address(base::time_point now, base::socket_id id, const base::endpoint& mapped,
                             const stun_server& server);
  /// Asks each local socket of the family for its reflexive address (RFC 8445 5.1.1.2). A further
  /// address of the server is asked where the one before it gives none.
  void add_stun_server(base::time_point now, stun_server server);
  /// An answer that may become a candidate is awaited outside: gathering is not complete before
  /// as many releases.
  void hold_gathering();
  void release_gathering(base::time_point now);
  /// From the next restart on, or at once if there is no socket yet: only relayed addresses are
  /// told and used, or all are.
  void set_relay_only(bool relay_only);
  /// From the next restart on no server is known; those of then are added after it, and a
  /// `finish_gathering` of before does not hold.
  void forget_stun_servers();
  /// From the next restart on the socket of a relay is not told or used, or is again.
  void set_retired(base::time_point now, base::socket_id id, bool retired);
  /// Whether there is a pair of that socket.
  [[nodiscard]] bool uses_socket(base::socket_id id) const;
  /// Nothing more will be added; `gathering_complete` follows when the servers have answered.
  void finish_gathering(base::time_point now);

  // Candidates of the other side, with addresses (names are resolved outside).
  base::result<void> add_remote_candidate(base::time_point now, const candidate& remote);
  /// A name is being resolved: a candidate is still to come, so do not fail for the want of one.
  void hold_remote_candidate(base::time_point now);
  /// It came (`add_remote_candidate` was called before this) or it will not.
  void release_remote_candidate(base::time_point now);
  void end_of_remote_candidates(base::time_point now);

  // The run.
  /// A STUN message (first byte 0 to 3, RFC 7983). Anything malformed or not ours is dropped.
  void handle_datagram(base::time_point now, const base::datagram& datagram);
  void handle_timeout(base::time_point now);
  [[nodiscard]] base::time_point next_deadline() const;
  void poll_transmit(base::packet_batch& out);
  std::optional<event> poll_event();
  /// Ends everything; no event follows. The pairs can still be asked for.
  void close();

  /// Where data goes now: the selected pair, or the best valid one before there is one.
  [[nodiscard]] std::optional<base::route> data_route() const;
  /// Whether data from there belongs to this session: a valid pair, or a remote candidate.
  [[nodiscard]] bool is_known_route(const base::route& route) const;
  /// Data came over that route: life for the state, not for consent.
  void note_data_received(base::time_point now, const base::route& route);
  /// Packets of data went over that route, for the table of pairs.
  void note_traffic(const base::route& route, const traffic& sent, const traffic& received);
  /// Data went over `data_route()`: if nothing comes back, the pair is soon checked.
  void note_data_sent(base::time_point now);
  /// The socket could not reach the address (ICMP, ENETUNREACH): the pair's check fails early.
  void handle_send_error(base::time_point now, const base::route& route);
  /// A TURN server does not relay to the address, and says why: the pair's check fails.
  void handle_refusal(base::time_point now, const base::route& route, const std::string& why);

  // ICE-TCP (RFC 6544). The first packet to a route of an active end asks the shell to connect.
  /// The connection is gone, or did not come about. One that was in use is asked for again.
  void handle_connection_lost(base::time_point now, const base::route& route);
  /// Whether the other side has proved itself over that connection, or we try to reach it there;
  /// what stays without use may be closed.
  [[nodiscard]] bool uses_connection(const base::route& route) const;

  [[nodiscard]] agent_state state() const;
  [[nodiscard]] std::vector<pair_report> pairs() const;
  /// Those of this generation, with what is not told of them too.
  [[nodiscard]] std::vector<candidate> local_candidates() const;
  [[nodiscard]] std::vector<candidate> remote_candidates() const;
  /// How often data went over to another pair, began to have one, or lost the last.
  [[nodiscard]] std::uint64_t selected_pair_changes() const;
  /// Datagrams that were malformed, unauthentic or not ours.
  [[nodiscard]] std::uint64_t dropped_datagrams() const;

 private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

}  // namespace asiortc::ice

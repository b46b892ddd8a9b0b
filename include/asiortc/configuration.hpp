// The configuration of a peer connection (webrtc-pc 4.2.1 RTCConfiguration).
#pragma once

#include <asiortc/certificate.hpp>
#include <asiortc/config.hpp>
#include <asiortc/log.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace asiortc::inline ASIORTC_ABI {

class name_resolver;
class udp_mux;

/// A STUN or TURN server (webrtc-pc 4.2.4 RTCIceServer). `turns:` is TLS over TCP; with
/// `?transport=udp`, which would be DTLS, it is told as failed by `ice_candidate_errors()`.
/// `stuns:` is checked and not used: what a server sees of a TCP connection helps no UDP.
class ASIORTC_EXPORT ice_server {
 public:
  ice_server() = default;
  /// A server with one URL and no credentials; the URL is checked by `peer_connection`.
  explicit ice_server(std::string url) : urls{std::move(url)} {}

  std::vector<std::string> urls;  ///< `stun:host[:port]`, `turn:host[:port][?transport=udp|tcp]`, …
  std::string username;           ///< for TURN, which needs both (RFC 8489 9.2)
  std::string credential;         ///< the password that belongs to it

  /// Whether all members are equal.
  bool operator==(const ice_server&) const = default;
};

/// Throws what the constructor of `peer_connection` would throw for this server: `syntax_error` for
/// a malformed URL or none, `invalid_access` for TURN without credentials. Thread-safe.
ASIORTC_EXPORT void check_ice_server(const ice_server& server);

/// webrtc-pc 4.2.5: which candidates may be used, all or those of TURN servers alone.
enum class ASIORTC_EXPORT ice_transport_policy { all, relay };
/// webrtc-pc 4.2.6 and RFC 9429 4.1.1.
enum class ASIORTC_EXPORT bundle_policy { balanced, max_compat, max_bundle };
/// webrtc-pc 4.2.7; `negotiate` was removed from the standard.
enum class ASIORTC_EXPORT rtcp_mux_policy { require };

/// Whether host candidates tell addresses (draft-ietf-mmusic-mdns-ice-candidates).
enum class ASIORTC_EXPORT mdns_candidates {
  off,  ///< they do
  /// They tell a random name under `.local` for each address, which only peers on the same link can
  /// resolve, and for which every `peer_connection` of the execution context answers.
  hide
};

/// Times after which ICE and DTLS change their mind; the defaults are those of the RFCs. Each is 1
/// ms to 24 h, or as its comment says; the constructor of `peer_connection` refuses others.
class ASIORTC_EXPORT timeouts {
 public:
  timeouts() = default;

  std::chrono::milliseconds ice_failed{39500};  ///< RFC 8863 4's PAC timer
  std::chrono::milliseconds no_candidates_grace{
      15000};  ///< after it, when no end of candidates came; from 0
  std::chrono::milliseconds disconnected{5000};  ///< nothing was heard for so long
  std::chrono::milliseconds consent{30000};      ///< RFC 7675 5.1: without an answer for so long
  std::chrono::milliseconds consent_interval{
      5000};  ///< between checks of the pair in use, +-20 %; from 50
  std::chrono::milliseconds keepalive{15000};  ///< between checks of a pair in reserve; from 50
  /// How long the controlling side leaves better pairs to prove themselves before it nominates a
  /// direct one that works, while data flow over that (RFC 8445 8.1.1); from 0.
  std::chrono::milliseconds direct_acceptance{100};
  std::chrono::milliseconds relay_acceptance{500};  ///< the same for one over a relay or TCP
  /// Until a request to a STUN server or over a pair is sent again, doubled each time (RFC 8489
  /// 6.2.1's RTO, RFC 8445 14.3); a server that is silent for 19 of it gives no candidate; from 50.
  std::chrono::milliseconds stun_rto{500};
  std::chrono::milliseconds name_lookup{10000};      ///< for the name of a server or a candidate
  std::chrono::milliseconds turn_connect{10000};     ///< for TCP and TLS to a TURN server
  std::chrono::milliseconds turn_allocation{39500};  ///< until a TURN server is given up
  std::chrono::milliseconds dtls_handshake{30000};   ///< for the whole handshake (RFC 6347 4.2)
  std::chrono::milliseconds close_drain{
      30000};  ///< how long `async_close` waits for acknowledgement; from 0

  /// Whether all members are equal.
  bool operator==(const timeouts&) const = default;
};

/// An address of an interface of this machine, as `configuration::interface_filter` is asked for it
/// and `list_interface_addresses` tells it.
class ASIORTC_EXPORT interface_address {
 public:
  interface_address() = default;
  std::string interface_name;  ///< as the system calls it, e.g. `eth0`
  std::string address;         ///< a literal
};

/// The addresses of this machine's interfaces that are up, those that a connection leaves out
/// included. Empty where the system does not tell. Thread-safe.
[[nodiscard]] ASIORTC_EXPORT std::vector<interface_address> list_interface_addresses();

/// What others see a local address as, where a router maps one address to one (RFC 4787's 1:1 NAT),
/// as clouds do. Host candidates show `external` with the port of the socket.
class ASIORTC_EXPORT external_address {
 public:
  external_address() = default;
  /// `of_outside` becomes `external`, `of_inside` `local`; `peer_connection` checks them.
  external_address(std::string of_outside, std::string of_inside = {})
      : external(std::move(of_outside)), local(std::move(of_inside)) {}

  std::string external;  ///< a literal
  std::string local;     ///< a literal of the same family; empty: every local address of the family

  /// Whether all members are equal.
  bool operator==(const external_address&) const = default;
};

/// Options of a `peer_connection`. Copyable. Some may be changed later, by `set_configuration`.
class ASIORTC_EXPORT configuration {
 public:
  configuration() = default;

  std::vector<ice_server> ice_servers;  ///< STUN and TURN servers, all of which are asked
  /// Certificates, in PEM, of which one must have signed that of a `turns:` server; empty: the
  /// system's. The certificate must name the host of the URL.
  std::string turn_trusted_certificates;
  /// With `relay` only TURN's candidates are told and used (RFC 9429 3.5.3).
  asiortc::ice_transport_policy ice_transport_policy = asiortc::ice_transport_policy::all;
  /// How m-sections are grouped (RFC 9429 4.1.1).
  asiortc::bundle_policy bundle_policy = asiortc::bundle_policy::balanced;
  /// There is one value, for likeness with the W3C's dictionary; data channels have no RTCP.
  asiortc::rtcp_mux_policy rtcp_mux_policy = asiortc::rtcp_mux_policy::require;
  /// Own certificates; the first is used. None: one is made at the first need.
  std::vector<certificate> certificates;
  /// Above 0, candidates are gathered from construction on (RFC 9429 3.5.4); all transports share
  /// one, so that larger numbers do the same.
  std::uint8_t ice_candidate_pool_size = 0;
  /// ICE-lite (RFC 8445 2.5): only answers checks. For servers with an address that every peer
  /// reaches; no STUN or TURN server is used. Two lite peers do not connect.
  bool ice_lite = false;
  /// ICE-TCP (RFC 6544), for networks that let no UDP through: a TCP port is listened on at each
  /// local address, and connections are made to those that the other side names. UDP is preferred,
  /// and TCP to a relay. With `ice_lite` connections are only taken.
  bool ice_tcp = false;
  /// One port for all peers that share it; none: sockets of one's own. `interface_filter` is then
  /// for ICE-TCP alone; `port_min` and `port_max` are for that and for the sockets towards TURN
  /// servers, which tell clients apart by their port: each peer has its own there.
  std::shared_ptr<asiortc::udp_mux> udp_mux;
  std::uint16_t port_min = 0;  ///< local UDP ports, and TCP ports to listen on; 0 for any
  std::uint16_t port_max = 0;  ///< the last of them; not below `port_min`
  /// Whether to use a local address; none: all but loopback, and loopback where there is no other.
  /// With a filter, TCP and TLS connections to TURN servers too are made from those addresses
  /// alone.
  std::function<bool(const interface_address&)> interface_filter;
  /// `hide` keeps the addresses of this machine from the signaling and from peers elsewhere, as
  /// browsers do: host candidates tell names, and the others no related address (RFC 8839 5.1). The
  /// names are answered for by multicast DNS (RFC 6762) on the link of each address, on UDP port
  /// 5353, until the peer connection ends. Not hidden are `external_addresses`, and what a STUN or
  /// TURN server sees; a peer that is connected sees where packets come from. Names of the other
  /// side are resolved either way.
  asiortc::mdns_candidates mdns_candidates = asiortc::mdns_candidates::off;
  /// At most 16; the first that fits a local address counts.
  std::vector<external_address> external_addresses;
  asiortc::timeouts timeouts;  ///< of ICE, DTLS and the graceful close

  /// What we accept, told to the peer (RFC 8841 6); 1 to 2^30 bytes.
  std::size_t max_message_size = 262144;
  /// Unread messages of all channels; bytes, not below `max_message_size`.
  std::size_t receive_budget = 8 * 1024 * 1024;
  /// Data channels at once, of both sides; 1 to 65535. More that the other side opens are reset; of
  /// `create_data_channel` they end with `operation_error`.
  std::size_t max_channels = 65535;
  std::size_t send_high_water = 1024 * 1024;  ///< `async_send` completes below it; bytes

  /// Resolves server names; none: c-ares on the peer's own executor.
  std::shared_ptr<name_resolver> resolver;
  log_sink log;                               ///< where lines of the log go; none: nowhere
  log_level log_threshold = log_level::info;  ///< the least important level that is given to it
};

}  // namespace asiortc::inline ASIORTC_ABI

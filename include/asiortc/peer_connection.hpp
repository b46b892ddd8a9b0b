// A peer connection (webrtc-pc 4.4 RTCPeerConnection).
#pragma once

#include <asiortc/candidate_pair.hpp>
#include <asiortc/config.hpp>
#include <asiortc/configuration.hpp>
#include <asiortc/data_channel.hpp>
#include <asiortc/error.hpp>
#include <asiortc/event_stream.hpp>
#include <asiortc/ice_candidate.hpp>
#include <asiortc/session_description.hpp>
#include <asiortc/state_change.hpp>
#include <asiortc/states.hpp>
#include <asiortc/stats.hpp>

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/deferred.hpp>

#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace asiortc::inline ASIORTC_ABI {

class peer_connection;
class negotiation;
class signaling_pipe;
enum class ASIORTC_EXPORT negotiation_role;

namespace detail {
class mesh_state;
class peer_state;
using description_completion =
    boost::asio::any_completion_handler<void(boost::system::error_code, session_description)>;
using pairs_completion = boost::asio::any_completion_handler<void(
    boost::system::error_code, std::vector<candidate_pair_info>)>;
using stats_completion =
    boost::asio::any_completion_handler<void(boost::system::error_code, stats_report)>;
}  // namespace detail

/// Options of `peer_connection::async_create_offer` (webrtc-pc 4.3.5 RTCOfferOptions).
class ASIORTC_EXPORT offer_options {
 public:
  offer_options() = default;

  bool ice_restart = false;  ///< new ICE credentials; data goes on over the old pair meanwhile
};

/// The item of `peer_connection::negotiation_needed()`.
class ASIORTC_EXPORT negotiation_needed_event {
 public:
  negotiation_needed_event() = default;
};

/// The SCTP transport, once it is negotiated (webrtc-pc 6.1 RTCSctpTransport).
class ASIORTC_EXPORT sctp_transport_info {
 public:
  sctp_transport_info() = default;

  std::uint64_t max_message_size = 0;         ///< bytes that one message may have; UINT64_MAX: any
  std::optional<std::uint16_t> max_channels;  ///< known once connected
  sctp_transport_state state = sctp_transport_state::connecting;  ///< of the association
};

/// A move-only handle to a connection to one other peer. It runs on a strand that it makes on the
/// executor it is given, opens no socket or timer before a local description is set, unless
/// `ice_candidate_pool_size` asks for it, and never makes a thread. Dropping the handle aborts the
/// connection without blocking; `async_close` is the graceful way. Assigning a new one over an old
/// one closes the old one with all its channels. One that was moved from may only be destroyed,
/// assigned to and closed with `close()`.
///
/// Thread safety: every member may be called from any thread. Completion handlers run on their
/// associated executor, else on the executor given here, and are always posted. A coroutine that
/// uses `||`, a slot or a timeout on a multi-threaded context runs on a strand of its own, since a
/// cancellation slot is not thread-safe.
///
/// Lifetime: a pending operation keeps the state alive, not the connection. The execution context
/// may be destroyed first; the handle is inert then: pending handlers are dropped, getters still
/// answer. Getters and streams answer after the end of the connection, too, with what was last.
///
/// Cancellation: every operation honours its slot, with any type, and completes with
/// `asio::error::operation_aborted`; that abandons the wait, not the effect.
///
/// Streams: each queues from the creation of the connection and ends with it, without an error
/// after `close` and `async_close`, else with `end_reason()`. How to wait, and its errors, is said
/// in `event_stream`. Those of states keep 256 unread and then merge (`state_change`).
///
/// Getters: each equals the last event queued, which may be ahead of the reader; none fails or
/// waits.
class ASIORTC_EXPORT peer_connection {
 public:
  /// `executor` is not empty.
  /// Throws `error`: `syntax_error` or `invalid_access` for a server, `invalid_access` for an
  /// expired certificate, `type_error` for a port range, a time or a size out of bounds;
  /// `syntax_error` and `type_error` for an external address, `syntax_error` for trusted
  /// certificates; `operation_error` when the machine gives no key. The text names the value.
  explicit peer_connection(boost::asio::any_io_executor executor,
                           asiortc::configuration config = asiortc::configuration());
  /// The same, on the executor of an execution context such as `io_context`.
  template <class Context>
  requires requires(Context& context) {
    { context.get_executor() } -> std::convertible_to<boost::asio::any_io_executor>;
  }
  explicit peer_connection(Context& context,
                           asiortc::configuration config = asiortc::configuration())
      : peer_connection(boost::asio::any_io_executor(context.get_executor()), std::move(config)) {}
  /// Leaves the other handle empty.
  peer_connection(peer_connection&&) noexcept;
  /// Aborts what was held before, as `close()`, and leaves the other handle empty.
  peer_connection& operator=(peer_connection&&) noexcept;
  /// As `close()`.
  ~peer_connection();

  /// Makes an offer (RFC 9429 4.1.8, 5.2). It describes what the connection has now, and is not
  /// applied.
  ///
  /// Completion signature: `void(error_code, session_description)`.
  /// Errors: `errc::invalid_state` when closed or when the signaling state allows no offer.
  template <class Token = boost::asio::deferred_t>
  [[nodiscard]] auto async_create_offer(offer_options options = offer_options(),
                                        Token&& token = Token()) {
    return boost::asio::async_initiate<Token, void(boost::system::error_code, session_description)>(
        create_offer_operation(), token, state_, options);
  }

  /// Answers the remote offer (RFC 9429 4.1.9, 5.3).
  ///
  /// Completion signature: `void(error_code, session_description)`.
  /// Errors: `errc::invalid_state` when closed or when there is no remote offer.
  template <class Token = boost::asio::deferred_t>
  [[nodiscard]] auto async_create_answer(Token&& token = Token()) {
    return boost::asio::async_initiate<Token, void(boost::system::error_code, session_description)>(
        create_answer_operation(), token, state_);
  }

  /// Applies a local description (RFC 9429 4.1.10, 5.9); gathering starts with it. None given makes
  /// and applies the offer or answer that is due (webrtc-pc 4.4.1.5); an empty SDP means the one
  /// created last of that type (RFC 9429 5.4).
  ///
  /// Completion signature: `void(error_code)`.
  /// Errors: `errc::invalid_state` when closed or when the type does not fit the signaling state;
  /// `errc::invalid_modification` when the SDP is not the one created last, or ICE was restarted
  /// since.
  template <class Token = boost::asio::deferred_t>
  [[nodiscard]] auto async_set_local_description(
      std::optional<session_description> description = std::nullopt, Token&& token = Token()) {
    return boost::asio::async_initiate<Token, void(boost::system::error_code)>(
        set_local_operation(), token, state_, std::move(description));
  }

  /// Applies the other side's description (RFC 9429 4.1.11, 5.10). An offer in have-local-offer
  /// rolls the local one back. On an error the state is what it was, and `last_error_detail()`
  /// names the line or attribute.
  ///
  /// Completion signature: `void(error_code)`.
  /// Errors: `errc::invalid_state` when closed or when the type does not fit the signaling state;
  /// `errc::syntax_error` for malformed SDP; `errc::invalid_modification` for what may not change;
  /// `errc::not_supported` for what asiortc does not do, e.g. holdconn.
  template <class Token = boost::asio::deferred_t>
  [[nodiscard]] auto async_set_remote_description(session_description description,
                                                  Token&& token = Token()) {
    return boost::asio::async_initiate<Token, void(boost::system::error_code)>(
        set_remote_operation(), token, state_, std::move(description));
  }

  /// Adds a candidate of the other side (webrtc-pc 4.4.2 addIceCandidate). An empty candidate text
  /// ends the candidates.
  ///
  /// Completion signature: `void(error_code)`.
  /// Errors: `errc::invalid_state` when closed or before a remote description; `errc::type_error`
  /// when neither mid nor index is given; `errc::operation_error` for an unknown mid, index or an
  /// old generation; `errc::syntax_error` for a malformed candidate; `errc::limit_reached` past the
  /// bound on their number.
  template <class Token = boost::asio::deferred_t>
  [[nodiscard]] auto async_add_ice_candidate(ice_candidate candidate, Token&& token = Token()) {
    return boost::asio::async_initiate<Token, void(boost::system::error_code)>(
        add_candidate_operation(), token, state_, std::move(candidate));
  }

  /// The table of all candidate pairs as they are now, best first, those of before an ICE restart
  /// last while they are in use; after the end, as they were last. `format_table` prints it. It is
  /// made when asked for, and costs nothing before.
  ///
  /// Completion signature: `void(error_code, std::vector<candidate_pair_info>)`.
  /// Errors: none but `operation_aborted`.
  template <class Token = boost::asio::deferred_t>
  [[nodiscard]] auto async_candidate_pairs(Token&& token = Token()) const {
    return boost::asio::async_initiate<Token, void(boost::system::error_code,
                                                   std::vector<candidate_pair_info>)>(
        candidate_pairs_operation(), token, state_);
  }

  /// Statistics with the W3C's names and units (webrtc-pc 8.2 getStats); `stats_report::to_json`
  /// writes them as a browser does. Counters never fall. After the end, the report is what was
  /// last, with the channels that there are handles to. It is made when asked for, and costs
  /// nothing before.
  ///
  /// Completion signature: `void(error_code, stats_report)`.
  /// Errors: none but `operation_aborted`.
  template <class Token = boost::asio::deferred_t>
  requires(!std::same_as<std::remove_cvref_t<Token>, data_channel>)
      [[nodiscard]] auto async_get_stats(Token&& token = Token()) const {
    return boost::asio::async_initiate<Token, void(boost::system::error_code, stats_report)>(
        get_stats_operation(), token, state_, nullptr);
  }

  /// The same of one channel: its entry, and the way it takes: the transport, the pair in use with
  /// its candidates, and the certificates. An empty `selector` selects nothing, and all is given.
  ///
  /// Completion signature: `void(error_code, stats_report)`.
  /// Errors: `errc::invalid_access` for a channel of another connection; `operation_aborted`.
  template <class Token = boost::asio::deferred_t>
  [[nodiscard]] auto async_get_stats(const data_channel& selector, Token&& token = Token()) const {
    return boost::asio::async_initiate<Token, void(boost::system::error_code, stats_report)>(
        get_stats_operation(), token, state_, selector.native_handle());
  }

  /// Asks for new ICE credentials at the next offer (webrtc-pc 4.4.2 restartIce), which
  /// `negotiation_needed()` tells. Never fails; does nothing when closed, or before anything was
  /// negotiated. It saves a connection that is `disconnected`, and one that `failed` before it was
  /// connected; one that failed later has lost its channels and cannot be revived: make a new one.
  void restart_ice();

  /// Changes the servers and what else concerns the next gathering, which `restart_ice()` starts
  /// (webrtc-pc 4.4.2 setConfiguration, 4.4.1.6): `ice_servers`, `turn_trusted_certificates`,
  /// `ice_transport_policy`, and before the first local description `ice_candidate_pool_size`.
  /// What has been gathered goes on; an allocation of a server that is no longer named is given
  /// back once a restart has made it needless, and one of a server that still is keeps its
  /// credentials. Empty `certificates` mean those of before. `interface_filter` and `log` stay what
  /// they were, since functions cannot be compared. Under `relay` from the start there is no
  /// ICE-TCP later. Throws `error`, and nothing has changed then: `invalid_state` when closed;
  /// `invalid_modification` for anything else that differs from `configuration()`; `syntax_error`
  /// and `invalid_access` for a server, `syntax_error` for trusted certificates.
  void set_configuration(asiortc::configuration config);

  /// Makes a channel (webrtc-pc 6.1, RFC 8832 5.1), before or after connecting. It opens by itself.
  /// What only the strand can tell ends the channel, which `async_open` and `states()` of it tell:
  /// with `operation_error` when no stream id is left, or that of a negotiated channel belongs to
  /// one that was opened in band, or is not below the number of streams that both sides have; with
  /// `invalid_state` when the connection or its SCTP association has ended.
  /// Throws `error`: `invalid_state` when closed; `type_error` for a label or protocol over 65535
  /// bytes or not UTF-8, both limits at once, a life time not from 0 to 65535 ms, a missing id or
  /// the id 65535; `operation_error` for the id of another negotiated channel that was made here
  /// and has not closed.
  [[nodiscard]] data_channel create_data_channel(std::string label,
                                                 data_channel_init init = data_channel_init());

  /// Closes gracefully: what the channels have queued is delivered and acknowledged (for at most
  /// `timeouts::close_drain`), the other side is told, and every socket and timer is gone when it
  /// completes (RFC 9260 9.2, RFC 5246 7.2.1); for a TURN server's word that it has taken a relay
  /// back half a second is waited at most. What the channels received and nobody has read is
  /// discarded. Idempotent; may be started from anywhere, and twice; completes at once when closed.
  ///
  /// Completion signature: `void(error_code)`. Errors: none but `operation_aborted`.
  template <class Token = boost::asio::deferred_t>
  [[nodiscard]] auto async_close(Token&& token = Token()) {
    return boost::asio::async_initiate<Token, void(boost::system::error_code)>(close_operation(),
                                                                               token, state_);
  }

  /// Aborts (webrtc-pc 4.4.2 close): queued messages are dropped, those to be sent as those that
  /// nobody has read, and the other side is told once.
  /// Never blocks and never fails; does nothing when closed or moved from.
  void close();

  // Event streams.

  /// Local candidates for the other side (webrtc-pc 4.8.2); an empty candidate ends
  /// each generation. Up to 4,096 wait unread, more are lost. Given to
  /// `negotiate()` while that runs: waiting here then gives `errc::in_use`.
  [[nodiscard]] event_stream<ice_candidate> ice_candidates() const;
  /// Why a STUN or TURN server gave no candidate (webrtc-pc 4.8.3 onicecandidateerror); up to 256
  /// wait unread, more are lost.
  [[nodiscard]] event_stream<ice_candidate_error> ice_candidate_errors() const;
  /// Channels that the other side opened (webrtc-pc 6.1 ondatachannel). Up to 1,024 wait to be
  /// taken; then nothing more is received on the connection until one is. When none is for a
  /// second, more are reset until one is. Reset are, too, those beyond
  /// `configuration::max_channels`, and where all that are there have 8 MiB of labels and
  /// protocols.
  [[nodiscard]] event_stream<data_channel> data_channels() const;
  /// Every transition of `connection_state()` (webrtc-pc 4.4.2 onconnectionstatechange); `closed`
  /// is the last.
  [[nodiscard]] event_stream<state_change<asiortc::connection_state>> connection_states() const;
  /// Every transition of `ice_connection_state()` (webrtc-pc 4.4.2 oniceconnectionstatechange).
  [[nodiscard]] event_stream<state_change<asiortc::ice_connection_state>> ice_connection_states()
      const;
  /// Every transition of `ice_gathering_state()` (webrtc-pc 4.4.2 onicegatheringstatechange).
  [[nodiscard]] event_stream<state_change<asiortc::ice_gathering_state>> ice_gathering_states()
      const;
  /// Every transition of `signaling_state()` (webrtc-pc 4.4.2 onsignalingstatechange).
  [[nodiscard]] event_stream<state_change<asiortc::signaling_state>> signaling_states() const;
  /// Each pair that data goes over from then on (webrtc-pc 5.6 onselectedcandidatepairchange); up
  /// to 256 wait unread, more are lost.
  [[nodiscard]] event_stream<candidate_pair> selected_candidate_pairs() const;
  /// Coalesced, only in stable (webrtc-pc 4.7.3). Given to `negotiate()` while that runs.
  [[nodiscard]] event_stream<negotiation_needed_event> negotiation_needed() const;

  // What is now.

  /// The aggregate of ICE and DTLS (webrtc-pc 4.3.3); `new_` at first.
  [[nodiscard]] asiortc::connection_state connection_state() const;
  /// webrtc-pc 4.3.4; `new_` at first.
  [[nodiscard]] asiortc::ice_connection_state ice_connection_state() const;
  /// webrtc-pc 4.3.2; `new_` at first.
  [[nodiscard]] asiortc::ice_gathering_state ice_gathering_state() const;
  /// webrtc-pc 4.3.1; `stable` at first.
  [[nodiscard]] asiortc::signaling_state signaling_state() const;
  /// The local side of the last finished exchange, with the candidates gathered since (webrtc-pc
  /// 4.4.2); none before.
  [[nodiscard]] std::optional<session_description> current_local_description() const;
  /// The local description of the exchange that runs, with the candidates gathered since (webrtc-pc
  /// 4.4.2); none in `stable`.
  [[nodiscard]] std::optional<session_description> pending_local_description() const;
  /// The other side's description of the last finished exchange, as it was read (webrtc-pc 4.4.2);
  /// none before.
  [[nodiscard]] std::optional<session_description> current_remote_description() const;
  /// The other side's description of the exchange that runs, as it was read (webrtc-pc 4.4.2); none
  /// in `stable`.
  [[nodiscard]] std::optional<session_description> pending_remote_description() const;
  /// The pending one if there is one, else the current one (webrtc-pc 4.4.2).
  [[nodiscard]] std::optional<session_description> local_description() const;
  /// The pending one if there is one, else the current one (webrtc-pc 4.4.2).
  [[nodiscard]] std::optional<session_description> remote_description() const;
  /// Whether the other side takes candidates one by one (RFC 8838 3); unknown until a remote
  /// description is set (webrtc-pc 4.4.2).
  [[nodiscard]] std::optional<bool> can_trickle_ice_candidates() const;
  /// The pair that data goes over (webrtc-pc 5.6 getSelectedCandidatePair); none before ICE has
  /// one. The round trip time is that of its selection.
  [[nodiscard]] std::optional<candidate_pair> selected_candidate_pair() const;
  /// webrtc-pc 4.4.2 sctp; none until data channels are negotiated.
  [[nodiscard]] std::optional<sctp_transport_info> sctp() const;
  /// Who the other side is: the SHA-256 fingerprint of the certificate that it has proved to be its
  /// own, whatever else its description names (webrtc-pc 5.5 getRemoteCertificates, RFC 8122 6.2);
  /// none before DTLS has connected. It stays the same as long as the other side keeps its
  /// certificate.
  [[nodiscard]] std::optional<certificate_fingerprint> remote_certificate() const;
  /// Why the connection failed or closed last; no error while it has done neither.
  [[nodiscard]] boost::system::error_code end_reason() const;
  /// What the last refused call was refused for, or why the connection failed, in words; empty if
  /// there was neither.
  [[nodiscard]] std::string last_error_detail() const;
  /// A copy of what was given last (webrtc-pc 4.4.2 getConfiguration).
  [[nodiscard]] asiortc::configuration configuration() const;
  /// 128 random bits in hexadecimal; never changes, and is valid while the handle is.
  [[nodiscard]] const std::string& id() const;
  /// As given; empty once the execution context is gone.
  [[nodiscard]] boost::asio::any_io_executor get_executor() const;

 private:
  friend negotiation negotiate(peer_connection& connection, std::shared_ptr<signaling_pipe> pipe,
                               negotiation_role role);
  friend class detail::mesh_state;
  using state_ptr = std::shared_ptr<detail::peer_state>;
  using void_completion = detail::void_completion;

  /// Whether a negotiated channel has the id.
  [[nodiscard]] bool uses_channel_id(std::uint16_t wanted) const;

  struct ASIORTC_EXPORT create_offer_operation {
    void operator()(detail::description_completion handler, state_ptr state,
                    offer_options options) const;
  };
  struct ASIORTC_EXPORT create_answer_operation {
    void operator()(detail::description_completion handler, state_ptr state) const;
  };
  struct ASIORTC_EXPORT set_local_operation {
    void operator()(void_completion handler, state_ptr state,
                    std::optional<session_description> description) const;
  };
  struct ASIORTC_EXPORT set_remote_operation {
    void operator()(void_completion handler, state_ptr state,
                    session_description description) const;
  };
  struct ASIORTC_EXPORT add_candidate_operation {
    void operator()(void_completion handler, state_ptr state, ice_candidate candidate) const;
  };
  struct ASIORTC_EXPORT candidate_pairs_operation {
    void operator()(detail::pairs_completion handler, state_ptr state) const;
  };
  struct ASIORTC_EXPORT get_stats_operation {
    void operator()(detail::stats_completion handler, state_ptr state,
                    std::shared_ptr<detail::channel_state> selector) const;
  };
  struct ASIORTC_EXPORT close_operation {
    void operator()(void_completion handler, state_ptr state) const;
  };

  state_ptr state_;
};

}  // namespace asiortc::inline ASIORTC_ABI

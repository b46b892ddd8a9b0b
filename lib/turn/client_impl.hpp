// The inside of the client: transactions, what their answers change, and the packets of peers.
#pragma once

#include "stun/message_view.hpp"
#include "turn/client.hpp"
#include "turn/credentials.hpp"
#include "turn/peers.hpp"
#include "turn/refusal.hpp"

#include <deque>
#include <optional>
#include <vector>

namespace asiortc::turn {

/// Whether nothing in the message is unknown here and must be understood (RFC 8489 6.3).
bool is_understood(const stun::message_view& message);

struct client::impl {
  struct request {
    stun::method what = stun::method::allocate;
    base::endpoint peer;  ///< of a permission only the address counts
    stun::transaction_id id{};
    base::bytes message;
    stun::retransmission clock;
    bool is_signed = false;
    bool challenged = false;  ///< has answered a 401
    bool renewed = false;     ///< has answered a 438
  };

  impl(settings settings, base::random_source& random);

  void start(base::time_point now);
  void handle_timeout(base::time_point now);
  [[nodiscard]] base::time_point next_deadline() const;
  void close(base::time_point now);
  void set_state(state next, const std::string& reason);
  void fail(const refusal& why, std::optional<base::endpoint> alternate = {});
  void end(const refusal& why);
  void forget();
  void leave(const std::string& reason);

  // Transactions (client_requests.cpp).
  void ask(base::time_point now, stun::method what, const base::endpoint& peer = {});
  void prepare(base::time_point now, request& which);
  base::bytes build(request& which);
  void transmit(base::byte_span message);
  /// The server may have an allocation of ours.
  [[nodiscard]] bool may_exist() const;
  void give_back();
  [[nodiscard]] bool is_asking(stun::method what, const base::endpoint& peer) const;
  void ask_again(const request& which, base::time_point at);
  void do_what_is_due(base::time_point now);
  /// Whether what is due was the end of it.
  bool is_over(base::time_point now, request& which);
  bool is_over(base::time_point now, permission& which);
  bool is_over(base::time_point now, channel& which);
  /// When the server is to be asked whether it is still there.
  [[nodiscard]] base::time_point probe_at() const;
  void probe(base::time_point now);

  // Answers (client_answers.cpp).
  void handle_answer(base::time_point now, const stun::message_view& answer);
  [[nodiscard]] std::optional<refusal> doubt_about(const request& which,
                                                   const stun::message_view& answer) const;
  void disbelieve(base::time_point now, std::vector<request>::iterator which, const refusal& why);
  bool retry(base::time_point now, request& which, const stun::message_view& answer,
             std::uint16_t code);
  void accept(base::time_point now, const request& which, const stun::message_view& answer);
  void accept_allocation(base::time_point now, const stun::message_view& answer);
  void set_lifetime(base::time_point now, std::uint32_t seconds);
  void refuse(base::time_point now, const request& which, const refusal& why,
              std::optional<base::endpoint> alternate);
  void refuse_allocation(base::time_point now, const request& which, const refusal& why,
                         std::optional<base::endpoint> alternate);
  void grant(base::time_point now, const base::ip_address& address);
  void refuse_peer(base::time_point now, const base::endpoint& peer, const refusal& why);
  void tell_refused(const base::endpoint& peer, const refusal& why);

  // Packets (client_packets.cpp).
  outcome handle_datagram(base::time_point now, const base::datagram& datagram);
  void handle_channel_data(base::mutable_byte_span bytes, outcome& result);
  void handle_indication(const stun::message_view& message, base::mutable_byte_span bytes,
                         outcome& result);
  bool send(base::time_point now, const base::endpoint& peer, base::byte_span payload,
            base::traffic_class kind, base::packet_batch& out);
  permission* permission_for(base::time_point now, const base::endpoint& peer);
  void want_channel(base::time_point now, const base::endpoint& peer);
  bool keep_waiting(permission& which, const base::endpoint& peer, base::byte_span payload,
                    base::traffic_class kind);
  void write_channel_data(std::uint16_t number, base::byte_span payload, base::packet_batch& out);
  void write_indication(const base::endpoint& peer, base::byte_span payload,
                        base::packet_batch& out);
  [[nodiscard]] bool can_relay_to(const base::endpoint& peer) const {
    return peer.address.is_v4() == (settings_.family == address_family::ipv4);
  }

  settings settings_;
  base::random_source& random_;
  long_term_credentials credentials_;
  state state_ = state::new_;
  std::vector<request> requests_;
  peer_table peers_;
  base::packet_batch outgoing_;
  std::deque<event> events_;
  base::time_point give_up_at_ = base::never;
  base::time_point refresh_at_ = base::never;
  base::time_point expires_at_ = base::never;
  /// When a packet of ours left for a peer that was the first since the server was heard.
  base::time_point unheard_since_ = base::never;
  refusal last_refusal_{0, "did not answer"};
  /// The server has an allocation of our 5-tuple already; it is given back before we ask anew.
  std::optional<refusal> mismatch_;
  std::uint64_t dropped_datagrams_ = 0;
  std::uint64_t dropped_packets_ = 0;
};

}  // namespace asiortc::turn

// Local candidates: those of the sockets, and what STUN servers say they look like from outside
// (RFC 8445 5.1.1).
#pragma once

#include "base/log.hpp"
#include "base/packet.hpp"
#include "base/random.hpp"
#include "ice/agent.hpp"
#include "ice/check_list.hpp"
#include "ice/event_queue.hpp"
#include "stun/message_view.hpp"
#include "stun/retransmission.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace asiortc::ice {

class gatherer {
 public:
  gatherer(const agent_settings& settings, base::random_source& random, event_queue& events,
           base::logger log);

  /// False if the socket is known already or there are too many.
  bool add_socket(const local_socket& socket);
  bool add_relayed(const relayed_socket& socket);
  void remove_socket(base::socket_id id);
  void add_reflexive(base::socket_id id, const base::endpoint& mapped, const stun_server& server);
  void add_server(stun_server server);
  /// At the next restart there are none, and `finish` is awaited again.
  void forget_servers() { forgets_servers_ = true; }
  /// See `local_base::retired`. True if a base of no use before is told now.
  bool set_retired(base::socket_id id, bool retired);
  void hold() { ++held_; }
  void release();
  /// The shell has told all; without it gathering is never complete.
  void finish();
  /// All candidates come anew, under another user name fragment. The first restart keeps what was
  /// before it until one of the next two.
  void restart(const std::string& ufrag);
  void keep_restart() { before_.reset(); }
  /// What was before goes on, with the sockets and servers that came since.
  void undo_restart();

  [[nodiscard]] const local_base* find(base::socket_id id) const;
  [[nodiscard]] const std::vector<local_base>& bases() const { return bases_; }
  /// Those that were told since the restart and are still there.
  [[nodiscard]] std::vector<candidate> candidates() const;
  /// For a candidate that is not gathered.
  std::uint64_t next_number() { return std::uint64_t{generation_} << 32 | ++last_number_; }
  /// The candidate of the base with this address, if one was gathered.
  [[nodiscard]] std::shared_ptr<const candidate> find_candidate(base::socket_id id,
                                                                const base::endpoint& mapped) const;
  /// Of the socket; UDP if it is not known.
  [[nodiscard]] transport_protocol protocol_of(base::socket_id id) const;
  [[nodiscard]] std::string foundation(candidate_type type, transport_protocol protocol,
                                       const base::ip_address& base,
                                       const base::ip_address& server) const;

  struct request {
    base::route to;
    base::bytes message;
  };
  /// A request that waits for its turn in the pacing.
  [[nodiscard]] bool has_new_request() const;
  std::optional<request> start_next(base::time_point now);
  /// Requests that are sent again, and those that are given up. `keep_alive` asks servers that
  /// answered again, so that the NAT keeps its mapping until pairs carry traffic.
  std::optional<request> next_due(base::time_point now, bool keep_alive);
  [[nodiscard]] base::time_point next_deadline(bool keep_alive) const;

  /// True if the message answers one of ours.
  bool handle_answer(base::time_point now, const stun::message_view& message,
                     const base::route& from);
  void handle_send_error(const base::route& route);

  [[nodiscard]] bool complete() const { return complete_; }

 private:
  enum class query_state : std::uint8_t { waiting, running, answered, failed };
  struct query {
    base::route to;
    stun_server server;  ///< `further` are those that were not asked yet
    stun::transaction_id id{};
    stun::retransmission clock;
    base::time_point refresh_at = base::never;
    query_state state = query_state::waiting;
  };
  struct reflexive {
    base::socket_id socket;
    std::shared_ptr<const candidate> value;
  };

  /// What a restart begins anew.
  struct round {
    std::string ufrag;
    std::vector<local_base> bases;
    std::vector<reflexive> found;
    std::vector<stun_server> servers;
    std::vector<query> queries;
    bool finished = false;
    bool complete = false;
  };

  void add_queries(const local_base& base, const stun_server& server);
  void add_reflexive(const local_base& base, const base::endpoint& mapped,
                     const stun_server& server);
  bool add_base(base::socket_id id, std::uint16_t preference, candidate own);
  void renew(local_base& base);
  void announce(const candidate& value);
  [[nodiscard]] bool is_told(const candidate& value) const;
  void resume();
  void check_complete();
  void set_state(query& which, query_state state, std::string_view reason);
  /// The server gives this socket no address, and that is told.
  void fail(query& which, std::uint16_t code, std::string why);
  void tell_unreachable_servers();
  [[nodiscard]] std::uint16_t choose_preference(const candidate& own, std::uint16_t wanted) const;

  const agent_settings& settings_;
  base::random_source& random_;
  event_queue& events_;
  base::logger log_;
  std::uint64_t foundation_salt_;
  std::string ufrag_;
  std::uint32_t generation_ = 0;
  std::uint32_t last_number_ = 0;
  std::vector<local_base> bases_;
  std::vector<reflexive> reflexive_;
  std::vector<stun_server> servers_;
  std::vector<query> queries_;
  int held_ = 0;
  bool finished_ = false;
  bool forgets_servers_ = false;
  bool complete_ = false;
  std::optional<round> before_;
};

}  // namespace asiortc::ice

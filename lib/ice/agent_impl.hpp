// The agent's parts and how they hang together. Each input changes something and then calls
// `run`, which does what is due, once, in one order.
#pragma once

#include "ice/agent.hpp"
#include "ice/check_message.hpp"
#include "ice/event_queue.hpp"
#include "ice/gatherer.hpp"
#include "ice/generation.hpp"
#include "stun/message_view.hpp"

#include <memory>
#include <optional>
#include <string_view>

namespace asiortc::ice {

struct agent::impl {
  impl(agent_settings wanted, base::random_source& source, base::logger logger);

  // agent_run.cpp: what is due.
  void run(base::time_point now);
  void retry_pending(generation& gen, base::time_point now);
  void watch_pairs(generation& gen, base::time_point now);
  void send_paced(base::time_point now);
  bool send_triggered(base::time_point now);
  void send_ordinary(base::time_point now);
  void send_gathering(base::time_point now);
  [[nodiscard]] bool is_reserve(const generation& gen, const pair& which,
                                base::time_point now) const;
  /// Whether the pair would be kept beside the selected one if it were valid.
  [[nodiscard]] bool has_room_for(const generation& gen, const pair& which,
                                  base::time_point now) const;
  void prune_reserve(generation& gen, base::time_point now);
  void drop_previous(base::time_point now);
  void update_deadline(base::time_point now);
  [[nodiscard]] base::time_point triggered_allowed_at() const;
  [[nodiscard]] bool keeps_mappings() const;
  [[nodiscard]] bool sends_checks() const { return current->remote && !settings.lite; }

  // agent_checks.cpp: requests of ours.
  void send(const base::route& to, base::byte_span message);
  void send_check(generation& gen, pair& which, check_kind kind, base::time_point now);
  void transmit_check(generation& gen, pair& which, const pending_check& check);
  void nominate(base::time_point now);
  void select(generation& gen, pair& which, base::time_point now);
  void invalidate(generation& gen, pair& which, std::string_view reason);

  // agent_requests.cpp: requests of the other side.
  void handle_request(base::time_point now, const stun::message_view& message,
                      const base::route& from);
  [[nodiscard]] bool loses_role_conflict(const check_view& check);
  void switch_role(role to, const char* reason);
  void remember_early(generation& gen, early_check check);
  void replay_early(generation& gen, base::time_point now);
  void learn_from_check(generation& gen, base::time_point now, const early_check& check);
  void trigger_check(generation& gen, pair& which);
  void follow_as_lite(generation& gen, pair& which, bool nominated, base::time_point now);
  void accept_as_valid(generation& gen, pair& which, std::string_view reason, base::time_point now);

  // agent_responses.cpp: answers to ours.
  void handle_answer(base::time_point now, const stun::message_view& message,
                     const base::route& from);
  void handle_check_answer(generation& gen, base::time_point now, const stun::message_view& message,
                           const base::route& from);
  void handle_check_success(generation& gen, pair& which, const pending_check& check,
                            base::time_point now, const base::endpoint& mapped);
  void handle_check_error(generation& gen, pair& which, const pending_check& check,
                          std::uint16_t code);
  void note_mapped_address(pair& which, const base::endpoint& mapped);

  // agent_negotiation.cpp: credentials and candidates.
  void restart(base::time_point now);
  void carry_out_restart();
  void abandon_restart();
  [[nodiscard]] bool may_use(const generation& gen, const local_base& local) const;
  void set_remote_credentials(base::time_point now, credentials remote);
  base::result<void> add_remote_candidate(base::time_point now, const candidate& remote);
  void make_pairs(generation& gen, const std::shared_ptr<const candidate>& remote);
  void make_pairs(generation& gen, const local_base& local);
  void remove_socket(base::socket_id id);
  void handle_send_error(const base::route& route);
  /// The pair whose check was under way and failed now, if there was one.
  pair* fail_check(const base::route& route, const std::string& why);
  void lose_connection(const base::route& route);

  // agent_state.cpp: what it all amounts to.
  void set_state(agent_state next, base::failure reason, std::string_view why);
  void update_active(base::time_point now);
  void update_state(base::time_point now);
  [[nodiscard]] std::optional<base::failure> find_failure(base::time_point now) const;
  [[nodiscard]] base::time_point failure_deadline(base::time_point now) const;
  [[nodiscard]] bool is_completed() const;
  [[nodiscard]] std::vector<pair_report> report() const;

  [[nodiscard]] bool is_over() const {
    return state == agent_state::failed || state == agent_state::closed;
  }
  generation* find_generation(std::string_view ufrag);
  [[nodiscard]] const generation& newest() const { return offered ? *offered : *current; }
  pair* find_active();
  void note_received(base::time_point now, const base::route& route);
  credentials make_credentials();
  std::unique_ptr<generation> make_generation();
  void drop(const char* why);

  template <class Visit>
  void for_each_generation(Visit visit) {
    visit(*current);
    if (previous) visit(*previous);
    if (offered) visit(*offered);
  }

  agent_settings settings;
  base::random_source& random;
  base::logger log;
  event_queue events;
  base::packet_batch outbox;
  gatherer gather;
  agent_state state = agent_state::new_;
  role as = role::controlled;
  std::uint64_t tie_breaker = 0;
  bool remote_lite = false;

  std::uint32_t generations = 0;  ///< how many there have been
  std::unique_ptr<generation> current;
  /// Of a restart that is open: it has no remote side yet, and may be abandoned.
  std::unique_ptr<generation> offered;
  /// The one before the last restart, while it carries data or its checks may still come.
  std::unique_ptr<generation> previous;

  /// The pair that carries data, and whether `previous` has it.
  pair_id active = pair_id::none;
  bool active_is_previous = false;
  std::optional<base::route> active_route;
  bool was_writable = false;
  std::uint64_t pair_changes = 0;  ///< of `active`, as told
  /// When the last valid pair was lost, and whether for want of consent.
  std::optional<base::time_point> lost_at;
  bool lost_consent = false;

  base::time_point next_ordinary_at{};
  base::time_point next_gathering_at{};
  /// When the triggered checks sent so far would have been sent at the plain pace.
  base::time_point triggered_until{};
  base::time_point deadline = base::never;
  std::uint64_t dropped = 0;
};

}  // namespace asiortc::ice

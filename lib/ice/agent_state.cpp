// What the pairs amount to: the one that carries data, and the state of the agent.
#include "ice/agent_impl.hpp"
#include "ice/nomination.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace asiortc::ice {
namespace {

const char* to_text(agent_state state) {
  switch (state) {
    case agent_state::new_:
      return "new";
    case agent_state::checking:
      return "checking";
    case agent_state::connected:
      return "connected";
    case agent_state::completed:
      return "completed";
    case agent_state::disconnected:
      return "disconnected";
    case agent_state::failed:
      return "failed";
    case agent_state::closed:
      break;
  }
  return "closed";
}

}  // namespace

void agent::impl::set_state(agent_state next, base::failure reason, std::string_view why) {
  if (state == next) return;
  log(log_level::info, [&] {
    return std::string(to_text(state)) + " -> " + to_text(next) + ": " + std::string(why);
  });
  state = next;
  events.push(state_changed{next, std::move(reason)});
}

pair* agent::impl::find_active() {
  generation* const gen = active_is_previous ? previous.get() : current.get();
  return gen == nullptr ? nullptr : gen->checks.find(active);
}

void agent::impl::update_active(base::time_point now) {
  pair* best = choose_active(*current, now);
  const bool from_previous = best == nullptr && previous != nullptr;
  if (from_previous) best = choose_active(*previous, now);
  if (best == nullptr) {
    if (active != pair_id::none) {
      lost_at = now;
      ++pair_changes;
    }
    active = pair_id::none;
    active_route.reset();
    return;
  }
  lost_at.reset();
  lost_consent = false;
  if (active == best->id && active_is_previous == from_previous) return;
  const pair* const left = from_previous ? nullptr : current->checks.find(current->selected);
  if (left != nullptr && left != best && left->id == active && left->life.unheard()) {
    events.push(selected_path_lost{});
  }
  ++pair_changes;
  active = best->id;
  active_is_previous = from_previous;
  active_route = best->route;
  best->life.set_watch(now, settings, random, watch::selected);
  if (!settings.lite && !best->round_trip_time) {
    // Its check was sent again, so nobody knows which one was answered: one more measures it.
    best->life.note_sent(now, settings, random);
    send_check(from_previous ? *previous : *current, *best, check_kind::consent, now);
  }
  log(log_level::debug, [&] { return "data goes to " + best->route.remote.to_string(); });
  if (!std::exchange(was_writable, true)) events.push(writable{});
  events.push(selected_pair_changed{best->route, best->shown_local(), *best->remote});
}

bool agent::impl::is_completed() const {
  return !offered && current->selected != pair_id::none && !active_is_previous &&
         gather.complete() && current->end_of_candidates && current->held_candidates == 0 &&
         !current->checks.has_undecided();
}

void agent::impl::update_state(base::time_point now) {
  const boost::system::error_code none;
  if (const auto failure = find_failure(now)) {
    current->pending = {};
    // A restart that is abandoned leads back here, and none of their answers will come.
    for (const auto& p : current->checks.pairs()) {
      if (p->state == pair_state::in_progress) {
        current->checks.set_state(*p, pair_state::failed, "given up");
      }
    }
    previous.reset();
    return set_state(agent_state::failed, *failure, failure->detail);
  }
  const pair* const carrying = find_active();
  const bool restarting = offered || active_is_previous || !current->first_valid;
  if (carrying == nullptr) {
    const bool can_check = current->started && current->any_remote_candidate;
    if (lost_at && !restarting) {
      return set_state(agent_state::disconnected, none, "no valid pair is left");
    }
    if (can_check || state != agent_state::new_) {
      set_state(agent_state::checking, none, "checks have begun");
    }
  } else if (carrying->life.silent(now, settings)) {
    set_state(restarting ? agent_state::checking : agent_state::disconnected, none,
              "nothing comes over the selected pair");
  } else if (is_completed()) {
    set_state(agent_state::completed, none, "all is checked and a pair is selected");
  } else {
    set_state(agent_state::connected, none, "a valid pair carries data");
  }
}

std::optional<base::failure> agent::impl::find_failure(base::time_point now) const {
  if (active != pair_id::none) return std::nullopt;
  const base::failure consent_lost(make_error_code(errc::consent_expired),
                                   "no answer to consent checks");
  if (lost_at && lost_consent) return consent_lost;
  if (lost_at && now < *lost_at + settings.consent_timeout) return std::nullopt;
  if (offered || !current->started) return lost_at ? std::optional(consent_lost) : std::nullopt;
  // RFC 8863 4: not before the PAC timer has run, whatever became of the pairs.
  const base::time_point pac_end = *current->started + settings.pac_timeout;
  if (now < pac_end || current->checks.has_undecided()) return std::nullopt;
  const bool all_told =
      current->end_of_candidates && current->held_candidates == 0 && gather.complete();
  // Many applications never tell the end: then a quiet time must do.
  const base::time_point quiet_since = std::max(pac_end, current->last_remote_candidate);
  if (!all_told && now < quiet_since + settings.no_candidates_grace) return std::nullopt;
  if (!current->any_remote_candidate) {
    return base::failure(make_error_code(errc::no_remote_candidates),
                         "the other side gave no candidate");
  }
  const auto& checks = current->checks;
  if (checks.pairs().empty()) {
    return base::failure(errc::checks_failed, "no local address fits any remote candidate");
  }
  return base::failure(checks.all_refused() ? errc::turn_refused : errc::checks_failed,
                       "no candidate pair works: " + checks.describe_failures());
}

base::time_point agent::impl::failure_deadline(base::time_point now) const {
  base::time_point next = base::never;
  if (active != pair_id::none) return next;
  const auto consider = [&](base::time_point when) {
    if (when > now) next = std::min(next, when);
  };
  if (lost_at) consider(*lost_at + settings.consent_timeout);
  if (current->started) {
    const base::time_point pac_end = *current->started + settings.pac_timeout;
    consider(pac_end);
    consider(std::max(pac_end, current->last_remote_candidate) + settings.no_candidates_grace);
  }
  return next;
}

std::vector<pair_report> agent::impl::report() const {
  std::vector<pair_report> rows;
  for (const generation* const gen : {current.get(), previous.get()}) {
    if (gen == nullptr) continue;
    for (const auto& p : gen->checks.pairs()) {
      pair_report row;
      row.number = gen->number_of(static_cast<std::uint32_t>(p->id));
      row.is_of_old_generation = gen == previous.get();
      row.local = p->shown_local();
      row.remote = gen->shown_remote(*p->remote);
      row.state = p->state;
      row.valid = p->valid;
      row.nominated = p->nominated;
      row.selected = p->id == active && active_is_previous == (gen == previous.get());
      row.priority = p->priority;
      row.requests_sent = p->requests_sent;
      row.requests_repeated = p->requests_repeated;
      row.consent_requests_sent = p->consent_requests_sent;
      row.requests_received = p->requests_received;
      row.responses_sent = p->responses_sent;
      row.responses_received = p->responses_received;
      row.round_trip_time = p->round_trip_time;
      row.total_round_trip_time = p->total_round_trip_time;
      row.round_trips = p->round_trips;
      row.data_sent = p->data_sent;
      row.data_received = p->data_received;
      if (p->life.last_received() != base::time_point{}) {
        row.last_received = p->life.last_received();
      }
      row.failure = p->failure;
      rows.push_back(std::move(row));
    }
  }
  return rows;
}

}  // namespace asiortc::ice

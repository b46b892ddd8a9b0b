// What is due: retransmissions, consent, nomination, paced checks, and when to be woken next.
#include "ice/agent_impl.hpp"
#include "ice/nomination.hpp"

#include <algorithm>
#include <cassert>

namespace asiortc::ice {
namespace {

// A triggered check answers a packet that has proved itself, so it need not wait for its turn; as
// many as this may run ahead of the pace before it binds them too.
constexpr int triggered_burst = 8;

// Valid pairs kept beside the selected one. Each costs a check in 15 s.
constexpr std::size_t max_reserve = 4;

}  // namespace

void agent::impl::run(base::time_point now) {
  if (is_over()) {
    deadline = base::never;
    return;
  }
  for_each_generation([&](generation& gen) {
    retry_pending(gen, now);
    watch_pairs(gen, now);
  });
  nominate(now);
  send_paced(now);
  prune_reserve(*current, now);
  update_active(now);
  send_gathering(now);
  drop_previous(now);
  update_state(now);
  update_deadline(now);
}

void agent::impl::retry_pending(generation& gen, base::time_point now) {
  while (pending_check* const check = gen.pending.due(now)) {
    pair* const which = gen.checks.find(check->pair);
    if (check->clock.handle_timeout(now) == stun::retransmission::action::send && which) {
      check->sent_once = false;
      transmit_check(gen, *which, *check);
      continue;
    }
    const pending_check given_up = *gen.pending.take(check->id);
    if (which == nullptr) continue;
    if (given_up.kind == check_kind::nomination && gen.nominating == which->id) {
      gen.nominating = pair_id::none;
    } else if (given_up.kind == check_kind::connectivity && !which->valid) {
      gen.checks.set_state(*which, pair_state::failed, "no answer");
    }
  }
}

void agent::impl::watch_pairs(generation& gen, base::time_point now) {
  const pair* const carrying = find_active();
  const bool look_around = carrying != nullptr && carrying->life.doubtful(now);
  for (const auto& p : gen.checks.pairs()) {
    if (!p->valid) continue;
    if (p->life.expired(now)) {
      // While a restart is open, its answer may still save the session.
      lost_consent = lost_consent || &gen == &newest();
      invalidate(gen, *p, "consent expired");
      continue;
    }
    if (settings.lite) continue;  // the other side's checks are all there is
    const bool in_use = p.get() == carrying || p->id == gen.selected;
    p->life.set_watch(now, settings, random, in_use ? watch::selected : watch::reserve);
    if (look_around || now < p->confirm_until) p->life.hurry(now);
    if (!p->life.check_due(now)) continue;
    p->life.note_sent(now, settings, random);
    send_check(gen, *p, check_kind::consent, now);
  }
}

void agent::impl::nominate(base::time_point now) {
  if (as != role::controlling) return;
  pair* const chosen = choose_nomination(*current, settings, now);
  if (chosen == nullptr) return;
  current->nominating = chosen->id;
  current->checks.trigger(*chosen);
}

base::time_point agent::impl::triggered_allowed_at() const {
  return triggered_until - settings.pacing * triggered_burst;
}

void agent::impl::send_paced(base::time_point now) {
  if (!sends_checks()) return;
  while (now >= triggered_allowed_at() && send_triggered(now)) {
  }
  if (now >= next_ordinary_at) send_ordinary(now);
}

bool agent::impl::send_triggered(base::time_point now) {
  generation& gen = *current;
  pair* const next = gen.checks.take_triggered();
  if (next == nullptr) return false;
  const auto kind = next->id == gen.nominating ? check_kind::nomination : check_kind::connectivity;
  if (kind == check_kind::connectivity && next->valid) return true;
  triggered_until = std::max(triggered_until, now) + settings.pacing;
  next_ordinary_at = now + settings.pacing;
  pending_check* const running = gen.pending.find(next->id, kind);
  if (running == nullptr || running->sent_as != as) {
    gen.pending.remove_of(next->id, kind);
    send_check(gen, *next, kind, now);
    return true;
  }
  if (next->is_over_tcp()) return true;  // nothing is lost there, so it will be answered yet
  // The packet that triggered it shows that the path has just opened: begin the transaction's
  // clock anew instead of waiting for its next turn.
  running->clock = stun::retransmission(now, {settings.initial_rto});
  running->sent_once = false;
  transmit_check(gen, *next, *running);
  return true;
}

void agent::impl::send_ordinary(base::time_point now) {
  pair* const next = current->checks.next_ordinary();
  if (next == nullptr) return;
  next_ordinary_at = now + settings.pacing;
  send_check(*current, *next, check_kind::connectivity, now);
}

void agent::impl::send_gathering(base::time_point now) {
  while (const auto again = gather.next_due(now, keeps_mappings())) send(again->to, again->message);
  // RFC 8445 14.2 paces gathering and checks by one Ta. Here each has its own, so that a check
  // never waits behind a question to a server; the rate stays below two packets in Ta.
  if (now < next_gathering_at) return;
  if (const auto first = gather.start_next(now)) {
    next_gathering_at = now + settings.pacing;
    send(first->to, first->message);
  }
}

bool agent::impl::keeps_mappings() const { return active == pair_id::none; }

bool agent::impl::is_reserve(const generation& gen, const pair& which, base::time_point now) const {
  return which.valid && which.id != gen.selected && which.id != gen.nominating &&
         which.id != active && !which.life.doubtful(now);
}

bool agent::impl::has_room_for(const generation& gen, const pair& which,
                               base::time_point now) const {
  if (gen.selected == pair_id::none) return true;
  std::size_t better = 0;
  for (const auto& p : gen.checks.pairs()) {
    if (p.get() == &which) break;
    if (is_reserve(gen, *p, now)) ++better;
  }
  return better < max_reserve;
}

void agent::impl::prune_reserve(generation& gen, base::time_point now) {
  if (gen.selected == pair_id::none) return;
  std::size_t kept = 0;
  for (const auto& p : gen.checks.pairs()) {
    if (p->id == gen.selected || p->id == gen.nominating || p->id == active) continue;
    if (kept < max_reserve) {
      if (is_reserve(gen, *p, now)) ++kept;
    } else if (p->valid) {
      invalidate(gen, *p, "enough in reserve");
    } else if (p->state == pair_state::frozen || p->state == pair_state::waiting) {
      gen.checks.set_state(*p, pair_state::failed, "enough in reserve");
    }
  }
}

void agent::impl::drop_previous(base::time_point now) {
  if (!previous) return;
  const bool superseded =
      current->selected != pair_id::none && now >= current->selected_at + settings.consent_timeout;
  if (superseded || !previous->has_valid()) previous.reset();
}

void agent::impl::update_deadline(base::time_point now) {
  if (is_over()) {
    deadline = base::never;
    return;
  }
  base::time_point next = failure_deadline(now);
  const auto consider = [&next](base::time_point when) { next = std::min(next, when); };
  for_each_generation([&](generation& gen) {
    consider(gen.pending.next_deadline());
    for (const auto& p : gen.checks.pairs()) {
      if (p->valid) consider(p->life.next_deadline(now, settings));
    }
  });
  if (sends_checks() && current->checks.has_triggered()) consider(triggered_allowed_at());
  if (sends_checks() && current->checks.has_ordinary()) consider(next_ordinary_at);
  consider(gather.next_deadline(keeps_mappings()));
  if (gather.has_new_request()) consider(next_gathering_at);
  if (as == role::controlling) consider(nomination_deadline(*current, settings));
  if (previous && current->selected != pair_id::none) {
    consider(current->selected_at + settings.consent_timeout);
  }
  assert(next > now);
  deadline = next;
}

}  // namespace asiortc::ice

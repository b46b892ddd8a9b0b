#include "ice/nomination.hpp"

#include <chrono>

namespace asiortc::ice {
namespace {

using namespace std::chrono_literals;

// How long a selected pair must be quiet before the other side's choice of a worse one is taken.
constexpr base::duration quiet_after = 2500ms;

/// A relay costs more than TCP, and TCP more than UDP.
int cost_of(const pair& which) { return which.is_relayed() ? 2 : which.is_over_tcp() ? 1 : 0; }

base::duration settle_time(const pair& which, const agent_settings& settings) {
  return cost_of(which) > 0 ? settings.settle_costly : settings.settle_direct;
}

/// The best valid pair that has been heard since the doubtful one was.
pair* find_replacement(generation& gen, const pair& doubtful, base::time_point now) {
  for (const auto& p : gen.checks.pairs()) {
    if (p->valid && p->id != doubtful.id && !p->life.doubtful(now) &&
        p->life.last_received() > doubtful.life.last_received()) {
      return p.get();
    }
  }
  return nullptr;
}

/// The best valid pair, if it costs less than the one in use.
pair* find_cheaper(generation& gen, const pair& in_use, base::time_point now) {
  pair* const best = gen.checks.best_valid();
  const bool cheaper = best != nullptr && cost_of(*best) < cost_of(in_use);
  return cheaper && !best->life.doubtful(now) ? best : nullptr;
}

}  // namespace

pair* choose_nomination(generation& gen, const agent_settings& settings, base::time_point now) {
  const pair* const in_use =
      gen.checks.find(gen.nominating != pair_id::none ? gen.nominating : gen.selected);
  if (in_use != nullptr) {
    return in_use->life.doubtful(now) ? find_replacement(gen, *in_use, now)
                                      : find_cheaper(gen, *in_use, now);
  }
  pair* const best = gen.checks.best_valid();
  if (best == nullptr || !gen.first_valid) return nullptr;
  const bool decided =
      best->is_relayed() ? !gen.checks.has_undecided() : !gen.checks.has_undecided_above(*best);
  return decided || now >= *gen.first_valid + settle_time(*best, settings) ? best : nullptr;
}

base::time_point nomination_deadline(const generation& gen, const agent_settings& settings) {
  const bool chosen = gen.nominating != pair_id::none || gen.selected != pair_id::none;
  const pair* const best = gen.checks.best_valid();
  if (chosen || best == nullptr || !gen.first_valid) return base::never;
  return *gen.first_valid + settle_time(*best, settings);
}

bool accept_nomination(const pair& nominated, const pair* selected, base::time_point now) {
  return selected == nullptr || nominated.priority >= selected->priority ||
         now >= selected->life.last_received() + quiet_after;
}

pair* choose_active(generation& gen, base::time_point now) {
  pair* const selected = gen.checks.find(gen.selected);
  pair* const preferred = selected != nullptr ? selected : gen.checks.best_valid();
  if (preferred == nullptr || !preferred->life.doubtful(now)) return preferred;
  pair* const replacement = find_replacement(gen, *preferred, now);
  return replacement != nullptr ? replacement : preferred;
}

}  // namespace asiortc::ice

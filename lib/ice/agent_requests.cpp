// The other side's checks: answered, believed and followed by our own (RFC 8445 7.3).
#include "ice/agent_impl.hpp"
#include "ice/nomination.hpp"

#include <algorithm>
#include <utility>

namespace asiortc::ice {
namespace {

// Checks that came before the remote credentials; more would be a flood.
constexpr std::size_t max_early_checks = 32;

/// Each request that we believe is answered.
void note_exchange(pair& which, std::uint64_t requests) {
  which.requests_received += requests;
  which.responses_sent += requests;
}

}  // namespace

void agent::impl::handle_request(base::time_point now, const stun::message_view& message,
                                 const base::route& from) {
  const auto user = read_user_name(message);
  generation* const gen = user ? find_generation(user->receiver) : nullptr;
  if (gen == nullptr) return drop("a request for another user");
  const local_base* const local = gather.find(from.local);
  if (local == nullptr || !may_use(*gen, *local))
    return drop("a request to a socket that is not used");
  if (!message.verify_integrity(base::as_bytes(gen->local.password))) {
    return drop("a request with a wrong integrity");
  }
  if (const auto unknown = message.unknown_required(); unknown.count > 0) {
    return send(from, build_unknown_attribute(message, unknown, gen->local));
  }
  const auto check = read_check(message);
  if (!check) {
    return send(from, build_error(message, stun::error_bad_request, "Bad Request", gen->local));
  }
  if (gen == &newest() && loses_role_conflict(*check)) {
    if (pair* const known = gen->checks.find(from)) note_exchange(*known, 1);
    return send(from, build_error(message, stun::error_role_conflict, "Role Conflict", gen->local));
  }
  send(from, build_success(message, from.remote, gen->local));
  early_check learnt;
  learnt.from = from;
  learnt.priority = check->priority;
  learnt.use_candidate = check->use_candidate;
  learnt.remote_ufrag = user->sender;
  learn_from_check(*gen, now, learnt);
}

/// True if the sender is to change its role; if we are to, it is done (RFC 8445 7.3.1.1).
bool agent::impl::loses_role_conflict(const check_view& check) {
  if (check.sender_role != as) return false;
  const bool we_control = tie_breaker >= check.tie_breaker;
  const bool we_should_stay = we_control == (as == role::controlling);
  if (we_should_stay) return true;
  switch_role(we_control ? role::controlling : role::controlled, "role conflict in a request");
  return false;
}

void agent::impl::switch_role(role to, const char* reason) {
  log(log_level::debug, [&] {
    return std::string(to == role::controlling ? "now controlling: " : "now controlled: ") + reason;
  });
  as = to;
  for_each_generation([&](generation& gen) {
    gen.nominating = pair_id::none;
    gen.checks.update_priorities(as);
  });
}

void agent::impl::remember_early(generation& gen, early_check check) {
  for (auto& known : gen.early) {
    if (known.from != check.from || known.remote_ufrag != check.remote_ufrag) continue;
    known.use_candidate = known.use_candidate || check.use_candidate;
    ++known.requests;
    return;
  }
  if (gen.early.size() < max_early_checks) gen.early.push_back(std::move(check));
}

void agent::impl::replay_early(generation& gen, base::time_point now) {
  for (const auto& check : std::exchange(gen.early, {})) learn_from_check(gen, now, check);
}

void agent::impl::learn_from_check(generation& gen, base::time_point now,
                                   const early_check& check) {
  if (!gen.remote) return remember_early(gen, check);
  const local_base* const local = gather.find(check.from.local);
  // Our password proves that the sender saw our description; the other half of the user name says
  // whether it is the one whose description we have.
  if (local == nullptr || check.remote_ufrag != gen.remote->ufrag) return;
  const bool is_new = gen.remotes.find(check.from.remote, local->own->protocol) == nullptr;
  const auto remote = gen.remotes.learn(check.from.remote, check.priority, *local->own);
  if (remote == nullptr) return;
  gen.any_remote_candidate = true;
  if (is_new) gen.last_remote_candidate = now;
  pair* const which = gen.checks.add(*local, remote, as);
  if (which == nullptr) return;
  const bool is_first = which->requests_received == 0;
  note_exchange(*which, check.requests);
  which->life.note_received(now);
  if (settings.lite) return follow_as_lite(gen, *which, check.use_candidate, now);
  if (&gen != current.get()) return;
  // It has our description only since a moment. A nomination from before may be lost although it
  // was answered: Firefox keeps the first check alone of those that outran our answer.
  if (is_first && as == role::controlling && which->id == gen.selected) which->life.hurry(now);
  if (check.use_candidate && as == role::controlled) {
    which->nominate_when_valid = !which->valid;
    if (which->valid && accept_nomination(*which, gen.checks.find(gen.selected), now)) {
      select(gen, *which, now);
    }
  }
  // A check of a pair that is not kept would be answered by a check, and so on for ever, if the
  // other side does not keep it either.
  if (which->nominate_when_valid || has_room_for(gen, *which, now)) trigger_check(gen, *which);
}

/// RFC 8445 7.3.2: a lite agent takes the pair of a check with USE-CANDIDATE as valid. Each check
/// is the other side's word that it goes on, so it counts as consent.
void agent::impl::follow_as_lite(generation& gen, pair& which, bool nominated,
                                 base::time_point now) {
  if (which.valid) {
    which.life.note_answer(now, settings, random);
  } else if (nominated) {
    accept_as_valid(gen, which, "nominated by the full agent", now);
  } else {
    gen.checks.set_state(which, pair_state::succeeded, "checked by the full agent");
  }
  if (nominated && &gen == current.get() &&
      accept_nomination(which, gen.checks.find(gen.selected), now)) {
    select(gen, which, now);
  }
}

void agent::impl::trigger_check(generation& gen, pair& which) {
  if (which.valid) return;
  // RFC 8445 7.3.1.4: also a pair that Failed gets another chance.
  if (which.state != pair_state::in_progress) {
    gen.checks.set_state(which, pair_state::waiting, "triggered");
  }
  gen.checks.trigger(which);
}

}  // namespace asiortc::ice

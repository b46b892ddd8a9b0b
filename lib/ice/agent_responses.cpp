// Answers to our checks (RFC 8445 7.2.5).
#include "ice/agent_impl.hpp"
#include "ice/nomination.hpp"

#include <string>
#include <utility>

namespace asiortc::ice {

void agent::impl::handle_answer(base::time_point now, const stun::message_view& message,
                                const base::route& from) {
  if (gather.handle_answer(now, message, from)) return;
  for (generation* const gen : {current.get(), previous.get()}) {
    if (gen != nullptr && gen->pending.find(message.transaction()) != nullptr) {
      return handle_check_answer(*gen, now, message, from);
    }
  }
  drop("an answer to nothing that was asked");
}

void agent::impl::handle_check_answer(generation& gen, base::time_point now,
                                      const stun::message_view& message, const base::route& from) {
  // An error without a valid integrity may come from anybody, or from a peer that has not got our
  // description yet: going on asking is right for both.
  if (!message.verify_integrity(base::as_bytes(gen.remote->password))) {
    return drop("an answer with a wrong integrity");
  }
  const auto mapped = message.mapped_address();
  const auto error = message.error();
  const bool is_success = message.kind() == stun::message_class::success;
  if (message.unknown_required().count > 0 || !(is_success ? mapped.has_value() : !!error)) {
    return drop("an answer that lacks what it must have");
  }
  const pending_check check = *gen.pending.take(message.transaction());
  pair* const which = gen.checks.find(check.pair);
  if (which == nullptr) return;
  // RFC 8445 7.2.5.2.1: "the agent MUST set the candidate pair state to Failed" unless the answer
  // comes from where the request went and to where it was sent from.
  if (from != which->route) {
    if (!which->valid) gen.checks.set_state(*which, pair_state::failed, "asymmetric answer");
    return drop("an answer from another address");
  }
  ++which->responses_received;
  if (check.sent_once) {
    which->round_trip_time = now - check.sent_at;
    which->total_round_trip_time += *which->round_trip_time;
    ++which->round_trips;
  }
  if (is_success) {
    handle_check_success(gen, *which, check, now, *mapped);
  } else {
    handle_check_error(gen, *which, check, error->code);
  }
}

void agent::impl::handle_check_success(generation& gen, pair& which, const pending_check& check,
                                       base::time_point now, const base::endpoint& mapped) {
  note_mapped_address(which, mapped);
  if (which.valid) {
    which.life.note_answer(now, settings, random);
  } else {
    accept_as_valid(gen, which, "answered", now);
    gen.pending.remove_of(which.id, check_kind::connectivity);
    gen.checks.unfreeze_like(which);
  }
  const bool told = as == role::controlled && std::exchange(which.nominate_when_valid, false) &&
                    accept_nomination(which, gen.checks.find(gen.selected), now);
  const bool agreed =
      as == role::controlling && check.kind == check_kind::nomination && gen.nominating == which.id;
  if (told || agreed) select(gen, which, now);
}

void agent::impl::accept_as_valid(generation& gen, pair& which, std::string_view reason,
                                  base::time_point now) {
  if (!gen.has_valid()) gen.first_valid = now;
  which.valid = true;
  which.life.start(now, settings, random, watch::reserve);
  gen.checks.set_state(which, pair_state::succeeded, reason);
}

void agent::impl::handle_check_error(generation& gen, pair& which, const pending_check& check,
                                     std::uint16_t code) {
  if (code == stun::error_role_conflict && !remote_lite) {
    // RFC 8445 7.2.5.1: switch "if the agent's role is still the one in the request", then "the
    // agent MUST change the tie-breaker value" and queue the pair.
    if (check.sent_as == as) {
      switch_role(as == role::controlling ? role::controlled : role::controlling,
                  "role conflict in an answer");
      tie_breaker = random.u64();
    }
    return trigger_check(gen, which);
  }
  if (check.kind == check_kind::nomination) {
    invalidate(gen, which, "nomination refused with " + std::to_string(code));
  } else if (!which.valid) {
    gen.checks.set_state(which, pair_state::failed, "refused with " + std::to_string(code));
  }
}

void agent::impl::note_mapped_address(pair& which, const base::endpoint& mapped) {
  if (mapped == which.local->address) return which.reflexive.reset();
  if (which.reflexive && which.reflexive->address == mapped) return;
  which.reflexive = gather.find_candidate(which.route.local, mapped);
  if (which.reflexive) return;
  // RFC 8445 7.2.5.3.1: an address that no candidate has is a peer-reflexive candidate.
  candidate learnt;
  // So is the port that the kernel chose for a connection (RFC 6544 4.5 tells 9 in its place).
  learnt.type = candidate_type::peer_reflexive;
  learnt.protocol = which.local->protocol;
  learnt.tcp = which.local->tcp;
  learnt.address = mapped;
  learnt.related = which.local->address;
  learnt.ufrag = which.local->ufrag;
  learnt.number = gather.next_number();
  learnt.priority = which.reflexive_priority();
  learnt.foundation =
      gather.foundation(learnt.type, learnt.protocol, which.local->address.address, {});
  which.reflexive = std::make_shared<const candidate>(std::move(learnt));
}

}  // namespace asiortc::ice

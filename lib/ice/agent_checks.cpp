// Our own requests, and what becomes of the pairs they were sent on.
#include "ice/agent_impl.hpp"

namespace asiortc::ice {
namespace {

// A consent check is sent once (RFC 7675 5.1); its answer counts for ten seconds.
constexpr int consent_wait = 20;

// RFC 8489 6.2.2: over TCP a request is sent once, and given up after Ti, 39.5 s.
constexpr int tcp_wait = 79;

// A controlled browser leaves its pair for a worse one only when it was quiet for 2.5 s.
constexpr base::duration confirmation_time = std::chrono::seconds(5);

}  // namespace

void agent::impl::send(const base::route& to, base::byte_span message) {
  outbox.set_route(to, base::traffic_class::control);
  outbox.append(message);
}

void agent::impl::send_check(generation& gen, pair& which, check_kind kind, base::time_point now) {
  pending_check check;
  check.id = make_transaction_id(random);
  check.pair = which.id;
  check.kind = kind;
  check.sent_as = as;
  check.sent_at = now;
  // RFC 8445 14.3 lets the RTO grow with the number of pairs, to Ta times that number: a hundred
  // pairs would take 395 s to fail. Seven requests of a hundred pairs in 39.5 s stay below one in
  // Ta.
  stun::retransmission_settings clock{settings.initial_rto};
  if (which.is_over_tcp()) clock = {settings.initial_rto, 1, tcp_wait};
  if (kind == check_kind::consent) clock = {settings.initial_rto, 1, consent_wait};
  check.clock = stun::retransmission(now, clock);
  if (!gen.pending.add(check)) {
    if (!which.valid) gen.checks.set_state(which, pair_state::failed, "too many checks at once");
    return;
  }
  if (!which.valid) gen.checks.set_state(which, pair_state::in_progress, "check sent");
  transmit_check(gen, which, check);
}

void agent::impl::transmit_check(generation& gen, pair& which, const pending_check& check) {
  check_request request;
  request.id = check.id;
  request.priority = which.reflexive_priority();
  request.as = check.sent_as;
  request.tie_breaker = tie_breaker;
  // Repeated with each check of the selected pair: the other side may have held on to the pair that
  // was selected before, until that has been quiet for a while.
  request.use_candidate = check.kind == check_kind::nomination ||
                          (check.sent_as == role::controlling && which.id == gen.selected);
  ++which.requests_sent;
  if (!check.sent_once) ++which.requests_repeated;
  if (check.kind == check_kind::consent) ++which.consent_requests_sent;
  send(which.route, build_check(request, gen.local, *gen.remote));
}

void agent::impl::select(generation& gen, pair& which, base::time_point now) {
  which.nominated = true;
  gen.nominating = pair_id::none;
  if (gen.selected == which.id) return;
  log(log_level::debug, [&] { return "nominated: " + which.route.remote.to_string(); });
  if (gen.selected_at != base::never) which.confirm_until = now + confirmation_time;
  gen.selected = which.id;
  gen.selected_at = now;
}

void agent::impl::invalidate(generation& gen, pair& which, std::string_view reason) {
  which.valid = false;
  which.nominated = false;
  which.reflexive.reset();
  gen.pending.remove_of(which.id);
  gen.checks.set_state(which, pair_state::failed, reason);
  if (gen.nominating == which.id) gen.nominating = pair_id::none;
  if (gen.selected == which.id) gen.selected = pair_id::none;
}

}  // namespace asiortc::ice

// Credentials, candidates and sockets: what the owner tells.
#include "ice/agent_impl.hpp"

#include <utility>

namespace asiortc::ice {

void agent::impl::restart(base::time_point now) {
  offered = make_generation();
  gather.restart(offered->local.ufrag);
  // Who lost its last pair and is not answered either has nobody to talk to.
  if (lost_at) lost_at = now;
  lost_consent = false;
  // webrtc-pc 5.6.3: begun in completed, a restart leads to connected, and from where connectivity
  // was lost to checking.
  if (state == agent_state::completed) {
    set_state(agent_state::connected, boost::system::error_code{}, "restart");
  } else if (state == agent_state::disconnected || state == agent_state::failed) {
    set_state(agent_state::checking, boost::system::error_code{}, "restart");
  }
}

void agent::impl::abandon_restart() {
  offered.reset();
  settings.relay_only = current->relay_only;
  gather.undo_restart();
}

void agent::impl::carry_out_restart() {
  // The old pair carries data on (RFC 8445 9: "continue to send ... using the previously selected
  // pair"). If a restart follows a restart, keep the generation that works.
  if (current->has_valid() || !previous) {
    active_is_previous = active != pair_id::none;
    previous = std::move(current);
  }
  if (!previous->has_valid()) {
    previous.reset();
    if (active != pair_id::none) ++pair_changes;
    active = pair_id::none;
    active_route.reset();
  }
  current = std::move(offered);
  gather.keep_restart();
}

void agent::impl::set_remote_credentials(base::time_point now, credentials remote) {
  if (!offered && current->remote == remote) return;
  if (!offered && current->remote) restart(now);
  if (offered) carry_out_restart();
  current->remote = std::move(remote);
  current->started = now;
  replay_early(*current, now);
}

base::result<void> agent::impl::add_remote_candidate(base::time_point now,
                                                     const candidate& remote) {
  if (current->remote && !remote.ufrag.empty() && remote.ufrag != current->remote->ufrag) {
    return base::failure(make_error_code(errc::operation_error),
                         "remote candidate: ufrag " + remote.ufrag + " names another generation");
  }
  const auto changed = current->remotes.add(remote);
  if (!changed) return changed.error();
  current->any_remote_candidate = true;
  current->last_remote_candidate = now;
  if (*changed == remote_candidates::change::merged) current->checks.update_priorities(as);
  // One that a check made known was paired only with the socket to which the check came.
  if (*changed != remote_candidates::change::none) {
    const base::endpoint address{remote.address.address.unmapped(), remote.address.port};
    make_pairs(*current, current->remotes.find(address, remote.protocol));
  }
  return {};
}

bool agent::impl::may_use(const generation& gen, const local_base& local) const {
  if (gen.relay_only && local.own->type != candidate_type::relayed) return false;
  // One that is retired has its candidate from the last generation that knows it.
  return !local.retired || &gen != &newest() || local.own->ufrag == gen.local.ufrag;
}

void agent::impl::make_pairs(generation& gen, const std::shared_ptr<const candidate>& remote) {
  if (settings.lite) return;  // only the other side's checks make pairs
  for (const auto& local : gather.bases()) {
    if (may_use(gen, local) && can_pair(*local.own, *remote)) gen.checks.add(local, remote, as);
  }
}

void agent::impl::make_pairs(generation& gen, const local_base& local) {
  if (settings.lite) return;
  for (const auto& remote : gen.remotes.all()) {
    if (may_use(gen, local) && can_pair(*local.own, *remote)) gen.checks.add(local, remote, as);
  }
}

void agent::impl::remove_socket(base::socket_id id) {
  gather.remove_socket(id);
  for_each_generation([&](generation& gen) {
    for (const auto& p : gen.checks.pairs()) {
      if (p->route.local == id) invalidate(gen, *p, "its socket is gone");
    }
    gen.checks.remove_socket(id);
  });
}

void agent::impl::handle_send_error(const base::route& route) {
  gather.handle_send_error(route);
  fail_check(route, "not reachable");
}

pair* agent::impl::fail_check(const base::route& route, const std::string& why) {
  pair* const which = current->checks.find(route);
  // A valid pair has consent to say whether it works; an ICMP message is anybody's word.
  if (which == nullptr || which->state != pair_state::in_progress) return nullptr;
  current->pending.remove_of(which->id);
  current->checks.set_state(*which, pair_state::failed, why);
  return which;
}

void agent::impl::lose_connection(const base::route& route) {
  const pair* const carrying = find_active();
  for_each_generation([&](generation& gen) {
    std::erase_if(gen.early, [&](const early_check& check) { return check.from == route; });
    pair* const which = gen.checks.find(route);
    if (which == nullptr) return;
    const bool in_use = which == carrying || which->id == gen.selected;
    invalidate(gen, *which, "its connection is gone");
    if (which->local->tcp == tcp_type::passive) {
      // Who opened it comes back from another port, if at all.
      gen.checks.remove(which->id);
      gen.remotes.forget(route.remote);
    } else if (in_use && &gen == current.get()) {
      trigger_check(gen, *which);
    }
  });
}

}  // namespace asiortc::ice

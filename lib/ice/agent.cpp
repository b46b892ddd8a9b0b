#include "ice/agent.hpp"

#include "ice/agent_impl.hpp"
#include "stun/message_view.hpp"

#include <algorithm>
#include <utility>

namespace asiortc::ice {
namespace {

// RFC 8839 5.4 asks for at least 24 bits in the fragment and 128 in the password, at 6 a character.
constexpr std::size_t ufrag_size = 8;
constexpr std::size_t password_size = 24;
constexpr int max_ufrag_attempts = 16;

}  // namespace

agent::impl::impl(agent_settings wanted, base::random_source& source, base::logger logger)
    : settings(wanted),
      random(source),
      log(std::move(logger)),
      gather(settings, source, events, log),
      tie_breaker(source.u64()),
      current(make_generation()) {
  gather.restart(current->local.ufrag);
  gather.keep_restart();
}

credentials agent::impl::make_credentials() {
  credentials made{random.ice_chars(ufrag_size), random.ice_chars(password_size)};
  // A registry that is at its end takes none, and then it does not matter.
  for (int i = 0; i < max_ufrag_attempts && settings.ufrags && !settings.ufrags->add(made.ufrag);
       ++i) {
    made.ufrag = random.ice_chars(ufrag_size);
  }
  return made;
}

std::unique_ptr<generation> agent::impl::make_generation() {
  return std::make_unique<generation>(settings, ++generations, make_credentials(), log);
}

generation* agent::impl::find_generation(std::string_view ufrag) {
  if (current->local.ufrag == ufrag) return current.get();
  if (previous && previous->local.ufrag == ufrag) return previous.get();
  if (offered && offered->local.ufrag == ufrag) return offered.get();
  return nullptr;
}

void agent::impl::drop(const char* why) {
  ++dropped;
  log(log_level::trace, [&] { return std::string("dropped a datagram: ") + why; });
}

void agent::impl::note_received(base::time_point now, const base::route& route) {
  for_each_generation([&](generation& gen) {
    if (pair* const which = gen.checks.find(route)) which->life.note_received(now);
  });
}

agent::agent(agent_settings settings, base::random_source& random, base::logger log)
    : impl_(std::make_unique<impl>(settings, random, std::move(log))) {}
agent::~agent() = default;
agent::agent(agent&&) noexcept = default;
agent& agent::operator=(agent&&) noexcept = default;

void agent::set_role(role role) {
  // RFC 8445 6.1.1: "The lite agent ... MUST take the controlled role".
  if (impl_->settings.lite) role = role::controlled;
  if (impl_->as != role) impl_->switch_role(role, "told so");
}

role agent::current_role() const { return impl_->as; }

void agent::set_remote_lite(bool lite) {
  impl_->remote_lite = lite;
  // RFC 8445 6.1.1: the full agent of a full and a lite one "MUST take the controlling role".
  if (lite) set_role(role::controlling);
}

const credentials& agent::local_credentials() const { return impl_->newest().local; }

void agent::restart(base::time_point now) {
  if (impl_->state == agent_state::closed) return;
  // RFC 8445 6.1.1 keeps the roles, but libwebrtc is controlled from the answer to a restart on.
  // Were it told to control again, it would hold on to its pair; we know that a new one is needed.
  if (impl_->as == role::controlled) impl_->tie_breaker = UINT64_MAX;
  impl_->restart(now);
  impl_->run(now);
}

void agent::abandon_restart(base::time_point now) {
  if (impl_->state == agent_state::closed || !impl_->offered) return;
  impl_->abandon_restart();
  impl_->run(now);
}

bool agent::is_restarting() const { return impl_->offered != nullptr; }

void agent::set_remote_credentials(base::time_point now, credentials remote) {
  if (impl_->state == agent_state::closed) return;
  impl_->set_remote_credentials(now, std::move(remote));
  impl_->run(now);
}

std::optional<credentials> agent::remote_credentials() const { return impl_->current->remote; }

void agent::add_local_socket(base::time_point now, const local_socket& socket) {
  if (impl_->state == agent_state::closed || !impl_->gather.add_socket(socket)) return;
  impl_->make_pairs(*impl_->current, *impl_->gather.find(socket.id));
  impl_->run(now);
}

void agent::add_relayed_socket(base::time_point now, const relayed_socket& socket) {
  if (impl_->state == agent_state::closed || !impl_->gather.add_relayed(socket)) return;
  impl_->make_pairs(*impl_->current, *impl_->gather.find(socket.id));
  impl_->run(now);
}

void agent::add_reflexive_address(base::time_point now, base::socket_id id,
                                  const base::endpoint& mapped, const stun_server& server) {
  if (impl_->state == agent_state::closed) return;
  impl_->gather.add_reflexive(id, mapped, server);
  impl_->run(now);
}

void agent::remove_local_socket(base::time_point now, base::socket_id id) {
  if (impl_->state == agent_state::closed) return;
  const bool carried = impl_->active_route && impl_->active_route->local == id;
  impl_->remove_socket(id);
  impl_->run(now);
  if (carried) impl_->events.push(selected_path_lost{});
}

void agent::add_stun_server(base::time_point now, stun_server server) {
  if (impl_->state == agent_state::closed) return;
  impl_->gather.add_server(std::move(server));
  impl_->run(now);
}

void agent::set_relay_only(bool relay_only) {
  impl_->settings.relay_only = relay_only;
  if (impl_->gather.bases().empty()) impl_->current->relay_only = relay_only;
}

void agent::forget_stun_servers() { impl_->gather.forget_servers(); }

void agent::set_retired(base::time_point now, base::socket_id id, bool retired) {
  if (impl_->state == agent_state::closed || !impl_->gather.set_retired(id, retired)) return;
  impl_->make_pairs(*impl_->current, *impl_->gather.find(id));
  impl_->run(now);
}

bool agent::uses_socket(base::socket_id id) const {
  bool used = false;
  impl_->for_each_generation([&](const generation& gen) {
    const auto& pairs = gen.checks.pairs();
    used = used || std::any_of(pairs.begin(), pairs.end(),
                               [id](const auto& each) { return each->route.local == id; });
  });
  return used;
}

void agent::hold_gathering() { impl_->gather.hold(); }

void agent::release_gathering(base::time_point now) {
  if (impl_->state == agent_state::closed) return;
  impl_->gather.release();
  impl_->run(now);
}

void agent::finish_gathering(base::time_point now) {
  if (impl_->state == agent_state::closed) return;
  impl_->gather.finish();
  impl_->run(now);
}

base::result<void> agent::add_remote_candidate(base::time_point now, const candidate& remote) {
  if (impl_->state == agent_state::closed) return base::failure(errc::invalid_state);
  auto added = impl_->add_remote_candidate(now, remote);
  impl_->run(now);
  return added;
}

void agent::hold_remote_candidate(base::time_point now) {
  ++impl_->current->held_candidates;
  impl_->run(now);
}

void agent::release_remote_candidate(base::time_point now) {
  int& held = impl_->current->held_candidates;
  // A restart in between has taken the hold with it.
  if (held > 0) --held;
  impl_->run(now);
}

void agent::end_of_remote_candidates(base::time_point now) {
  impl_->current->end_of_candidates = true;
  impl_->run(now);
}

void agent::handle_datagram(base::time_point now, const base::datagram& datagram) {
  if (impl_->is_over()) return;
  const auto message = stun::message_view::parse(datagram.bytes);
  if (!message || message->method() != stun::method::binding) {
    return impl_->drop("not a binding message");
  }
  switch (message->kind()) {
    case stun::message_class::request:
      impl_->handle_request(now, *message, datagram.from);
      break;
    case stun::message_class::success:
    case stun::message_class::error:
      impl_->handle_answer(now, *message, datagram.from);
      break;
    case stun::message_class::indication:
      impl_->note_received(now, datagram.from);
      break;
  }
  impl_->run(now);
}

void agent::handle_timeout(base::time_point now) { impl_->run(now); }

base::time_point agent::next_deadline() const { return impl_->deadline; }

void agent::poll_transmit(base::packet_batch& out) {
  for (const auto& packet : impl_->outbox.entries()) {
    out.set_route(packet.to, packet.kind);
    out.append(impl_->outbox.view(packet));
  }
  impl_->outbox.release();
}

std::optional<event> agent::poll_event() { return impl_->events.pop(); }

void agent::close() {
  if (impl_->state == agent_state::closed) return;
  impl_->set_state(agent_state::closed, boost::system::error_code{}, "closed by the owner");
  impl_->events.clear();
  impl_->outbox.release();
  impl_->active_route.reset();
  impl_->deadline = base::never;
}

std::optional<base::route> agent::data_route() const { return impl_->active_route; }

bool agent::is_known_route(const base::route& route) const {
  if (impl_->active_route == route) return true;
  bool known = false;
  impl_->for_each_generation([&](generation& gen) {
    const pair* const which = gen.checks.find(route);
    known = known || (which != nullptr && which->valid) ||
            gen.remotes.find(route.remote, impl_->gather.protocol_of(route.local));
  });
  return known;
}

void agent::note_data_received(base::time_point now, const base::route& route) {
  // The common case first: this is called for each packet of data.
  pair* const active = impl_->active_route == route ? impl_->find_active() : nullptr;
  if (active != nullptr) return active->life.note_received(now);
  impl_->note_received(now, route);
}

void agent::note_traffic(const base::route& route, const traffic& sent, const traffic& received) {
  pair* which = impl_->active_route == route ? impl_->find_active() : nullptr;
  if (which == nullptr) which = impl_->current->checks.find(route);
  if (which == nullptr && impl_->previous) which = impl_->previous->checks.find(route);
  if (which == nullptr) return;
  which->data_sent += sent;
  which->data_received += received;
}

void agent::note_data_sent(base::time_point now) {
  pair* const active = impl_->settings.lite ? nullptr : impl_->find_active();
  if (active == nullptr || !active->life.note_data_sent(now)) return;
  impl_->deadline = std::min(impl_->deadline, now + consent::patience);
}

void agent::handle_send_error(base::time_point now, const base::route& route) {
  if (impl_->is_over()) return;
  impl_->handle_send_error(route);
  impl_->run(now);
}

void agent::handle_refusal(base::time_point now, const base::route& route, const std::string& why) {
  if (impl_->is_over()) return;
  if (pair* const failed = impl_->fail_check(route, why)) failed->refused = true;
  impl_->run(now);
}

void agent::handle_connection_lost(base::time_point now, const base::route& route) {
  if (impl_->is_over()) return;
  impl_->lose_connection(route);
  impl_->run(now);
}

bool agent::uses_connection(const base::route& route) const {
  if (impl_->is_over()) return false;
  bool used = false;
  impl_->for_each_generation([&](generation& gen) {
    const pair* const which = gen.checks.find(route);
    used = used || (which != nullptr && which->state != pair_state::failed) ||
           std::any_of(gen.early.begin(), gen.early.end(),
                       [&](const early_check& check) { return check.from == route; });
  });
  return used;
}

agent_state agent::state() const { return impl_->state; }

std::vector<pair_report> agent::pairs() const { return impl_->report(); }

std::vector<candidate> agent::local_candidates() const { return impl_->gather.candidates(); }

std::vector<candidate> agent::remote_candidates() const {
  std::vector<candidate> found;
  for (const auto& each : impl_->current->remotes.all()) {
    found.push_back(impl_->current->shown_remote(*each));
  }
  return found;
}

std::uint64_t agent::selected_pair_changes() const { return impl_->pair_changes; }

std::uint64_t agent::dropped_datagrams() const { return impl_->dropped; }

}  // namespace asiortc::ice

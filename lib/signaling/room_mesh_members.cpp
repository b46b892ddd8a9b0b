// How a room mesh meets the members of its room, again and again.
#include "signaling/room_mesh_state.hpp"

#include <asiortc/error.hpp>

#include <algorithm>

namespace asiortc::inline ASIORTC_ABI::detail {
namespace {

/// For the connection of a peer that left to end by itself, after all that was said over it.
constexpr std::chrono::seconds time_to_leave(5);

/// Before a certificate of ours ends; connections that are made outlive that.
constexpr std::chrono::hours renewal(24);

}  // namespace

void room_mesh_state::meet(const signaling_peer& peer) {
  if (phase_ != phase::in_room) return;
  if (members_.contains(peer.id)) return;  // it was in the list, and its coming is told late
  const auto member =
      std::make_shared<signaling::room_member>(strand_, peer, client_->pipe_to(peer.id));
  member->delay = options_.retry_min;
  members_.emplace(peer.id, member);
  publish_members();
  renew_relay(member);
  begin(member);
  read_pipe(member);
}

void room_mesh_state::went_away(const signaling_event& event) {
  const auto found = members_.find(event.peer.id);
  if (found == members_.end()) return;
  const member_ptr member = found->second;
  members_.erase(found);
  publish_members();
  forget(member);
  const bool connected = is_connected(event.peer.id);
  if (!connected || event.reason == leave_reason::kicked) return remove_peer(event.peer.id);
  if (event.reason != leave_reason::left) return;  // its connection may outlive its socket
  leaving_.push_back(member);
  member->timer.expires_after(time_to_leave);
  member->timer.async_wait([self = self(), member](error_code) {
    if (std::erase(self->leaving_, member) != 0) self->remove_peer(member->peer.id);
  });
}

/// The connection stays.
void room_mesh_state::forget(const member_ptr& member) {
  member->present = false;
  member->session.reset();
  member->timer.cancel();
}

bool room_mesh_state::is_current(const member_ptr& member) const {
  return member->present && phase_ == phase::in_room;
}

bool room_mesh_state::is_connected(mesh_id id) const {
  const auto peer = net.get_peer(id);
  return peer && peer->connected;
}

void room_mesh_state::remove_peer(mesh_id id) {
  try {
    if (net.has_peer(id)) net.remove_peer(id);
  } catch (const error&) {
    // It went by itself meanwhile.
  }
}

asiortc::configuration room_mesh_state::connection_settings() {
  asiortc::configuration settings = options_.configuration;
  if (settings.certificates.empty()) {
    const auto now = std::chrono::system_clock::now();
    if (!certificate_ || certificate_->expires() < now + renewal) {
      certificate_ = certificate::generate(certificate_options(now));
    }
    settings.certificates.push_back(*certificate_);
  }
  if (!options_.use_room_ice_servers) return settings;
  for (const auto& server : client_->ice_servers()) {
    try {
      check_ice_server(server);
      settings.ice_servers.push_back(server);
    } catch (const error&) {
      // The room's word is no reason to have no connection at all.
    }
  }
  return settings;
}

void room_mesh_state::renew_relay(const member_ptr& member) {
  member->relay = std::make_shared<signaling::relay_pipe>(executor_, member->pipe);
}

// Negotiated is only what has a place in the mesh; without one the relay keeps what was said.
void room_mesh_state::begin(const member_ptr& member) {
  const mesh_id id = member->peer.id;
  remove_peer(id);
  member->session.reset();
  member->begun = std::chrono::steady_clock::now();
  try {
    net.add_peer(peer_connection(executor_, connection_settings()), id,
                 options_.unreliable_lifetime);
    const auto added = net.get_peer(id);
    if (!added) return;  // the mesh was closed, or will tell why the peer is gone
    member->session.emplace(negotiate(*added->connection, member->relay));
    // A member that says nothing, or an offer that was lost, would leave both waiting for ever.
    const auto& times = options_.configuration.timeouts;
    arm(member, times.ice_failed + times.dtls_handshake);
  } catch (const error& refused) {
    member->session.reset();
    tell(mesh_event(mesh_event_kind::peer_failed, id, refused.code()));
    begin_later(member);
  }
}

void room_mesh_state::begin_later(const member_ptr& member) {
  if (!is_current(member) || member->deaf || member->held) return;
  arm(member, member->delay);
  member->delay = std::min(member->delay * 2, options_.retry_max);
}

void room_mesh_state::arm(const member_ptr& member, std::chrono::milliseconds time) {
  member->timer.expires_after(time);
  member->timer.async_wait([self = self(), member](error_code cancelled) {
    if (cancelled || !self->is_current(member)) return;
    const bool set_anew = member->timer.expiry() > std::chrono::steady_clock::now();
    if (!set_anew) self->on_timer(member);
  });
}

void room_mesh_state::on_timer(const member_ptr& member) {
  if (auto offer = std::exchange(member->held, std::nullopt)) {
    renew_relay(member);
    member->relay->push(std::move(*offer));
    begin(member);
    return read_pipe(member);
  }
  const mesh_id id = member->peer.id;
  if (is_connected(id)) return;
  if (net.has_peer(id)) {
    tell(mesh_event(mesh_event_kind::peer_failed, id, boost::asio::error::timed_out));
    if (!is_current(member)) return;
  }
  if (member->session) {  // what was said to it counts no more
    member->remote.begin_anew();
    renew_relay(member);
  }
  begin(member);
}

void room_mesh_state::read_pipe(const member_ptr& member) {
  member->pipe->async_receive(
      on_strand([self = self(), member](error_code code, std::optional<peer_signal> signal) {
        if (!self->is_current(member)) return;
        if (signal) return self->take(member, std::move(*signal));
        member->deaf = true;
        member->relay->end(code);
        // The server did not pass something on. Only a new stay gives a new pipe.
        if (code == errc::limit_reached) self->lose_room(code);
      }));
}

// The next signal is read once this one is dealt with: a peer that begins anew all the time waits.
void room_mesh_state::take(const member_ptr& member, peer_signal signal) {
  using verdict = signaling::remote_session::verdict;
  const auto* description = std::get_if<session_description>(&signal);
  const auto judged = description ? member->remote.judge(*description) : verdict::current;
  if (judged == verdict::anew) {
    const auto since = std::chrono::duration_cast<std::chrono::milliseconds>(
        std::chrono::steady_clock::now() - member->begun);
    member->held = std::move(signal);
    if (since < options_.retry_min) return arm(member, options_.retry_min - since);
    member->timer.cancel();
    return on_timer(member);
  }
  if (judged == verdict::current) member->relay->push(std::move(signal));
  read_pipe(member);
}

void room_mesh_state::follow_mesh() {
  net.events().async_next(on_strand([self = self()](error_code, std::optional<mesh_event> event) {
    if (!event || self->phase_ == phase::ended) return;
    self->take(*event);
    self->follow_mesh();
  }));
}

void room_mesh_state::take(const mesh_event& event) {
  tell(event);
  const auto found = members_.find(event.id);
  if (event.kind == mesh_event_kind::peer_connected) {
    if (found != members_.end()) {
      found->second->delay = options_.retry_min;
      // It may be told of a connection that has been replaced, whose successor needs the timer.
      if (!found->second->held && is_connected(event.id)) found->second->timer.cancel();
    }
    return remove_doubles_of(event.id);
  }
  // A connection that was replaced is told of when its successor is there already.
  if (found != members_.end() && !net.has_peer(event.id)) begin_later(found->second);
}

// Where the server is lost and found, the same process is met under a new id while its connection
// of before still works. Its certificate tells.
void room_mesh_state::remove_doubles_of(mesh_id id) {
  const auto known = net.get_peer(id);
  const auto person = known ? known->connection->remote_certificate() : std::nullopt;
  if (!person) return;
  for (const auto& each : net.get_peers()) {
    const bool in_room = members_.contains(each.id);
    if (each.id == id || in_room || each.connection->remote_certificate() != person) continue;
    remove_peer(each.id);
  }
}

void room_mesh_state::publish_members() {
  std::vector<signaling_peer> now;
  now.reserve(members_.size());
  for (const auto& [id, member] : members_) now.push_back(member->peer);
  const std::lock_guard lock(mutex_);
  shown_members_ = std::move(now);
}

}  // namespace asiortc::inline ASIORTC_ABI::detail

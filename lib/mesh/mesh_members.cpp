// How peers come to a mesh, are told of, and go.
#include "mesh/mesh_channels.hpp"
#include "mesh/mesh_state.hpp"

#include <asiortc/error.hpp>

#include <algorithm>

namespace asiortc::inline ASIORTC_ABI::detail {
namespace {

constexpr mesh_id server_id = 1;
/// What a `max_packet_life_time` can be (webrtc-pc 6.1).
constexpr std::chrono::milliseconds longest_lifetime(65535);
/// Of events that are unread or may still come from the peers that are there.
constexpr std::size_t max_events = 65536;
/// A peer that is the server comes, lets the mesh succeed, goes, and disconnects it.
constexpr std::size_t events_of_a_peer = 4;

[[noreturn]] void refuse(errc code, const std::string& why) {
  throw error(code, "add_peer: " + why);
}

}  // namespace

void mesh_state::check_new_peer(const peer_connection& connection, mesh_id id,
                                std::chrono::milliseconds lifetime) const {
  const std::string shown = "the id " + std::to_string(id);
  if (closing_) refuse(errc::invalid_state, "the mesh is closed");
  if (id < 1) refuse(errc::type_error, shown + " is not from 1 to 2147483647");
  if (lifetime < std::chrono::milliseconds(0) || lifetime > longest_lifetime) {
    refuse(errc::type_error, "the unreliable lifetime is not from 0 to 65535 ms");
  }
  if (id == id_) refuse(errc::operation_error, shown + " is this side's own");
  if (peers_.contains(id)) refuse(errc::operation_error, shown + " is in use");
  if (refuse_) refuse(errc::invalid_state, "the mesh refuses new connections");
  if (const auto state = connection.connection_state(); state != connection_state::new_) {
    refuse(errc::invalid_state,
           "the connection is " + std::string(to_string(state)) + " and not new");
  }
  for (const std::uint16_t channel : mesh_channel_ids) {
    if (!connection.uses_channel_id(channel)) continue;
    refuse(errc::operation_error,
           "the connection has a channel with the id " + std::to_string(channel) + " already");
  }
  const std::size_t held = peers_.size() + departing_.size();
  if (held >= options_.max_peers) {
    refuse(errc::limit_reached, "there are " + std::to_string(held) + " peers already");
  }
  if (events->size() + events_of_a_peer * (held + 1) > max_events) {
    refuse(errc::limit_reached, "too many events are unread");
  }
}

void mesh_state::add_peer(peer_connection&& connection, mesh_id id,
                          std::chrono::milliseconds lifetime) {
  const guard lock(mutex_);
  check_new_peer(connection, id, lifetime);
  auto channels = make_mesh_channels(connection, lifetime);
  const auto member = std::make_shared<mesh_member>(
      id, std::make_shared<peer_connection>(std::move(connection)), std::move(channels));
  peers_.emplace(id, member);
  watch_connection(member);
  refuse_extra_channels(member);
  for (const auto mode : all_modes) watch_channel(member, mode);
}

void mesh_state::remove_peer(mesh_id id) {
  const guard lock(mutex_);
  const auto found = peers_.find(id);
  if (found == peers_.end()) {
    throw error(errc::peer_not_found, "remove_peer: there is no peer " + std::to_string(id));
  }
  const member_ptr member = found->second;
  // Whoever removes a peer that never came knows that it never will.
  if (!member->announced) member->present = false;
  depart(member, {}, ending::gracefully);
  stop_reading(member);
}

void mesh_state::watch_connection(const member_ptr& member) {
  if (context_gone()) return;
  member->connection->connection_states().async_next(
      on_strand([self = self(), member](boost::system::error_code code,
                                        std::optional<state_change<connection_state>> change) {
        const guard lock(self->mutex_);
        if (!change) return self->depart(member, code, ending::at_once);
        self->take(member, *change);
        self->watch_connection(member);
      }));
}

void mesh_state::watch_channel(const member_ptr& member, transfer_mode mode) {
  if (context_gone() || !member->channel(mode)) return;
  member->channel(mode).states().async_next(on_strand(
      [self = self(), member, mode](boost::system::error_code code,
                                    std::optional<state_change<data_channel_state>> change) {
        const guard lock(self->mutex_);
        if (!change) return self->depart(member, code, ending::gracefully);
        self->take(member, *change);
        self->watch_channel(member, mode);
      }));
}

void mesh_state::refuse_extra_channels(const member_ptr& member) {
  if (context_gone()) return;
  member->connection->data_channels().async_next(on_strand(
      [self = self(), member](boost::system::error_code code, std::optional<data_channel> extra) {
        const guard lock(self->mutex_);
        if (!extra) return self->depart(member, code, ending::at_once);
        extra.reset();  // which closes it
        self->refuse_extra_channels(member);
      }));
}

void mesh_state::take(const member_ptr& member, const state_change<connection_state>& change) {
  switch (change.state) {
    case connection_state::new_:
    case connection_state::connecting:
      return;
    case connection_state::connected:
      member->grace.reset();
      return;
    case connection_state::disconnected:
      return begin_grace(member, change.reason);
    case connection_state::failed:
    case connection_state::closed:
      return depart(member, change.reason, ending::at_once);
  }
}

void mesh_state::begin_grace(const member_ptr& member, boost::system::error_code reason) {
  if (!member->present) return;
  if (options_.disconnected_grace == std::chrono::milliseconds(0)) {
    return depart(member, reason, ending::at_once);
  }
  member->grace.emplace(strand_, options_.disconnected_grace);
  member->grace->async_wait([self = self(), member, reason](boost::system::error_code cancelled) {
    const guard lock(self->mutex_);
    const bool over = !cancelled && member->grace &&
                      member->connection->connection_state() == connection_state::disconnected;
    if (over) self->depart(member, reason, ending::at_once);
  });
}

void mesh_state::take(const member_ptr& member, const state_change<data_channel_state>& change) {
  if (change.state == data_channel_state::closing || change.state == data_channel_state::closed) {
    return depart(member, change.reason, ending::gracefully);
  }
  const bool all_open = std::ranges::all_of(all_modes, [&](transfer_mode mode) {
    return member->channel_state(mode) == data_channel_state::open;
  });
  if (all_open && member->present && !member->up) came_up(member);
}

void mesh_state::came_up(const member_ptr& member) {
  member->up = true;
  const auto sctp = member->connection->sctp();
  member->max_message_size = sctp ? sctp->max_message_size : 0;
  if (!has_server() || status_ == mesh_status::connected) return announce(member);
  if (member->id != server_id) return;
  status_ = mesh_status::connected;
  announce(member);
  events->push(mesh_event(mesh_event_kind::connection_succeeded, server_id));
  for (const auto& [id, each] : peers_) {
    if (each->up && !each->announced) announce(each);
  }
}

void mesh_state::announce(const member_ptr& member) {
  member->announced = true;
  events->push(mesh_event(mesh_event_kind::peer_connected, member->id));
  for (const auto mode : all_modes) {
    ++member->open_ends;
    wait_for_message(member, mode);
  }
}

void mesh_state::depart(const member_ptr& member, boost::system::error_code reason, ending how) {
  const auto found = peers_.find(member->id);
  if (found == peers_.end() || found->second != member) return;
  peers_.erase(found);
  departing_.push_back(member);
  if (std::exchange(member->present, false)) tell_departure(*member, reason);
  close_connection(member, how);
  if (!member->announced) stop_reading(member);
}

void mesh_state::tell_departure(mesh_member& member, boost::system::error_code reason) {
  if (!member.announced) {
    events->push(mesh_event(mesh_event_kind::peer_failed, member.id, reason));
    return;
  }
  events->push(mesh_event(mesh_event_kind::peer_disconnected, member.id, reason));
  if (!has_server() || member.id != server_id) return;
  status_ = mesh_status::disconnected;
  events->push(mesh_event(mesh_event_kind::server_disconnected, server_id, reason));
}

void mesh_state::close_connection(const member_ptr& member, ending how) {
  member->grace.reset();
  if (how == ending::at_once) member->connection->close();
  ++member->open_ends;
  if (context_gone()) return;
  member->connection->async_close(on_strand([self = self(), member](boost::system::error_code) {
    const guard lock(self->mutex_);
    self->end_of(member);
  }));
}

void mesh_state::end_of(const member_ptr& member) {
  --member->open_ends;
  if (member->present || member->open_ends != 0) return;
  std::erase(departing_, member);
  if (closing_) finish_close();
}

}  // namespace asiortc::inline ASIORTC_ABI::detail

// The stays of a room mesh in its room, and its end. The members are in room_mesh_members.cpp.
#include "signaling/room_mesh_state.hpp"

#include <asiortc/error.hpp>

#include <boost/asio/strand.hpp>

#include <algorithm>
#include <array>

namespace asiortc::inline ASIORTC_ABI::detail {
namespace {

constexpr std::size_t max_unread_events = 65536;

void check_options(const boost::asio::any_io_executor& executor, const room_mesh_options& options) {
  if (options.mesh.server_compatibility) {
    throw error(errc::type_error, "room_mesh: a room has no server to be compatible with");
  }
  if (options.mesh.refuse_new_connections) {
    throw error(errc::type_error, "room_mesh: refuse_new_connections would refuse every member");
  }
  if (options.retry_min < std::chrono::milliseconds(1) || options.retry_max < options.retry_min) {
    throw error(errc::type_error, "room_mesh: retry_min is below 1 ms or above retry_max");
  }
  const auto longest = std::chrono::milliseconds(65535);
  if (options.unreliable_lifetime < std::chrono::milliseconds(0) ||
      options.unreliable_lifetime > longest) {
    throw error(errc::type_error, "room_mesh: unreliable_lifetime is not from 0 to 65535 ms");
  }
  // What is wrong with the configuration is said now, and not when the first member is met.
  const peer_connection trial(executor, options.configuration);
}

}  // namespace

std::shared_ptr<room_mesh_state> room_mesh_state::create(boost::asio::any_io_executor executor,
                                                         room_mesh_options options) {
  check_options(executor, options);
  auto made = std::make_shared<room_mesh_state>(executor, std::move(options));
  made->watch_context(executor);
  made->events->watch();
  made->follow_mesh();
  return made;
}

// The mesh's own id is set with each stay.
room_mesh_state::room_mesh_state(boost::asio::any_io_executor executor, room_mesh_options options)
    : net(executor, 1, options.mesh),
      events(std::make_shared<event_queue<mesh_event>>(executor, max_unread_events)),
      options_(std::move(options)),
      executor_(std::move(executor)),
      strand_(boost::asio::make_strand(executor_)),
      delay_(options_.retry_min) {
  timer_.emplace(strand_);
}

std::shared_ptr<room_mesh_state> room_mesh_state::self() {
  return std::static_pointer_cast<room_mesh_state>(shared_from_this());
}

std::vector<signaling_peer> room_mesh_state::members() const {
  const std::lock_guard lock(mutex_);
  return shown_members_;
}

std::string room_mesh_state::last_error_detail() const {
  const std::lock_guard lock(mutex_);
  return refusal_.empty() ? net.last_error_detail() : refusal_;
}

void room_mesh_state::start_join(void_completion handler, std::string url, std::string room) {
  if (context_gone()) return;
  auto waiting = void_operation::start(executor_, std::move(handler));
  waiting->on_cancel([weak = std::weak_ptr<room_mesh_state>(self())] {
    const auto held = weak.lock();
    if (!held) return;
    held->post([held] {
      if (held->joining_) held->finish(boost::asio::error::operation_aborted);
    });
  });
  post([self = self(), waiting, url = std::move(url), room = std::move(room)] {
    if (self->phase_ != phase::fresh) {
      return waiting->complete(self->closing_ ? errc::closed : errc::invalid_state);
    }
    self->joining_ = waiting;
    self->url_ = url;
    self->room_ = room;
    self->enter();
  });
}

void room_mesh_state::enter() {
  phase_ = phase::entering;
  const std::uint64_t stay = ++stay_;
  client_.emplace(executor_, options_.signaling);
  client_->async_connect(url_, on_strand([self = self(), stay](error_code failed) {
                           if (!self->is_of(stay)) return;
                           if (failed) return self->not_entered(failed);
                           self->client_->async_join(
                               self->room_, self->options_.name,
                               self->on_strand([self, stay](error_code refused) {
                                 if (!self->is_of(stay)) return;
                                 refused ? self->not_entered(refused) : self->entered();
                               }));
                         }));
}

void room_mesh_state::entered() {
  phase_ = phase::in_room;
  entered_at_ = std::chrono::steady_clock::now();
  // Of an earlier stay; in a new room ids begin anew.
  remove_peer(client_->id());
  net.set_id(client_->id());
  id_ = client_->id();
  tell(mesh_event(mesh_event_kind::connection_succeeded, id_));
  if (const auto waiting = std::exchange(joining_, nullptr)) waiting->complete({});
  if (phase_ == phase::ended) return;
  follow_room();
  for (const auto& peer : client_->peers()) meet(peer);
}

bool room_mesh_state::refused_for_good(error_code code) const {
  static constexpr std::array<std::string_view, 5> final_codes{
      "kicked:", "sealed:", "forbidden:", "unauthorized:", "replaced:"};
  if (code != errc::signaling_refused || !client_) return false;
  const std::string words = client_->refusal();
  return std::ranges::any_of(final_codes,
                             [&](std::string_view final) { return words.starts_with(final); });
}

void room_mesh_state::not_entered(error_code code) {
  if (joining_ || refused_for_good(code)) return finish(code);
  client_.reset();
  enter_later();
}

void room_mesh_state::enter_later() {
  phase_ = phase::between_stays;
  timer_->expires_after(delay_);
  delay_ = std::min(delay_ * 2, options_.retry_max);
  timer_->async_wait([self = self(), stay = ++stay_](error_code cancelled) {
    if (!cancelled && self->is_of(stay)) self->enter();
  });
}

void room_mesh_state::follow_room() {
  client_->events().async_next(on_strand(
      [self = self(), stay = stay_](error_code code, std::optional<signaling_event> event) {
        if (!self->is_of(stay)) return;
        if (!event) return self->lose_room(code);
        self->take(*event);
        if (self->is_of(stay)) self->follow_room();
      }));
}

void room_mesh_state::take(const signaling_event& event) {
  if (event.kind == signaling_event_kind::peer_joined) return meet(event.peer);
  if (event.kind == signaling_event_kind::peer_left) return went_away(event);
}

// Connections that work go on; those that were being made cannot be any more.
void room_mesh_state::lose_room(error_code code) {
  tell(mesh_event(mesh_event_kind::server_disconnected, id_, code));
  if (phase_ == phase::ended) return;
  if (refused_for_good(code)) return finish(code);
  const auto now = std::chrono::steady_clock::now();
  if (now - entered_at_ > options_.retry_max) delay_ = options_.retry_min;
  forget_room();
  enter_later();
}

void room_mesh_state::forget_room() {
  client_.reset();
  for (const auto& [id, member] : std::exchange(members_, {})) {
    forget(member);
    if (!is_connected(id)) remove_peer(id);
  }
  publish_members();
  for (const auto& member : std::exchange(leaving_, {})) {
    member->timer.cancel();
    remove_peer(member->peer.id);
  }
}

void room_mesh_state::tell(const mesh_event& event) {
  if (phase_ == phase::ended || events->push(event)) return;
  finish(errc::limit_reached);
}

void room_mesh_state::finish(error_code code) {
  if (phase_ == phase::ended) return;
  if (client_) {
    const std::lock_guard lock(mutex_);
    refusal_ = client_->refusal();
  }
  phase_ = phase::ended;
  if (const auto waiting = std::exchange(joining_, nullptr)) {
    waiting->complete(code ? code : make_error_code(errc::closed));
  }
  timer_->cancel();
  forget_room();
  net.async_close([](error_code) {});
  events->end(code);
}

void room_mesh_state::start_close(void_completion handler) {
  if (context_gone()) return;
  auto waiting = void_operation::start(executor_, std::move(handler));
  post([self = self(), waiting] {
    self->closers_.push_back(waiting);
    self->close_all();
  });
}

// The peers are told by their connections before the room is left.
void room_mesh_state::close_all() {
  if (closed_) return closed();
  if (std::exchange(closing_, true)) return;
  phase_ = phase::ended;
  if (const auto waiting = std::exchange(joining_, nullptr)) waiting->complete(errc::closed);
  timer_->cancel();
  for (const auto& [id, member] : std::exchange(members_, {})) forget(member);
  for (const auto& member : std::exchange(leaving_, {})) member->timer.cancel();
  publish_members();
  events->end({});
  net.async_close(on_strand([self = self()](error_code) {
    if (!self->client_) return self->closed();
    self->client_->async_close(self->on_strand([self](error_code) { self->closed(); }));
  }));
}

void room_mesh_state::closed() {
  closed_ = true;
  client_.reset();
  for (const auto& waiting : std::exchange(closers_, {})) waiting->complete({});
}

void room_mesh_state::abandon() {
  net.close();
  post([self = self()] {
    self->finish({});
    self->client_.reset();  // it may have been closing in good order
    self->close_all();
  });
}

void room_mesh_state::on_context_shutdown() noexcept {
  // They may hold the last reference to this.
  const auto dropped = std::exchange(joining_, nullptr);
  const auto dropped_too = std::exchange(closers_, {});
  phase_ = phase::ended;
  timer_.reset();
  members_.clear();
  leaving_.clear();
  client_.reset();
  executor_ = {};
  strand_ = {};
}

}  // namespace asiortc::inline ASIORTC_ABI::detail

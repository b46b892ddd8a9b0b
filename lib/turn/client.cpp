#include "turn/client.hpp"

#include "turn/channel_data.hpp"
#include "turn/client_impl.hpp"

#include <algorithm>
#include <utility>

namespace asiortc::turn {
namespace {

// A question and its four repetitions have found no answer by then.
constexpr base::duration silent_after = std::chrono::seconds(10);

const char* name_of(state value) {
  switch (value) {
    case state::new_:
      return "new";
    case state::allocating:
      return "allocating";
    case state::allocated:
      return "allocated";
    case state::failed:
      return "failed";
    case state::ended:
      return "ended";
    case state::closing:
      return "closing";
    case state::closed:
      return "closed";
  }
  return "";
}

}  // namespace

client::impl::impl(settings settings, base::random_source& random)
    : settings_(std::move(settings)),
      random_(random),
      credentials_(settings_.username, std::exchange(settings_.password, {})) {
  // RFC 8489 6.2.2: over a reliable transport nothing is sent again and Ti is 39.5 s.
  if (settings_.reliable) settings_.retransmission = {std::chrono::milliseconds(39500), 1, 1};
}

void client::impl::set_state(state next, const std::string& reason) {
  settings_.log(log_level::info, [&] {
    return "TURN server " + settings_.server.remote.to_string() + ": " + name_of(state_) + " -> " +
           name_of(next) + ": " + reason;
  });
  state_ = next;
}

void client::impl::start(base::time_point now) {
  if (state_ != state::new_) return;
  set_state(state::allocating, "asked for an allocation");
  give_up_at_ = now + settings_.give_up_after;
  ask(now, stun::method::allocate);
}

void client::impl::handle_timeout(base::time_point now) {
  if (state_ == state::allocating && now >= give_up_at_) return fail(last_refusal_);
  if (state_ == state::allocated && now >= expires_at_) return end(last_refusal_);
  if (state_ == state::closing && now >= give_up_at_) return leave("no answer");
  do_what_is_due(now);
}

base::time_point client::impl::next_deadline() const {
  base::time_point next = peers_.next_deadline();
  for (const auto& r : requests_) next = std::min(next, r.clock.deadline());
  if (state_ == state::allocating || state_ == state::closing) next = std::min(next, give_up_at_);
  if (state_ == state::allocated) next = std::min({next, refresh_at_, expires_at_, probe_at()});
  return next;
}

void client::impl::forget() {
  requests_.clear();
  for (const auto& p : peers_.permissions()) dropped_packets_ += p.waiting.size();
  peers_.clear();
}

void client::impl::fail(const refusal& why, std::optional<base::endpoint> alternate) {
  give_back();
  base::failure failure = failure_of(why, settings_.server.remote);
  set_state(state::failed, failure.detail);
  forget();
  events_.emplace_back(failed{std::move(failure), why.code, alternate});
}

void client::impl::end(const refusal& why) {
  base::failure failure = failure_of(why, settings_.server.remote);
  failure.code = errc::turn_lost;
  set_state(state::ended, failure.detail);
  forget();
  events_.emplace_back(ended{std::move(failure), why.code});
}

void client::impl::close(base::time_point now) {
  if (state_ == state::closing || state_ == state::closed) return;
  outgoing_.clear();
  const bool stands = may_exist();
  forget();
  events_.clear();
  if (!stands) return leave("closed here");
  set_state(state::closing, "closed here");
  give_up_at_ = now + settings_.farewell;
  // With an answer to it, since the nonce may be stale.
  ask(now, stun::method::refresh);
}

void client::impl::leave(const std::string& reason) {
  set_state(state::closed, reason);
  requests_.clear();
}

client::client(settings settings, base::random_source& random)
    : impl_(std::make_unique<impl>(std::move(settings), random)) {}
client::~client() = default;
client::client(client&&) noexcept = default;
client& client::operator=(client&&) noexcept = default;

void client::start(base::time_point now) { impl_->start(now); }

outcome client::handle_datagram(base::time_point now, const base::datagram& datagram) {
  return impl_->handle_datagram(now, datagram);
}

bool client::send(base::time_point now, const base::endpoint& peer, base::byte_span payload,
                  base::traffic_class kind, base::packet_batch& out) {
  const bool taken = impl_->send(now, peer, payload, kind, out);
  if (!taken) ++impl_->dropped_packets_;
  return taken;
}

void client::permit(base::time_point now, const base::endpoint& peer) {
  if (impl_->state_ == state::allocated) impl_->permission_for(now, peer);
}

void client::bind_channel(base::time_point now, const base::endpoint& peer) {
  if (impl_->state_ != state::allocated) return;
  const permission* permission = impl_->permission_for(now, peer);
  if (permission == nullptr || permission->now == permission::status::refused) return;
  impl_->want_channel(now, peer);
}

bool client::has_channel(const base::endpoint& peer) const {
  const channel* found = impl_->peers_.find(peer);
  return found != nullptr && found->now == channel::status::bound;
}

std::size_t client::overhead(const base::endpoint& peer) const {
  constexpr std::size_t padding = 3;
  if (has_channel(peer)) return channel_header_size + (impl_->settings_.reliable ? padding : 0);
  const std::size_t address = peer.address.is_v4() ? 8 : 20;
  return stun::header_size + 2 * stun::attribute_header_size + address + padding;
}

void client::give_up_by(base::time_point when) {
  impl_->give_up_at_ = std::min(impl_->give_up_at_, when);
}

void client::handle_timeout(base::time_point now) { impl_->handle_timeout(now); }

base::time_point client::next_deadline() const { return impl_->next_deadline(); }

void client::poll_transmit(base::packet_batch& out) {
  for (const auto& packet : impl_->outgoing_.entries()) {
    out.set_route(packet.to, packet.kind);
    out.append(impl_->outgoing_.view(packet));
  }
  impl_->outgoing_.clear();
}

std::optional<event> client::poll_event() {
  if (impl_->events_.empty()) return std::nullopt;
  std::optional<event> next(std::move(impl_->events_.front()));
  impl_->events_.pop_front();
  return next;
}

void client::close(base::time_point now) { impl_->close(now); }

bool client::is_silent(base::time_point now) const {
  return impl_->unheard_since_ != base::never && now >= impl_->unheard_since_ + silent_after;
}

state client::current_state() const { return impl_->state_; }

std::uint64_t client::dropped_datagrams() const { return impl_->dropped_datagrams_; }

std::uint64_t client::dropped_packets() const { return impl_->dropped_packets_; }

}  // namespace asiortc::turn

// The room of a signaling client: who is in it, what they say, and how it ends.
#include "base/utf8.hpp"
#include "signaling/client_state.hpp"
#include "signaling/codec.hpp"
#include "signaling/peer_data.hpp"

#include <asiortc/error.hpp>

#include <boost/asio/post.hpp>

#include <algorithm>
#include <utility>

namespace asiortc::inline ASIORTC_ABI::detail {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

/// What `send` may hold before the socket takes it, in bytes.
constexpr std::size_t max_unsent = std::size_t{4} * 1024 * 1024;

/// Sends through the client's state and receives from the peer's inbox.
class room_pipe final : public signaling_pipe {
 public:
  room_pipe(std::weak_ptr<client_state> client, peer_id peer, std::optional<bool> is_polite,
            std::shared_ptr<signaling::pipe_queue> inbox)
      : client_(std::move(client)), peer_(peer), polite_(is_polite), inbox_(std::move(inbox)) {}

  bool send(peer_signal value) override {
    const auto client = client_.lock();
    if (!client || inbox_->ended()) return false;
    if (client->send(peer_, value)) return true;
    inbox_->end(errc::limit_reached);
    return false;
  }
  void close() override { inbox_->end({}); }
  [[nodiscard]] std::optional<bool> polite() const override { return polite_; }

 protected:
  void start_receive(receive_handler handler) override { inbox_->async_pop(std::move(handler)); }

 private:
  std::weak_ptr<client_state> client_;
  peer_id peer_;
  std::optional<bool> polite_;
  std::shared_ptr<signaling::pipe_queue> inbox_;
};

/// How the pipe to a peer that is gone ends: after a timeout it may still be there, out of reach.
error_code end_of(leave_reason reason) {
  return reason == leave_reason::timeout ? errc::signaling_lost : errc::remote_closed;
}

}  // namespace

void client_state::async_join(std::string room, std::string name, handler_type handler) {
  if (shut_down_) return;
  const auto pending = start_ending_with_cancel(std::move(handler));
  asio::post(strand_, [self = self(), room = std::move(room), name = std::move(name), pending] {
    self->join(room, name, pending);
  });
}

void client_state::join(const std::string& room, const std::string& name, const waiter& pending) {
  if (!signaling::is_room_name(room) || name.size() > signaling::max_peer_name ||
      !base::is_valid_utf8(name)) {
    return pending->complete(errc::type_error);
  }
  if (phase_ != phase::open || session_->state() != signaling::session_state::open) {
    return pending->complete(errc::invalid_state);
  }
  joining_ = pending;
  session_->join(timer_->time(), {room, name, {}});
  pump();
}

bool client_state::send(peer_id to, const peer_signal& value) {
  if (shut_down_) return false;
  std::string data = signaling::encode_peer_data(value);
  const std::size_t size = data.size();
  if (size + signaling::signal_overhead > signaling::max_client_message) return false;
  std::size_t before = unsent_;
  do {
    if (before + size > max_unsent) return false;
  } while (!unsent_.compare_exchange_weak(before, before + size));
  asio::post(strand_, [self = self(), to, data = std::move(data)]() mutable {
    if (!self->session_) return;
    self->session_->signal(to, std::move(data));
    self->pump();
  });
  return true;
}

void client_state::take(const signaling::joined_message& message) {
  {
    const std::lock_guard lock(mutex_);
    id_ = message.id;
    ice_servers_ = message.ice_servers;
    for (const signaling_peer& peer : message.peers) {
      members_.push_back({peer, true, std::make_shared<signaling::pipe_queue>(executor_)});
    }
  }
  complete(joining_, {});
}

void client_state::take(const signaling::peer_joined_message& message) {
  {
    const std::lock_guard lock(mutex_);
    members_.push_back({message.peer, false, std::make_shared<signaling::pipe_queue>(executor_)});
  }
  signaling_event event;
  event.peer = message.peer;
  tell(std::move(event));
}

void client_state::take(const signaling::peer_left_message& message) {
  signaling_event event;
  event.kind = signaling_event_kind::peer_left;
  event.reason = message.reason;
  {
    const std::lock_guard lock(mutex_);
    const auto found =
        std::ranges::find(members_, message.id, [](const member& each) { return each.peer.id; });
    if (found == members_.end()) return;
    event.peer = found->peer;
    found->inbox->end(end_of(message.reason));
    members_.erase(found);
  }
  tell(std::move(event));
}

void client_state::take(const signaling::peer_away_message& message) {
  tell(signaling_event_kind::peer_away, message.id);
}

void client_state::take(const signaling::peer_back_message& message) {
  tell(signaling_event_kind::peer_back, message.id);
}

void client_state::take(const signaling::sealed_message&) {
  tell(signaling_event_kind::room_sealed, 0);
}

void client_state::take(const signaling::going_away_message&) {
  tell(signaling_event_kind::going_away, 0);
}

void client_state::take(const signaling::signal_message& message) {
  const auto value = signaling::decode_peer_data(message.data);
  if (!value) {
    log_(log_level::warning,
         [&] { return "peer " + std::to_string(message.from) + " sent data of an unknown shape"; });
    return;
  }
  const std::lock_guard lock(mutex_);
  for (const member& each : members_) {
    if (each.peer.id == message.from) each.inbox->push(*value);
  }
}

void client_state::take(const signaling::ice_servers_message& message) {
  const std::lock_guard lock(mutex_);
  ice_servers_ = message.ice_servers;
}

void client_state::take(const signaling::error_message& message) {
  signaling_event event;
  event.kind = signaling_event_kind::refused;
  event.code = message.code;
  event.message = message.message;
  event.peer.id = message.to.value_or(0);
  const bool lost = message.to && message.code != to_string(signaling::error_kind::peer_not_found);
  {
    const std::lock_guard lock(mutex_);
    for (const member& each : members_) {
      if (each.peer.id != event.peer.id) continue;
      event.peer = each.peer;
      // The server did not pass a signal on, so those after it make no sense.
      if (lost) each.inbox->end(errc::limit_reached);
    }
  }
  tell(std::move(event));
}

void client_state::tell(signaling_event_kind kind, peer_id about) {
  signaling_event event;
  event.kind = kind;
  {
    const std::lock_guard lock(mutex_);
    for (const member& each : members_) {
      if (each.peer.id == about) event.peer = each.peer;
    }
  }
  tell(std::move(event));
}

void client_state::tell(signaling_event event) {
  if (!events_->push(std::move(event))) finish(errc::limit_reached, "events are not read");
}

/// The one end of a client, whatever led to it; the socket is closed in good order if it can be.
void client_state::finish(error_code reason, const std::string& words) {
  if (phase_ == phase::ended || shut_down_) return;
  set_phase(phase::ended, words.empty() ? reason.message() : words);
  std::vector<member> gone;
  {
    const std::lock_guard lock(mutex_);
    gone.swap(members_);
    if (reason == errc::signaling_refused) refusal_ = words;
  }
  for (const member& each : gone) each.inbox->end(reason ? errc::signaling_lost : errc::closed);
  resolve_timer_->cancel();
  resolve_cancel_.emit(asio::cancellation_type::terminal);
  const error_code failed = reason ? reason : error_code(errc::closed);
  complete(connecting_, failed);
  complete(joining_, failed);
  events_->end(reason);
  timer_->cancel();
  session_.reset();
  if (socket_) socket_->close(signaling::close_code::normal, "", "", false);
}

event_stream<signaling_event> client_state::events() const {
  return event_stream<signaling_event>(events_);
}

peer_id client_state::id() const {
  const std::lock_guard lock(mutex_);
  return id_;
}

std::vector<signaling_peer> client_state::peers() const {
  const std::lock_guard lock(mutex_);
  std::vector<signaling_peer> out;
  for (const member& each : members_) out.push_back(each.peer);
  return out;
}

std::vector<ice_server> client_state::ice_servers() const {
  const std::lock_guard lock(mutex_);
  return ice_servers_;
}

std::string client_state::refusal() const {
  const std::lock_guard lock(mutex_);
  return refusal_;
}

std::shared_ptr<signaling_pipe> client_state::pipe_to(peer_id peer) {
  const std::lock_guard lock(mutex_);
  for (const member& each : members_) {
    if (each.peer.id != peer) continue;
    return std::make_shared<room_pipe>(self(), peer, each.was_here_before_us, each.inbox);
  }
  auto nobody = std::make_shared<signaling::pipe_queue>(executor_);
  nobody->end(errc::peer_not_found);
  return std::make_shared<room_pipe>(self(), peer, std::nullopt, std::move(nobody));
}

}  // namespace asiortc::inline ASIORTC_ABI::detail

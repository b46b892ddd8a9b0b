#include "api/channel_state.hpp"

#include "api/peer_state.hpp"
#include "base/utf8.hpp"

#include <algorithm>
#include <utility>

namespace asiortc::inline ASIORTC_ABI::detail {
namespace {

void complete_all(std::vector<std::shared_ptr<void_operation>>& waiters,
                  boost::system::error_code code) {
  for (const auto& waiter : std::exchange(waiters, {})) waiter->complete(code);
}

void post_completion(const boost::asio::any_io_executor& executor, void_completion handler,
                     boost::system::error_code code) {
  const auto target = boost::asio::get_associated_executor(handler, executor);
  boost::asio::post(executor,
                    boost::asio::bind_executor(
                        target, [h = std::move(handler), code]() mutable { std::move(h)(code); }));
}

/// An empty message costs memory too, so a bound that counts bytes alone would not hold.
std::size_t queue_cost(std::size_t size) { return size + 64; }

}  // namespace

channel_state::channel_state(const std::shared_ptr<peer_state>& owner, std::string channel_label,
                             data_channel_init channel_init)
    : label(std::move(channel_label)),
      init(std::move(channel_init)),
      messages(std::make_shared<event_queue<message>>(owner->executor)),
      states(
          std::make_shared<event_queue<data_channel_change>>(owner->executor, max_unread_states)),
      low_events(std::make_shared<event_queue<buffered_amount_low_event>>(owner->executor,
                                                                          max_unread_states)),
      peer_(owner),
      executor_(owner->executor) {
  if (init.negotiated) id_ = init.id;
}

std::shared_ptr<channel_state> channel_state::create(const std::shared_ptr<peer_state>& owner,
                                                     std::string label, data_channel_init init) {
  auto made = std::make_shared<channel_state>(owner, std::move(label), std::move(init));
  made->watch_context(owner->executor);
  made->messages->watch();
  made->states->watch();
  made->low_events->watch();
  return made;
}

std::shared_ptr<channel_state> channel_state::self() {
  return std::static_pointer_cast<channel_state>(shared_from_this());
}

void channel_state::drop_oldest() {
  const std::size_t most = max_unread;
  if (most == 0) return;
  while (unread > most && messages->size() > 1 && messages->try_pop()) ++messages_dropped;
}

void channel_state::discard_unread() {
  while (messages->try_pop()) {
  }
}

std::uint64_t channel_state::max_message_size() const {
  const auto owner = peer_.lock();
  return owner ? owner->max_message_size() : UINT64_MAX;
}

void channel_state::start_open(void_completion handler) {
  if (context_gone()) return;
  const std::lock_guard lock(mutex_);
  if (state_ == data_channel_state::connecting) {
    open_waiters_.push_back(void_operation::start(executor_, std::move(handler)));
    return;
  }
  boost::system::error_code code;
  if (state_ != data_channel_state::open) {
    code = reason_ ? reason_ : make_error_code(errc::invalid_state);
  }
  post_completion(executor_, std::move(handler), code);
}

std::optional<base::failure> channel_state::refusal(const message& value, peer_state& owner) const {
  if (state_ != data_channel_state::connecting && state_ != data_channel_state::open) {
    return base::failure(make_error_code(errc::invalid_state),
                         "async_send: the channel is closing or closed");
  }
  if (const auto most = owner.max_message_size(); value.size() > most) {
    return base::failure(make_error_code(errc::message_too_large),
                         "async_send: the message has " + std::to_string(value.size()) +
                             " bytes, the peer takes at most " + std::to_string(most));
  }
  if (value.is_text() && !base::is_valid_utf8(value.text())) {
    return base::failure(make_error_code(errc::type_error), "async_send: the text is not UTF-8");
  }
  return std::nullopt;
}

void channel_state::start_send(void_completion handler, message value) {
  if (context_gone()) return;
  const auto owner = peer_.lock();
  std::unique_lock lock(mutex_);
  if (!owner) return post_completion(executor_, std::move(handler), errc::invalid_state);
  if (const auto refused = refusal(value, *owner)) {
    owner->note_refusal(*refused);
    return post_completion(executor_, std::move(handler), refused->code);
  }
  unsent_ += queue_cost(value.size());
  in_front_ += value.size();
  const std::uint64_t serial = owner->enqueue(self(), std::move(value));
  if (unsent_ <= owner->config.send_high_water) {
    // The completion goes first, so that a sender in a loop adds to this batch before it leaves.
    post_completion(executor_, std::move(handler), {});
  } else {
    wait_for_room(std::move(handler), serial);
  }
  lock.unlock();
  owner->schedule_drain();
}

void channel_state::wait_for_room(void_completion handler, std::uint64_t serial) {
  auto waiting = void_operation::start(executor_, std::move(handler));
  waiting->on_cancel([channel = std::weak_ptr<channel_state>(self()), serial,
                      weak = std::weak_ptr<void_operation>(waiting)] {
    const auto held = channel.lock();
    const auto operation = weak.lock();
    const auto owner = held ? held->peer_.lock() : nullptr;
    if (owner && operation) owner->cancel_send(held, serial, operation);
  });
  waiting_senders_.push_back({std::move(waiting), serial});
}

void channel_state::release(std::uint64_t serial, std::size_t size,
                            boost::system::error_code failure) {
  std::deque<waiting_sender> ready;
  std::shared_ptr<void_operation> failed;
  const auto owner = peer_.lock();
  {
    const std::lock_guard lock(mutex_);
    unsent_ -= std::min(unsent_, queue_cost(size));
    if (failure) {
      const auto own = std::ranges::find(waiting_senders_, serial, &waiting_sender::serial);
      if (own != waiting_senders_.end()) {
        failed = std::move(own->operation);
        waiting_senders_.erase(own);
      }
    }
    // Where one message is thrown away the others mostly follow, and their senders wait for that.
    const std::size_t room = failure || !owner ? 0 : owner->config.send_high_water;
    if (owner && unsent_ <= room) ready.swap(waiting_senders_);
  }
  if (failed) failed->complete(failure);
  for (const auto& sender : ready) sender.operation->complete({});
}

void channel_state::start_flush(void_completion handler) {
  if (context_gone()) return;
  auto waiting = void_operation::start(executor_, std::move(handler));
  if (const auto owner = peer_.lock()) {
    owner->start_flush(self(), std::move(waiting));
  } else {
    waiting->complete(errc::invalid_state);
  }
}

void channel_state::start_close(void_completion handler) {
  if (context_gone()) return;
  {
    const std::lock_guard lock(mutex_);
    if (state_ == data_channel_state::closed || peer_.expired()) {
      return post_completion(executor_, std::move(handler), reason_);
    }
    close_waiters_.push_back(void_operation::start(executor_, std::move(handler)));
  }
  close();
}

void channel_state::close() {
  if (const auto owner = peer_.lock()) owner->close_channel(self(), false);
}

void channel_state::drop() {
  messages->end(errc::closed);
  messages->discard();
  if (const auto owner = peer_.lock()) owner->close_channel(self(), true);
}

void channel_state::set_low_threshold(std::size_t bytes) {
  low_threshold = bytes;
  const auto owner = peer_.lock();
  if (!owner) return;
  owner->post([channel = self(), bytes](peer::peer& core, base::time_point) {
    if (channel->key) core.channels().set_low_threshold(*channel->key, bytes);
  });
}

data_channel_state channel_state::state() const {
  const std::lock_guard lock(mutex_);
  return state_;
}

std::optional<std::uint16_t> channel_state::id() const {
  const std::lock_guard lock(mutex_);
  return id_;
}

std::size_t channel_state::buffered_amount() const {
  const std::lock_guard lock(mutex_);
  return in_front_ + in_flight_;
}

void channel_state::publish_id(std::optional<std::uint16_t> value) {
  const std::lock_guard lock(mutex_);
  if (value) id_ = value;
}

void channel_state::publish_in_flight(std::size_t bytes) {
  const std::lock_guard lock(mutex_);
  in_flight_ = bytes;
}

void channel_state::note_handed_over(std::size_t size) {
  const std::lock_guard lock(mutex_);
  in_front_ -= std::min(in_front_, size);
  in_flight_ += size;
}

void channel_state::publish_state(data_channel_state now, boost::system::error_code reason) {
  std::unique_lock lock(mutex_);
  if (state_ == now || state_ == data_channel_state::closed) return;
  state_ = now;
  states->push(data_channel_change(now, reason));
  const auto owner_gone = make_error_code(errc::invalid_state);
  if (now == data_channel_state::open) {
    complete_all(open_waiters_, {});
  } else if (now == data_channel_state::closing) {
    complete_all(open_waiters_, owner_gone);
  } else if (now == data_channel_state::closed) {
    reason_ = reason;
    in_front_ = in_flight_ = 0;
    const auto failure = reason ? reason : owner_gone;
    complete_all(open_waiters_, failure);
    for (const auto& sender : std::exchange(waiting_senders_, {})) {
      sender.operation->complete(failure);
    }
    complete_all(close_waiters_, reason);
    lock.unlock();
    messages->end(reason);
    states->end(reason);
    low_events->end(reason);
  }
}

}  // namespace asiortc::inline ASIORTC_ABI::detail

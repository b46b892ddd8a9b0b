// What the core tells, turned into streams, states and completions.
#include "api/peer_state.hpp"
#include "crypto/published_fingerprint.hpp"

#include <utility>
#include <variant>

namespace asiortc::inline ASIORTC_ABI::detail {

void peer_state::on_event(peer::event&& event) {
  std::visit([this](auto& each) { handle(each); }, event);
}

void peer_state::handle(peer::connection_state_event& event) {
  const auto verified = core().remote_fingerprint();
  {
    const std::lock_guard lock(mutex_);
    snapshot_.connection = event.now;
    if (verified) snapshot_.remote_certificate = crypto::published(*verified);
    if (event.reason.code) {
      snapshot_.end_reason = event.reason.code;
      snapshot_.last_error_detail = event.reason.detail;
    }
  }
  streams.connection_states->push(
      connection_change(event.now, event.reason.code, event.reason.detail));
  publish_channel_ids();
  if (negotiation_) negotiation_->on_connection_state(event.now);
  if (event.now != asiortc::connection_state::closed) return;
  begin_stop(event.reason.code ? event.reason.code : make_error_code(errc::closed));
}

void peer_state::handle(peer::ice_connection_state_event& event) {
  {
    const std::lock_guard lock(mutex_);
    snapshot_.ice_connection = event.now;
  }
  streams.ice_connection_states->push(
      ice_connection_change(event.now, event.reason.code, event.reason.detail));
}

void peer_state::handle(peer::ice_gathering_state_event& event) {
  {
    const std::lock_guard lock(mutex_);
    snapshot_.ice_gathering = event.now;
  }
  streams.ice_gathering_states->push(ice_gathering_change(event.now, {}));
}

void peer_state::handle(peer::signaling_state_event& event) {
  {
    const std::lock_guard lock(mutex_);
    snapshot_.signaling = event.now;
  }
  streams.signaling_states->push(signaling_change(event.now, {}));
  publish_descriptions();
}

void peer_state::handle(peer::ice_candidate_event& event) {
  publish_descriptions();
  if (negotiation_) return negotiation_->on_local_candidate(event.value);
  streams.ice_candidates->push(std::move(event.value));
}

void peer_state::handle(peer::ice_candidate_error_event& event) {
  streams.candidate_errors->push(std::move(event.value));
}

void peer_state::handle(peer::negotiation_needed_event&) { tell_negotiation_needed(); }

void peer_state::tell_negotiation_needed() {
  if (negotiation_) return negotiation_->on_negotiation_needed();
  streams.negotiation_needed->push(negotiation_needed_event());
}

void peer_state::handle(peer::selected_pair_event& event) {
  {
    const std::lock_guard lock(mutex_);
    snapshot_.selected = event.value;
  }
  streams.selected_pairs->push(std::move(event.value));
}

void peer_state::handle(datachannel::event& event) {
  std::visit([this](auto& each) { handle(each); }, event);
}

void peer_state::handle(datachannel::channel_opened_by_peer& event) {
  const auto info = core().channels().info(event.key);
  if (!info) return;
  auto channel = channel_state::create(self(), info->label, info->init);
  watch_messages(channel);
  adopt(channel, event.key);
  streams.data_channels->push(data_channel(std::move(channel)));
}

void peer_state::handle(datachannel::channel_state_changed& event) {
  const auto channel = find(event.key);
  if (!channel) return;
  if (const auto info = core().channels().info(event.key)) channel->publish_id(info->id);
  const bool closed = event.now == data_channel_state::closed;
  // Whoever waits for the end, perhaps on another thread, may use the id again.
  if (closed) release_id(*channel);
  channel->publish_state(event.now, event.reason.code);
  if (closed) retire(*channel);
}

void peer_state::handle(datachannel::message_received& event) {
  const auto channel = find(event.key);
  const std::size_t size = event.value.size();
  if (channel) channel->unread += size;
  const bool taken =
      channel && !channel->dropped && channel->messages->push(std::move(event.value));
  // Nobody will read it, so it must not count against the budget.
  if (!taken) {
    if (channel) channel->unread -= size;
    return core().channels().consumed(now(), event.key, size);
  }
  channel->drop_oldest();
}

void peer_state::handle(datachannel::buffered_amount_low& event) {
  if (const auto channel = find(event.key)) {
    publish_in_flight(*channel);  // before somebody asks because of the event
    channel->low_events->push(buffered_amount_low_event());
  }
}

void peer_state::handle(peer::sctp_state_event&) { publish_sctp(); }

std::shared_ptr<channel_state> peer_state::find(datachannel::channel_key key) const {
  const auto found = channels_.find(static_cast<std::uint64_t>(key));
  return found == channels_.end() ? nullptr : found->second;
}

void peer_state::retire(channel_state& channel) {
  const auto key = *channel.key;
  channel.last_stats = std::make_unique<const data_channel_stats>(
      core().channel_stats(now(), key).value_or(data_channel_stats()));
  channel.retired = true;
  forget_once_read(channel);
  if (channel.dropped) channels_.erase(static_cast<std::uint64_t>(key));
}

void peer_state::forget_once_read(const channel_state& channel) {
  if (!channel.dropped && channel.messages->size() != 0) return;
  core().channels().forget(*channel.key);
}

void peer_state::release_id(const channel_state& channel) {
  if (!channel.init.negotiated) return;
  const std::lock_guard lock(mutex_);
  negotiated_ids_.erase(*channel.init.id);
}

void peer_state::close_channel(std::shared_ptr<channel_state> channel, bool dropped) {
  if (dropped) forget_consumed(channel);
  on_strand([self = self(), channel = std::move(channel), dropped] {
    if (!channel->key) return;
    channel->dropped = channel->dropped || dropped;
    if (self->stopping_ || channel->last_stats) {
      if (!dropped) return;
      self->channels_.erase(static_cast<std::uint64_t>(*channel->key));
      if (self->stopping_) return;
      self->forget_once_read(*channel);
      return self->pump();
    }
    self->flush_outbound();
    if (dropped) {
      self->core().channels().discard_received(self->now(), *channel->key);
    }
    self->core().channels().close(self->now(), *channel->key);
    channel->discard_unread();
    self->pump();
  });
}

void peer_state::publish_descriptions() {
  if (stopping_) return;
  peer::peer& now = core();
  auto current_local = now.current_local_description();
  auto pending_local = now.pending_local_description();
  auto current_remote = now.current_remote_description();
  auto pending_remote = now.pending_remote_description();
  {
    const std::lock_guard lock(mutex_);
    if (current_local || pending_local) snapshot_.described = true;
    snapshot_.current_local = std::move(current_local);
    snapshot_.pending_local = std::move(pending_local);
    snapshot_.current_remote = std::move(current_remote);
    snapshot_.pending_remote = std::move(pending_remote);
    snapshot_.can_trickle = now.can_trickle_ice_candidates();
  }
  publish_sctp();
  publish_channel_ids();
}

void peer_state::publish_sctp() {
  const auto known = core().sctp();
  if (!known) return;
  max_message_size_ = known->max_message_size;
  sctp_transport_info shown;
  shown.max_message_size = known->max_message_size;
  shown.max_channels = known->max_channels;
  shown.state = known->state;
  const std::lock_guard lock(mutex_);
  snapshot_.sctp = shown;
}

void peer_state::publish_channel_ids() {
  if (stopping_) return;
  for (const auto& [key, channel] : channels_) {
    if (channel->id()) continue;
    if (const auto info = core().channels().info(*channel->key)) channel->publish_id(info->id);
  }
}

}  // namespace asiortc::inline ASIORTC_ABI::detail

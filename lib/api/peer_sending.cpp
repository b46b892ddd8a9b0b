// Messages between the handles' front and the core on the strand.
#include "api/peer_state.hpp"

#include <algorithm>
#include <utility>

namespace asiortc::inline ASIORTC_ABI::detail {
namespace {

/// One burst of segmented sends holds about so much; waiting for more would only add latency.
constexpr std::size_t full_batch_bytes = 64 * 1024;
/// Readers report what they took in steps, so that a small message costs no hop of its own.
constexpr std::size_t report_step_bytes = 64 * 1024;
/// What the table counts for a message besides its bytes.
constexpr std::size_t message_overhead = 64;

}  // namespace

std::uint64_t peer_state::enqueue(std::shared_ptr<channel_state> channel, message value) {
  const std::lock_guard lock(mutex_);
  outbound_bytes_ += value.size();
  const std::uint64_t serial = next_serial_++;
  outbound_.push_back({std::move(channel), std::move(value), serial});
  return serial;
}

void peer_state::schedule_drain() {
  std::size_t seen = 0;
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(drain_scheduled_, true)) return;
    seen = outbound_.size();
  }
  on_strand([self = self(), seen] { self->drain(seen); });
}

// While senders keep adding, each turn lets them: a batch that leaves together costs one system
// call where single messages would cost one each. A lone message leaves at the first turn.
void peer_state::drain(std::size_t seen) {
  {
    const std::lock_guard lock(mutex_);
    const std::size_t size = outbound_.size();
    if (size > seen && outbound_bytes_ < full_batch_bytes) {
      on_strand([self = self(), size] { self->drain(size); });
      return;
    }
    drain_scheduled_ = false;
  }
  if (stopping_) return;
  flush_outbound();
  pump();
}

void peer_state::flush_outbound() {
  std::deque<outbound> batch;
  {
    const std::lock_guard lock(mutex_);
    batch.swap(outbound_);
    outbound_bytes_ = 0;
  }
  for (auto& item : batch) hand_to_table(std::move(item), now());
}

void peer_state::hand_to_table(outbound&& item, base::time_point at) {
  channel_state& channel = *item.channel;
  const std::size_t size = item.value.size();
  channel.note_handed_over(size);
  if (!channel.key) return channel.release(item.serial, size, errc::invalid_state);
  const auto ticket = core().channels().send(at, *channel.key, std::move(item.value));
  if (ticket.has_error()) {
    note_refusal(ticket.error());
    return channel.release(item.serial, size, ticket.error().code);
  }
  channel.with_table.push_back({*ticket, item.serial, size});
  if (!std::exchange(channel.active, true)) active_.push_back(std::move(item.channel));
}

void peer_state::handle(datachannel::send_finished& event) {
  const auto channel = find(event.key);
  if (!channel) return;
  auto& waiting = channel->with_table;
  const auto found = std::find_if(waiting.begin(), waiting.end(),
                                  [&](const auto& each) { return each.ticket == event.ticket; });
  if (found == waiting.end()) return;
  const channel_state::ticketed done = *found;
  waiting.erase(found);
  // A message that became too old was to be dropped: its channel is unreliable.
  const bool lost = event.error && event.error != boost::system::errc::timed_out;
  channel->release(done.serial, done.size, lost ? event.error : boost::system::error_code());
}

void peer_state::cancel_send(std::shared_ptr<channel_state> channel, std::uint64_t serial,
                             std::shared_ptr<void_operation> waiting) {
  on_strand([self = self(), channel = std::move(channel), serial, waiting = std::move(waiting)] {
    if (self->stopping_ || !self->take_back(*channel, serial, *waiting)) waiting->complete({});
  });
}

bool peer_state::take_back(channel_state& channel, std::uint64_t serial, void_operation& waiting) {
  flush_outbound();
  auto& queued = channel.with_table;
  const auto found = std::find_if(queued.begin(), queued.end(),
                                  [&](const auto& each) { return each.serial == serial; });
  if (found == queued.end() || !core().channels().cancel_send(*channel.key, found->ticket)) {
    pump();
    return false;
  }
  const std::size_t size = found->size;
  queued.erase(found);
  // First, since it is itself one of those that the room lets go on.
  waiting.complete(boost::asio::error::operation_aborted);
  channel.release(serial, size, {});
  pump();
  return true;
}

void peer_state::start_flush(std::shared_ptr<channel_state> channel,
                             std::shared_ptr<void_operation> waiting) {
  on_strand([self = self(), channel = std::move(channel), waiting = std::move(waiting)] {
    if (self->stopping_ || !channel->key) return waiting->complete(errc::invalid_state);
    self->flush_outbound();
    const auto ticket = self->core().channels().flush(*channel->key);
    if (ticket.has_error()) return waiting->complete(ticket.error().code);
    self->flushes_.emplace(flush_id(*channel->key, *ticket), waiting);
    self->pump();
  });
}

void peer_state::handle(datachannel::flushed& event) {
  const auto found = flushes_.find(flush_id(event.key, event.ticket));
  if (found == flushes_.end()) return;
  if (const auto channel = find(event.key)) publish_in_flight(*channel);
  found->second->complete(event.error);
  flushes_.erase(found);
}

void peer_state::note_consumed(const std::shared_ptr<channel_state>& channel, std::size_t size) {
  {
    const std::lock_guard lock(mutex_);
    if (!std::exchange(channel->reporting, true)) consumers_.push_back(channel);
    channel->unreported += size;
    unreported_ += size + message_overhead;
    const bool ends = channel->retired && channel->messages->size() == 0;
    if (!ends && unreported_ < std::min(report_step_bytes, config.receive_budget / 16)) return;
    unreported_ = 0;
  }
  on_strand([self = self()] {
    if (self->stopping_) return;
    self->report_consumed();
    self->pump();
  });
}

void peer_state::forget_consumed(const std::shared_ptr<channel_state>& channel) {
  const std::lock_guard lock(mutex_);
  if (std::exchange(channel->reporting, false)) std::erase(consumers_, channel);
}

void peer_state::report_consumed() {
  std::vector<std::pair<std::shared_ptr<channel_state>, std::size_t>> taken;
  {
    const std::lock_guard lock(mutex_);
    for (auto& channel : std::exchange(consumers_, {})) {
      const std::size_t size = std::exchange(channel->unreported, 0);
      channel->reporting = false;
      taken.emplace_back(std::move(channel), size);
    }
  }
  for (const auto& [channel, size] : taken) {
    if (!channel->key) continue;
    core().channels().consumed(now(), *channel->key, size);
    if (channel->retired) forget_once_read(*channel);
  }
}

void peer_state::publish_in_flight() {
  if (stopping_) return;
  std::erase_if(active_, [this](const std::shared_ptr<channel_state>& channel) {
    channel->active = publish_in_flight(*channel) != 0;
    return !channel->active;
  });
}

std::size_t peer_state::publish_in_flight(channel_state& channel) {
  const std::size_t bytes = channel.key ? core().channels().buffered_amount(*channel.key) : 0;
  channel.publish_in_flight(bytes);
  return bytes;
}

}  // namespace asiortc::inline ASIORTC_ABI::detail

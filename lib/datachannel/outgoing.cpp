#include "datachannel/outgoing.hpp"

#include <algorithm>
#include <utility>

namespace asiortc::datachannel {

void outgoing::push(outgoing_message message) {
  if (message.is_user_data()) buffered_ += message.payload.size();
  queue_.push_back(std::move(message));
}

bool outgoing::holds_user_data() const { return !queue_.empty() && queue_.back().is_user_data(); }

void outgoing::restart_clock(base::time_point now) {
  for (outgoing_message& message : queue_) message.queued_at = now;
}

void outgoing::front_sent(std::size_t wire_bytes) {
  const outgoing_message message = queue_.pop_front();
  const bool user_data = message.is_user_data() && !message.payload.empty();
  sent_ += wire_bytes;
  if (!in_flight_.empty() && in_flight_.back().user_data == user_data) {
    in_flight_.back().bytes += wire_bytes;
  } else {
    in_flight_.push_back({wire_bytes, user_data});
  }
  place_flushes();
}

void outgoing::front_dropped() {
  const outgoing_message message = queue_.pop_front();
  if (message.is_user_data()) buffered_ -= message.payload.size();
  place_flushes();
}

bool outgoing::cancel(std::uint64_t ticket) {
  const auto found = std::ranges::find(queue_, ticket, &outgoing_message::ticket);
  if (ticket == 0 || found == queue_.end()) return false;
  buffered_ -= found->payload.size();
  queue_.erase(found);
  place_flushes();
  return true;
}

std::vector<std::uint64_t> outgoing::drop_queued() {
  std::vector<std::uint64_t> tickets;
  for (const outgoing_message& message : queue_) {
    if (!message.is_user_data()) continue;
    buffered_ -= message.payload.size();
    tickets.push_back(message.ticket);
  }
  queue_.clear();
  return tickets;
}

void outgoing::acknowledge(std::size_t wire_bytes) {
  while (wire_bytes > 0 && !in_flight_.empty()) {
    flight& oldest = in_flight_.front();
    const std::size_t part = std::min(wire_bytes, oldest.bytes);
    oldest.bytes -= part;
    wire_bytes -= part;
    acknowledged_ += part;
    if (oldest.user_data) buffered_ -= part;
    if (oldest.bytes == 0) in_flight_.pop_front();
  }
}

void outgoing::acknowledge_all() { acknowledge(static_cast<std::size_t>(sent_ - acknowledged_)); }

void outgoing::add_flush(std::uint64_t ticket) {
  flush_waiter waiter;
  waiter.ticket = ticket;
  if (holds_user_data()) {
    waiter.last_message = queue_.back().ticket;
  } else {
    waiter.position = sent_;
  }
  flushes_.push_back(waiter);
}

void outgoing::place_flushes() {
  // Those that have a position stand before those that have none.
  auto waiter = std::partition_point(flushes_.begin(), flushes_.end(),
                                     [](const auto& each) { return each.position.has_value(); });
  for (; waiter != flushes_.end(); ++waiter) {
    if (!queue_.empty() && queue_.front().ticket <= waiter->last_message) return;
    waiter->position = sent_;
  }
}

std::vector<std::uint64_t> outgoing::take_flushed() {
  std::vector<std::uint64_t> done;
  while (!flushes_.empty() && flushes_.front().position &&
         *flushes_.front().position <= acknowledged_) {
    done.push_back(flushes_.pop_front().ticket);
  }
  return done;
}

std::vector<std::uint64_t> outgoing::take_hopeless_flushes(bool all) {
  std::vector<std::uint64_t> hopeless;
  fifo<flush_waiter> kept;
  while (!flushes_.empty()) {
    const flush_waiter waiter = flushes_.pop_front();
    if (all || !waiter.position) {
      hopeless.push_back(waiter.ticket);
    } else {
      kept.push_back(waiter);
    }
  }
  flushes_ = std::move(kept);
  return hopeless;
}

}  // namespace asiortc::datachannel

// How channels end: by draining and resets both ways (RFC 8831 6.7), by refusal, or with all.
#include "datachannel/table_impl.hpp"

#include <cassert>
#include <utility>

namespace asiortc::datachannel {

// Takes a channel that closes one step on, once what it had to send is gone.
void table::impl::continue_closing(channel& which) {
  if (which.info.state != data_channel_state::closing) return;
  if (!which.announced) {
    if (!which.out.holds_user_data()) end_unopened(which, which.end_reason);
  } else if (which.out.empty()) {
    request_reset(*which.info.id, *streams.find(*which.info.id));
  }
}

void table::impl::fail(channel& which, const base::failure& reason) {
  if (which.is_closed()) return;
  if (!which.end_reason.code) which.end_reason = reason;
  drop_queued(which, reason.code);
  if (which.is_live()) {
    set_state(which, data_channel_state::closing, boost::system::error_code{}, reason.detail);
  }
  forget_partial(which);
  settle(which);
}

// The peer was told nothing of it, so there is nothing to reset.
void table::impl::end_unopened(channel& which, const base::failure& reason) {
  drop_queued(which, reason.code ? reason.code : make_error_code(errc::closed));
  const auto id = which.info.id;
  end(which, reason);
  if (id) release_stream(*id);
}

void table::impl::end(channel& which, const base::failure& reason) {
  which.out.acknowledge_all();
  forget_partial(which);
  set_state(which, data_channel_state::closed, reason, "done");
  settle(which);
  if (which.forgotten) graveyard.push_back(which.key);
}

// A stream is reset since what the peer does on it is wrong, or too much.
void table::impl::refuse(std::uint16_t id, std::string_view cause) {
  ++counters.streams_refused;
  settings.log(log_level::info, [&] {
    return "stream " + std::to_string(id) + " is refused: " + std::string(cause);
  });
  stream_slot& slot = streams.slot(id);
  if (slot.owner) {
    fail(*slot.owner, {make_error_code(errc::protocol_violation), std::string(cause)});
    return;
  }
  drop_early(slot);
  request_reset(id, slot);
}

void table::impl::request_reset(std::uint16_t id, stream_slot& slot) {
  if (std::exchange(slot.resetting, true)) return;
  resets.push_back(wire_id(id));
}

void table::impl::handle_incoming_reset(std::uint16_t id) {
  if (!streams.find(id) && !streams.may_answer_reset(id)) return;
  stream_slot& slot = streams.slot(id);
  if (slot.incoming_done) {
    // The next channel on this stream began and ended before our reset was confirmed to us.
    return keep_early(id, {true, sctp::ppid{}, {}});
  }
  slot.incoming_done = true;
  if (channel* const owner = slot.owner) {
    // Nobody reads at the other end any more, so what is queued is not sent (webrtc-pc 6.2).
    drop_queued(*owner, errc::remote_closed);
    owner->announced = true;
    if (owner->is_live()) {
      set_state(*owner, data_channel_state::closing, boost::system::error_code{},
                "the peer reset its side");
    }
    settle(*owner);
  } else {
    // RFC 8831 6.7: the other side resets, too; also for a channel that was never made here.
    drop_early(slot);
    request_reset(id, slot);
  }
  if (slot.outgoing_done) release_stream(id);
}

void table::impl::handle_outgoing_reset(std::uint16_t id) {
  stream_slot* const slot = streams.find(id);
  if (!slot || !slot->resetting) return;
  slot->outgoing_done = true;
  if (slot->owner) {
    // The reset waited for all that was sent before.
    slot->owner->out.acknowledge_all();
    settle(*slot->owner);
  }
  if (slot->incoming_done) release_stream(id);
}

// The stream is at rest; what came for its next user is looked at now.
void table::impl::release_stream(std::uint16_t id) {
  stream_slot* const slot = streams.find(id);
  assert(slot);
  channel* const owner = slot->owner;
  const bool refused = slot->refuse_next;
  fifo<early_item> items = std::exchange(slot->early, {});
  streams.release(id);
  if (owner && !owner->is_closed()) end(*owner, owner->end_reason);
  if (refused) refuse(id, "more data than may wait for its channel");
  while (!items.empty()) {
    early_item item = items.pop_front();
    early_cost -= item.payload.size() + early_overhead;
    if (item.is_reset) {
      handle_incoming_reset(id);
    } else {
      handle_message(id, item.ppid, std::move(item.payload));
    }
  }
}

void table::impl::detach(const base::failure& reason) {
  if (ended) return;
  ended = reason;
  association = nullptr;
  connected = false;
  paused = false;
  resets.clear();
  held_opens.clear();
  const auto code = reason.code ? reason.code : make_error_code(errc::closed);
  for (const auto& [key, each] : channels) {
    if (each->is_closed()) continue;
    const stream_slot* const slot = each->info.id ? streams.find(*each->info.id) : nullptr;
    // Both sides had nothing more to say, only a confirmation is missing: that is orderly.
    const bool was_over = slot && (slot->incoming_done || slot->outgoing_done);
    for (const std::uint64_t ticket : each->out.drop_queued()) {
      events.push_back(send_finished{key, ticket, code});
    }
    for (const std::uint64_t ticket : each->out.take_hopeless_flushes(true)) {
      events.push_back(flushed{key, ticket, code});
    }
    end(*each, was_over || each->end_reason.code ? each->end_reason : reason);
  }
  streams.clear();
  early_cost = 0;
}

}  // namespace asiortc::datachannel

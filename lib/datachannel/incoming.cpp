// What comes in: messages to their channels, OPENs to new ones, and what is too early to a waiting
// place that is bounded.
#include "datachannel/dcep.hpp"
#include "datachannel/table_impl.hpp"

#include <cassert>
#include <utility>

namespace asiortc::datachannel {
namespace {

bool is_text(sctp::ppid ppid) {
  return ppid == sctp::ppid::string || ppid == sctp::ppid::string_partial ||
         ppid == sctp::ppid::string_empty;
}

bool is_user_data(sctp::ppid ppid) {
  switch (ppid) {
    case sctp::ppid::string:
    case sctp::ppid::binary_partial:
    case sctp::ppid::binary:
    case sctp::ppid::string_partial:
    case sctp::ppid::string_empty:
    case sctp::ppid::binary_empty:
      return true;
    case sctp::ppid::dcep:
      break;
  }
  return false;
}

}  // namespace

void table::impl::handle_message(std::uint16_t id, sctp::ppid ppid, base::bytes payload) {
  if (ppid != sctp::ppid::dcep && !is_user_data(ppid)) {
    ++counters.unknown_ppids;
    return;
  }
  stream_slot* const slot = streams.find(id);
  // Then our reset is not confirmed to us yet, but the peer knows of it and has begun anew.
  const bool is_next_channel = slot && slot->incoming_done;
  if (!is_next_channel) {
    if (ppid == sctp::ppid::dcep) return handle_dcep(id, payload);
    if (slot && slot->owner) return deliver(*slot->owner, ppid, std::move(payload));
    if (slot && slot->resetting) {
      ++counters.messages_dropped;
      return;
    }
  }
  // Else it is for a negotiated channel that is not made here yet, or came before its OPEN.
  keep_early(id, {false, ppid, std::move(payload)});
}

void table::impl::handle_dcep(std::uint16_t id, base::byte_span payload) {
  const auto type = dcep::type_of(payload);
  if (type == dcep::message_type::open) return handle_open(id, payload);
  if (type == dcep::message_type::ack) {
    const stream_slot* const slot = streams.find(id);
    if (slot && slot->owner && slot->owner->awaiting_ack) {
      slot->owner->awaiting_ack = false;
    } else {
      ++counters.dcep_ignored;
    }
    return;
  }
  refuse(id, "a DCEP message of unknown type");
}

void table::impl::handle_open(std::uint16_t id, base::byte_span payload) {
  stream_slot* const slot = streams.find(id);
  if (slot && !slot->owner && slot->resetting) return;
  if (slot && slot->owner) return refuse(id, "an OPEN on a stream in use");
  if (streams.is_ours(id)) return refuse(id, "an OPEN of the wrong parity");
  auto open = dcep::parse_open(payload);
  if (!open) return refuse(id, "a malformed OPEN");
  const std::size_t bytes = open->label.size() + open->init.protocol.size();
  const bool too_many =
      channels.size() >= settings.max_channels || text_of_peer + bytes > settings.max_text_bytes;
  if (too_many || (refuses_opens && !may_wait(bytes))) return refuse(id, "too many channels");
  if (!may_wait(bytes)) {
    held_opens.push_back({id, {payload.begin(), payload.end()}});
    return update_pause();
  }
  open->init.id = id;
  channel& made = add_channel(std::move(open->label), std::move(open->init));
  made.info.id = id;
  made.announced = true;
  made.text_of_peer = bytes;
  text_of_peer += bytes;
  unaccepted.emplace(made.key, bytes);
  unaccepted_bytes += bytes;
  set_state(made, data_channel_state::open, boost::system::error_code{}, "OPEN received");
  streams.take(id, made);
  made.out.push({outgoing_kind::ack, 0, {}, dcep::write_ack()});
  schedule(made);
  settle(made);
  adopt_early(made, std::exchange(streams.slot(id).early, {}));
}

bool table::impl::may_wait(std::size_t text_bytes) const {
  return unaccepted.size() < settings.max_unaccepted &&
         unaccepted_bytes + text_bytes <= settings.max_unaccepted_bytes;
}

void table::impl::retry_held_opens(base::time_point now) {
  if (held_since && now - *held_since >= settings.acceptance_time) refuses_opens = true;
  for (auto waiting = std::exchange(held_opens, {}); !waiting.empty();) {
    const held_open each = waiting.pop_front();
    handle_open(each.id, each.payload);
  }
  update_pause();
}

void table::impl::keep_early(std::uint16_t id, early_item item) {
  stream_slot& slot = streams.slot(id);
  if (slot.refuse_next) {
    ++counters.messages_dropped;
    return;
  }
  const std::size_t cost = item.payload.size() + early_overhead;
  if (early_cost + cost > settings.max_early_bytes) {
    // Dropping one silently would break reliability: the peer is told by a reset instead.
    ++counters.messages_dropped;
    drop_early(slot);
    if (slot.incoming_done) {
      slot.refuse_next = true;
    } else {
      refuse(id, "more data than may wait for its channel");
    }
    return;
  }
  early_cost += cost;
  streams.mark_used(id);
  slot.early.push_back(std::move(item));
}

void table::impl::adopt_early(channel& which, fifo<early_item> items) {
  while (!items.empty()) {
    early_item item = items.pop_front();
    early_cost -= item.payload.size() + early_overhead;
    assert(!item.is_reset && item.ppid != sctp::ppid::dcep);
    deliver(which, item.ppid, std::move(item.payload));
  }
}

void table::impl::drop_early(stream_slot& slot) {
  while (!slot.early.empty()) {
    early_cost -= slot.early.pop_front().payload.size() + early_overhead;
    ++counters.messages_dropped;
  }
}

void table::impl::deliver(channel& which, sctp::ppid ppid, base::bytes payload) {
  // RFC 8832 6: "… or any other message" stands for the ACK.
  which.awaiting_ack = false;
  if (which.info.state != data_channel_state::open || which.discarding) {
    ++counters.messages_dropped;
    return;
  }
  if (ppid == sctp::ppid::string_empty || ppid == sctp::ppid::binary_empty) payload.clear();
  const bool last = ppid != sctp::ppid::string_partial && ppid != sctp::ppid::binary_partial;
  if (!join_pieces(which, last, payload) || !last) return;
  ++which.info.messages_received;
  which.info.bytes_received += payload.size();
  unread_cost += which.unread.add(payload.size());
  update_pause();
  // Text that is not UTF-8 is passed on as it came: what to do about it is the reader's choice.
  events.push_back(message_received{which.key, message(std::move(payload), is_text(ppid))});
}

// RFC 8831 6.6 had messages cut into pieces of a PPID of their own, the last under the normal one.
bool table::impl::join_pieces(channel& which, bool last, base::bytes& payload) {
  const std::size_t size = which.partial.size() + payload.size();
  const bool too_much = !last && partial_bytes + payload.size() > settings.receive_budget;
  if (size > settings.max_message_size || too_much) {
    fail(which, {make_error_code(errc::message_too_large),
                 "a message of " + std::to_string(size) + " bytes or more, at most " +
                     std::to_string(settings.max_message_size) + " are taken"});
    return false;
  }
  if (last && which.partial.empty()) return true;
  which.partial.insert(which.partial.end(), payload.begin(), payload.end());
  partial_bytes += payload.size();
  if (last) {
    payload = which.partial;
    forget_partial(which);
  }
  return true;
}

void table::impl::forget_partial(channel& which) {
  partial_bytes -= which.partial.size();
  base::bytes().swap(which.partial);
}

void table::impl::discard_received(channel& which) {
  which.discarding = true;
  unread_cost -= which.unread.clear();
  forget_partial(which);
  update_pause();
}

void table::impl::update_pause() {
  const bool full = unread_cost >= settings.receive_budget || !held_opens.empty();
  if (full == paused || !association) return;
  paused = full;
  association->pause_receive(paused);
}

}  // namespace asiortc::datachannel

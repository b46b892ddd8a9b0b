// What the association tells, a function for each.
#include "datachannel/table_impl.hpp"

#include <algorithm>
#include <utility>

namespace asiortc::datachannel {

void table::impl::handle(base::time_point now, const sctp::connected& what) {
  if (std::exchange(connected, true)) return;
  stream_limit =
      std::min<std::uint32_t>(stream_limit, std::min(what.incoming_streams, what.outgoing_streams));
  for (const auto& [key, each] : channels) {
    if (each->is_closed()) continue;
    if (!each->info.id || *each->info.id >= stream_limit) {
      const std::string words =
          each->info.id ? "id " + std::to_string(*each->info.id) + " is not below the " +
                              std::to_string(stream_limit) + " streams that were negotiated"
                        : "no stream id is left";
      end_unopened(*each, {make_error_code(errc::operation_error), words});
      continue;
    }
    each->out.restart_clock(now);
    if (!each->info.init.negotiated) continue;
    each->announced = true;
    if (each->info.state == data_channel_state::connecting) {
      set_state(*each, data_channel_state::open, boost::system::error_code{}, "connected");
    }
  }
}

void table::impl::handle(base::time_point, sctp::message_received& what) {
  if (number(what.stream) >= stream_limit) return;
  handle_message(number(what.stream), what.ppid, std::move(what.payload));
}

void table::impl::handle(base::time_point, const sctp::incoming_streams_reset& what) {
  for (const sctp::stream_id id : what.streams) {
    if (number(id) < stream_limit) handle_incoming_reset(number(id));
  }
  if (!what.streams.empty()) return;
  // RFC 6525 4.1: a request that lists no stream means all.
  std::vector<std::uint16_t> all;
  for (const auto& [id, slot] : streams.slots()) all.push_back(id);
  std::ranges::sort(all);
  for (const std::uint16_t id : all) handle_incoming_reset(id);
}

void table::impl::handle(base::time_point, const sctp::outgoing_streams_reset& what) {
  for (const sctp::stream_id id : what.streams) handle_outgoing_reset(number(id));
}

void table::impl::handle(base::time_point, const sctp::writable&) { blocked = false; }

void table::impl::handle(base::time_point, const sctp::acknowledged& what) {
  const stream_slot* const slot = streams.find(number(what.stream));
  if (!slot || !slot->owner) return;
  slot->owner->out.acknowledge(what.bytes);
  settle(*slot->owner);
}

void table::impl::handle(base::time_point, const sctp::message_too_large& what) {
  const stream_slot* const slot = streams.find(number(what.stream));
  if (slot && slot->owner) {
    fail(*slot->owner, {make_error_code(errc::message_too_large),
                        "more than " + std::to_string(settings.max_message_size) + " bytes"});
  } else if (!slot || !slot->incoming_done) {
    refuse(number(what.stream), "a message that is too large");
  }
}

void table::impl::handle(base::time_point, const sctp::closed& what) { detach(what.reason); }

}  // namespace asiortc::datachannel

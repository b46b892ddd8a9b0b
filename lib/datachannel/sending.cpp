// Handing messages to the association: whose turn it is, and how each goes on the wire.
#include "datachannel/table_impl.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <string>

namespace asiortc::datachannel {
namespace {

// What a channel sends in its turn while others wait: enough for a packet train, little enough that
// nobody waits long.
constexpr std::int64_t turn_bytes = 16 * 1024;

// RFC 8831 6.6: an empty message is sent as one byte, since SCTP cannot send none.
constexpr std::array<std::uint8_t, 1> dummy_byte{0};

sctp::ppid ppid_of(const outgoing_message& message) {
  const bool empty = message.payload.empty();
  switch (message.kind) {
    case outgoing_kind::open:
    case outgoing_kind::ack:
      return sctp::ppid::dcep;
    case outgoing_kind::text:
      return empty ? sctp::ppid::string_empty : sctp::ppid::string;
    case outgoing_kind::binary:
      break;
  }
  return empty ? sctp::ppid::binary_empty : sctp::ppid::binary;
}

std::chrono::milliseconds age(base::time_point now, const outgoing_message& message) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(now - message.queued_at);
}

sctp::send_options options_for(base::time_point now, const channel& which,
                               const outgoing_message& message) {
  sctp::send_options options;
  options.stream = wire_id(*which.info.id);
  options.ppid = ppid_of(message);
  // RFC 8832 5.1 and 5.2: OPEN and ACK go ordered and reliable.
  if (!message.is_user_data()) return options;
  const data_channel_init& init = which.info.init;
  // RFC 8832 6: "… MUST be sent ordered" until the ACK, or any message, came back.
  options.unordered = !init.ordered && !which.awaiting_ack;
  options.max_retransmits = init.max_retransmits;
  if (init.max_packet_life_time) {
    // Never 0, which some engines read as no limit.
    options.lifetime =
        std::max(*init.max_packet_life_time - age(now, message), std::chrono::milliseconds(1));
  }
  return options;
}

}  // namespace

void table::impl::schedule(channel& which) {
  if (which.scheduled || which.out.empty()) return;
  which.scheduled = true;
  ring.push_back(&which);
}

void table::impl::pump(base::time_point now) {
  if (!connected) return;
  while (!blocked && !ring.empty()) {
    channel& next = *ring.front();
    if (next.out.empty()) {
      ring.pop_front();
      next.scheduled = false;
    } else if (next.credit <= 0) {
      // Whoever is alone owes nobody a turn.
      next.credit = ring.size() == 1 ? turn_bytes : next.credit + turn_bytes;
      ring.push_back(ring.pop_front());
    } else {
      send_front(now, next);
    }
  }
}

void table::impl::send_front(base::time_point now, channel& which) {
  const outgoing_message& message = which.out.front();
  const bool is_user_data = message.is_user_data();
  const std::uint64_t most = remote_max_message_size.value_or(default_max_message_size);
  if (is_user_data && most != 0 && message.payload.size() > most) {
    // It came before the peer's limit was known here. To go on without it would be to lose it.
    return fail(which, {make_error_code(errc::message_too_large),
                        "a message has " + std::to_string(message.payload.size()) +
                            " bytes, the peer takes at most " + std::to_string(most)});
  }
  const auto life_time = which.info.init.max_packet_life_time;
  if (is_user_data && life_time && age(now, message) > *life_time) {
    return give_up_front(which,
                         boost::system::errc::make_error_code(boost::system::errc::timed_out));
  }
  base::byte_span payload = message.payload;
  if (payload.empty()) payload = dummy_byte;
  const auto taken = association->send(now, options_for(now, which, message), payload);
  if (taken.has_error()) return fail(which, taken.error());
  if (!*taken) {
    blocked = true;
    return;
  }
  which.credit -= static_cast<std::int64_t>(payload.size());
  front_was_sent(which, payload.size());
}

void table::impl::front_was_sent(channel& which, std::size_t wire_bytes) {
  const outgoing_message& message = which.out.front();
  const outgoing_kind kind = message.kind;
  if (message.is_user_data()) {
    ++which.info.messages_sent;
    which.info.bytes_sent += message.payload.size();
    events.push_back(send_finished{which.key, message.ticket, {}});
  }
  which.out.front_sent(wire_bytes);
  if (kind == outgoing_kind::open) open_message_sent(which);
  settle(which);
}

void table::impl::give_up_front(channel& which, boost::system::error_code why) {
  events.push_back(send_finished{which.key, which.out.front().ticket, why});
  which.out.front_dropped();
  settle(which);
}

void table::impl::open_message_sent(channel& which) {
  // RFC 8832 6: data may follow the OPEN at once, so the channel is open as browsers have it.
  which.awaiting_ack = true;
  which.announced = true;
  if (which.info.state == data_channel_state::connecting) {
    set_state(which, data_channel_state::open, boost::system::error_code{}, "OPEN sent");
  }
}

void table::impl::drop_queued(channel& which, boost::system::error_code why) {
  for (const std::uint64_t ticket : which.out.drop_queued()) {
    events.push_back(send_finished{which.key, ticket, why});
  }
  for (const std::uint64_t ticket : which.out.take_hopeless_flushes(false)) {
    events.push_back(flushed{which.key, ticket, why});
  }
}

}  // namespace asiortc::datachannel

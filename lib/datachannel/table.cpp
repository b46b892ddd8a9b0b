// What the owner of the table calls.
#include "datachannel/table.hpp"

#include "base/utf8.hpp"
#include "datachannel/dcep.hpp"
#include "datachannel/table_impl.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

namespace asiortc::datachannel {
namespace {

base::failure refusal(errc code, std::string words) {
  return {make_error_code(code), std::move(words)};
}

// What is wrong with the arguments of a new channel, if anything is (webrtc-pc 6.1).
std::optional<base::failure> complaint(const std::string& label, const data_channel_init& init) {
  const auto bad_text = [](std::string_view text) {
    return text.size() > dcep::max_text || !base::is_valid_utf8(text);
  };
  if (bad_text(label))
    return refusal(errc::type_error, "label must be UTF-8 of at most 65535 bytes");
  if (bad_text(init.protocol)) {
    return refusal(errc::type_error, "protocol must be UTF-8 of at most 65535 bytes");
  }
  if (init.max_retransmits && init.max_packet_life_time) {
    return refusal(errc::type_error, "max_retransmits and max_packet_life_time exclude each other");
  }
  if (init.max_packet_life_time &&
      (init.max_packet_life_time->count() < 0 || init.max_packet_life_time->count() > 65535)) {
    return refusal(errc::type_error, "max_packet_life_time must be 0 to 65535 ms");
  }
  if (init.negotiated && !init.id) {
    return refusal(errc::type_error, "a negotiated channel needs an id");
  }
  if (init.negotiated && *init.id == 65535) {
    return refusal(errc::type_error, "id must be 0 to 65534");
  }
  return std::nullopt;
}

}  // namespace

channel* table::impl::find(channel_key key) const {
  const auto found = channels.find(key);
  return found == channels.end() ? nullptr : found->second.get();
}

channel& table::impl::add_channel(std::string label, data_channel_init init) {
  auto made = std::make_unique<channel>();
  made->key = static_cast<channel_key>(next_key++);
  made->info.label = std::move(label);
  made->info.init = std::move(init);
  return *channels.emplace(made->key, std::move(made)).first->second;
}

void table::impl::set_state(channel& which, data_channel_state now, const base::failure& reason,
                            std::string_view cause) {
  assert(which.info.state != now && !which.is_closed());
  settings.log(log_level::debug, [&] {
    return "channel " + std::to_string(static_cast<std::uint64_t>(which.key)) + " " +
           std::string(to_string(which.info.state)) + " -> " + std::string(to_string(now)) + ": " +
           std::string(cause) + (reason.code ? " (" + reason.code.message() + ")" : "");
  });
  const bool leaves_open = which.info.state == data_channel_state::open;
  if (leaves_open) ++counters.channels_closed;
  which.info.state = now;
  if (now == data_channel_state::open) {
    ++counters.channels_opened;
    // One that the peer opened is told by an event of its own.
    if (unaccepted.contains(which.key)) {
      events.push_back(channel_opened_by_peer{which.key});
      return;
    }
  }
  events.push_back(channel_state_changed{which.key, now, reason});
}

void table::impl::settle(channel& which) {
  const std::size_t before = std::exchange(which.info.buffered_amount, which.out.buffered_amount());
  const std::size_t after = which.info.buffered_amount;
  buffered_total += after;
  buffered_total -= before;
  if (before > which.low_threshold && after <= which.low_threshold && !which.is_closed()) {
    events.push_back(buffered_amount_low{which.key});
  }
  for (const std::uint64_t ticket : which.out.take_flushed()) {
    events.push_back(flushed{which.key, ticket, {}});
  }
  continue_closing(which);
  const bool busy =
      !which.is_closed() && (!which.out.idle() || which.info.state == data_channel_state::closing);
  if (busy != which.busy) {
    which.busy = busy;
    busy_channels += busy ? std::size_t{1} : static_cast<std::size_t>(-1);
  }
}

void table::impl::finish_call(base::time_point now) {
  pump(now);
  if (!resets.empty() && connected) {
    const auto asked = std::exchange(resets, {});
    association->reset_streams(now, asked);
  }
  for (const channel_key key : std::exchange(graveyard, {})) {
    if (channel* const which = find(key)) erase(*which);
  }
}

void table::impl::erase(channel& which) {
  assert(which.is_closed());
  discard_received(which);
  if (which.scheduled) ring.erase(std::ranges::find(ring, &which));
  text_of_peer -= which.text_of_peer;
  channels.erase(which.key);
}

table::table(datachannel::settings settings) : impl_(std::make_unique<impl>(std::move(settings))) {}
table::~table() = default;
table::table(table&&) noexcept = default;
table& table::operator=(table&&) noexcept = default;

void table::set_dtls_client(bool client) {
  if (impl_->streams.has_parity()) return;
  impl_->streams.set_parity(client);
  for (const auto& [key, each] : impl_->channels) {
    if (each->is_closed() || each->info.id) continue;
    each->info.id = impl_->streams.allocate(impl_->stream_limit);
    if (each->info.id) impl_->streams.take(*each->info.id, *each);
  }
}

void table::set_remote_max_message_size(std::uint64_t size) {
  impl_->remote_max_message_size = size;
}

void table::attach(base::time_point now, sctp::association& association) {
  assert(!impl_->association && impl_->streams.has_parity());
  if (impl_->ended) return;
  impl_->association = &association;
  impl_->update_pause();
  handle_association_events(now);
}

void table::handle_association_events(base::time_point now) {
  impl_->retry_held_opens(now);
  while (impl_->association && impl_->held_opens.empty()) {
    auto next = impl_->association->poll_event();
    if (!next) break;
    std::visit([&](auto& each) { impl_->handle(now, each); }, *next);
  }
  if (impl_->held_opens.empty()) {
    impl_->held_since.reset();
  } else if (!impl_->held_since) {
    impl_->held_since = now;
  }
  impl_->finish_call(now);
}

void table::detach(base::failure reason) {
  impl_->detach(reason);
  impl_->finish_call(base::time_point());
}

base::result<channel_key> table::create(base::time_point now, std::string label,
                                        data_channel_init init) {
  auto made = impl_->create(now, std::move(label), std::move(init));
  impl_->finish_call(now);
  return made;
}

base::result<channel_key> table::impl::create(base::time_point now, std::string label,
                                              data_channel_init init) {
  if (ended) return refusal(errc::invalid_state, "the association has ended");
  if (auto wrong = complaint(label, init)) return std::move(*wrong);
  if (channels.size() >= settings.max_channels) {
    return refusal(errc::operation_error,
                   "there are " + std::to_string(channels.size()) + " channels already");
  }
  std::optional<std::uint16_t> id;
  if (init.negotiated) {
    id = init.id;
    const stream_slot* const slot = streams.find(*id);
    if (slot && (slot->owner || slot->resetting)) {
      return refusal(errc::operation_error, "id " + std::to_string(*id) + " is in use");
    }
    if (*id >= stream_limit) {
      return refusal(errc::operation_error, "id " + std::to_string(*id) + " is not below the " +
                                                std::to_string(stream_limit) +
                                                " streams that were negotiated");
    }
  } else {
    init.id.reset();
    id = streams.allocate(stream_limit);
    if (!id && streams.has_parity()) {
      return refusal(errc::operation_error, "no stream id is left");
    }
  }
  channel& made = add_channel(std::move(label), std::move(init));
  made.info.id = id;
  if (id) streams.take(*id, made);
  if (!made.info.init.negotiated) {
    made.out.push({outgoing_kind::open, 0, now, dcep::write({made.info.label, made.info.init})});
    schedule(made);
    settle(made);
  } else if (connected) {
    made.announced = true;
    set_state(made, data_channel_state::open, boost::system::error_code{}, "negotiated");
    adopt_early(made, std::exchange(streams.slot(*id).early, {}));
  }
  return made.key;
}

void table::accept(channel_key key) {
  const auto found = impl_->unaccepted.find(key);
  if (found == impl_->unaccepted.end()) return;
  impl_->unaccepted_bytes -= found->second;
  impl_->unaccepted.erase(found);
  impl_->held_since.reset();
  impl_->refuses_opens = false;
}

base::result<std::uint64_t> table::send(base::time_point now, channel_key key, message value) {
  channel* const which = impl_->find(key);
  if (!which || !which->is_live()) {
    return refusal(errc::invalid_state, "the channel is neither connecting nor open");
  }
  if (value.is_text() && !base::is_valid_utf8(value.text())) {
    return refusal(errc::type_error, "the text is not UTF-8");
  }
  const std::uint64_t ticket = impl_->next_ticket++;
  const auto kind = value.is_text() ? outgoing_kind::text : outgoing_kind::binary;
  which->out.push({kind, ticket, now, std::move(value).take()});
  impl_->schedule(*which);
  impl_->settle(*which);
  impl_->finish_call(now);
  return ticket;
}

bool table::cancel_send(channel_key key, std::uint64_t ticket) {
  channel* const which = impl_->find(key);
  if (!which || !which->out.cancel(ticket)) return false;
  impl_->settle(*which);
  return true;
}

base::result<std::uint64_t> table::flush(channel_key key) {
  channel* const which = impl_->find(key);
  if (!which || which->is_closed()) return refusal(errc::invalid_state, "the channel is closed");
  const std::uint64_t ticket = impl_->next_ticket++;
  which->out.add_flush(ticket);
  impl_->settle(*which);
  return ticket;
}

void table::set_low_threshold(channel_key key, std::size_t bytes) {
  if (channel* const which = impl_->find(key)) which->low_threshold = bytes;
}

void table::close(base::time_point now, channel_key key) {
  channel* const which = impl_->find(key);
  if (!which || which->is_closed()) return;
  impl_->discard_received(*which);
  if (which->is_live()) {
    impl_->set_state(*which, data_channel_state::closing, boost::system::error_code{},
                     "closed here");
  }
  impl_->settle(*which);
  impl_->finish_call(now);
}

void table::consumed(base::time_point, channel_key key, std::size_t bytes) {
  channel* const which = impl_->find(key);
  if (!which) return;
  impl_->unread_cost -= which->unread.consume(bytes);
  impl_->update_pause();
}

void table::discard_received(base::time_point, channel_key key) {
  if (channel* const which = impl_->find(key)) impl_->discard_received(*which);
}

void table::forget(channel_key key) {
  channel* const which = impl_->find(key);
  if (!which) return;
  which->forgotten = true;
  if (which->is_closed()) impl_->erase(*which);
}

std::optional<event> table::poll_event() {
  while (!impl_->events.empty()) {
    event next = impl_->events.pop_front();
    const auto* const received = std::get_if<message_received>(&next);
    if (received) {
      const channel* const which = impl_->find(received->key);
      if (!which || which->discarding) continue;
    }
    return next;
  }
  return std::nullopt;
}

std::optional<channel_info> table::info(channel_key key) const {
  const channel* const which = impl_->find(key);
  if (!which) return std::nullopt;
  return which->info;
}

std::size_t table::buffered_amount(channel_key key) const {
  const channel* const which = impl_->find(key);
  return which ? which->info.buffered_amount : 0;
}

std::size_t table::total_unacknowledged() const { return impl_->buffered_total; }
bool table::idle() const { return impl_->busy_channels == 0; }
std::size_t table::max_channels() const {
  return impl_->connected ? impl_->stream_limit
                          : std::min<std::size_t>(impl_->settings.max_channels, 65535);
}
bool table::connected() const { return impl_->connected; }
void table::revive() { impl_->ended.reset(); }

std::optional<base::failure> table::ended() const { return impl_->ended; }
const counters& table::statistics() const { return impl_->counters; }

}  // namespace asiortc::datachannel

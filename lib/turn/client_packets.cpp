// Packets of the peers, in both directions.
#include "stun/address_codec.hpp"
#include "turn/channel_data.hpp"
#include "turn/client_impl.hpp"

#include <algorithm>

namespace asiortc::turn {
namespace {

using stun::attribute_type;

// Checks and a DTLS flight fit; both are sent again by their own protocols if they do not.
constexpr std::size_t most_waiting = 16;
constexpr std::size_t most_waiting_bytes = 16 * 1024;
// A STUN message holds this beside its other attributes, and no UDP datagram is as large.
constexpr std::size_t largest_payload = 65000;

}  // namespace

outcome client::impl::handle_datagram(base::time_point now, const base::datagram& datagram) {
  outcome result;
  if (datagram.from != settings_.server) {
    ++dropped_datagrams_;
    return result;
  }
  if (looks_like_channel_data(datagram.bytes)) {
    handle_channel_data(datagram.bytes, result);
    if (result.relayed) unheard_since_ = base::never;
    return result;
  }
  if (!stun::looks_like_stun(datagram.bytes)) return result;
  const auto message = stun::message_view::parse(datagram.bytes);
  if (message && message->method() == stun::method::binding) return result;
  result.taken = true;
  if (message && message->kind() == stun::message_class::indication) {
    handle_indication(*message, datagram.bytes, result);
    if (result.relayed) unheard_since_ = base::never;
  } else if (message && message->kind() != stun::message_class::request) {
    handle_answer(now, *message);
  } else {
    ++dropped_datagrams_;
  }
  return result;
}

void client::impl::handle_channel_data(base::mutable_byte_span bytes, outcome& result) {
  result.taken = true;
  const auto data = read_channel_data(bytes);
  // One that is asked for is bound on the server before its answer arrives.
  const channel* found = data ? peers_.find(data->number) : nullptr;
  if (found == nullptr) {
    ++dropped_datagrams_;
    return;
  }
  result.relayed = {found->peer, data->payload};
}

void client::impl::handle_indication(const stun::message_view& message,
                                     base::mutable_byte_span bytes, outcome& result) {
  const auto address = message.find(attribute_type::xor_peer_address);
  const auto data = message.find(attribute_type::data);
  const auto peer =
      address ? stun::read_xor_address(*address, message.transaction()) : std::nullopt;
  // RFC 8656 11.4: data from where there is no permission is discarded.
  const permission* allowed = peer ? peers_.find(peer->address) : nullptr;
  if (message.method() != stun::method::data || !data || allowed == nullptr ||
      allowed->now == permission::status::refused || !is_understood(message)) {
    ++dropped_datagrams_;
    return;
  }
  const auto offset = static_cast<std::size_t>(data->data() - bytes.data());
  result.relayed = {*peer, bytes.subspan(offset, data->size())};
}

bool client::impl::send(base::time_point now, const base::endpoint& peer, base::byte_span payload,
                        base::traffic_class kind, base::packet_batch& out) {
  if (state_ != state::allocated || payload.size() > largest_payload) return false;
  channel* through = peers_.find(peer);
  if (through != nullptr && through->now == channel::status::bound) {
    through->last_used = now;
    unheard_since_ = std::min(unheard_since_, now);
    out.set_route(settings_.server, kind);
    write_channel_data(through->number, payload, out);
    return true;
  }
  permission* allowed = permission_for(now, peer);
  if (allowed == nullptr) return false;
  if (allowed->now == permission::status::refused) {
    // The permission is for the address, and this may be another port of it.
    tell_refused(peer, allowed->why);
    return false;
  }
  allowed->last_used = now;
  if (kind == base::traffic_class::data) want_channel(now, peer);
  if (allowed->now == permission::status::asked) {
    return keep_waiting(*allowed, peer, payload, kind);
  }
  unheard_since_ = std::min(unheard_since_, now);
  out.set_route(settings_.server, kind);
  write_indication(peer, payload, out);
  return true;
}

permission* client::impl::permission_for(base::time_point now, const base::endpoint& peer) {
  if (!can_relay_to(peer)) return nullptr;
  permission* found = peers_.find(peer.address);
  if (found != nullptr) return found;
  found = peers_.add(now, peer.address);
  if (found != nullptr) ask(now, stun::method::create_permission, {peer.address, 0});
  return found;
}

void client::impl::want_channel(base::time_point now, const base::endpoint& peer) {
  channel* found = peers_.find(peer);
  if (found == nullptr) {
    if (peers_.add(now, peer) != nullptr) ask(now, stun::method::channel_bind, peer);
    return;
  }
  found->last_used = now;
  // RFC 8656 12: the same number for the same peer may be bound at any time.
  if (found->now == channel::status::resting && !is_asking(stun::method::channel_bind, peer)) {
    found->now = channel::status::asked;
    found->ask_at = base::never;
    found->expires_at = base::never;
    ask(now, stun::method::channel_bind, peer);
  }
}

bool client::impl::keep_waiting(permission& which, const base::endpoint& peer,
                                base::byte_span payload, base::traffic_class kind) {
  if (which.waiting.size() == most_waiting ||
      which.waiting_bytes + payload.size() > most_waiting_bytes) {
    return false;
  }
  which.waiting_bytes += payload.size();
  which.waiting.push_back({peer, kind, {payload.begin(), payload.end()}});
  return true;
}

void client::impl::write_channel_data(std::uint16_t number, base::byte_span payload,
                                      base::packet_batch& out) {
  // RFC 8656 12.5: "Over TCP and TLS-over-TCP, the ChannelData message MUST be padded to a multiple
  // of four bytes"; over UDP it need not be.
  const std::size_t size =
      channel_header_size + (settings_.reliable ? stun::padded(payload.size()) : payload.size());
  const base::mutable_byte_span room = out.allocate(size);
  room[0] = static_cast<std::uint8_t>(number >> 8);
  room[1] = static_cast<std::uint8_t>(number);
  room[2] = static_cast<std::uint8_t>(payload.size() >> 8);
  room[3] = static_cast<std::uint8_t>(payload.size());
  const auto end = std::copy(payload.begin(), payload.end(), room.begin() + channel_header_size);
  std::fill(end, room.end(), std::uint8_t{0});
  out.commit(size);
}

void client::impl::write_indication(const base::endpoint& peer, base::byte_span payload,
                                    base::packet_batch& out) {
  stun::transaction_id id{};
  random_.fill(id);
  stun::message_builder message(stun::message_class::indication, stun::method::send, id);
  message.add_xor_address(attribute_type::xor_peer_address, peer)
      .add(attribute_type::data, payload);
  out.append(message.bytes());
}

}  // namespace asiortc::turn

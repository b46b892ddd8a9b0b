// Requests on their way, and when each thing that expires is asked for again.
#include "turn/client_impl.hpp"

#include <algorithm>

namespace asiortc::turn {
namespace {

using stun::attribute_type;
using stun::method;

// RFC 8656 18.8: the protocol number of UDP, then three reserved bytes.
constexpr std::uint32_t transport_udp = 17U << 24;
// RFC 8656 18.6: "0x02: IPv6", then three reserved bytes.
constexpr std::uint32_t family_ipv6 = 2U << 24;

// A server that was restarted drops what it has no allocation for, and says nothing.
constexpr base::duration probe_after = std::chrono::seconds(2);

constexpr std::uint32_t default_lifetime = 600;
// RFC 8656 8: a LIFETIME of 0 deletes the allocation.
constexpr std::uint32_t no_lifetime = 0;

/// Lets each entry do what is due and drops those that are over.
template <class Entries, class Is>
void update_each(Entries& entries, Is is_over) {
  for (auto entry = entries.begin(); entry != entries.end();) {
    entry = is_over(*entry) ? entries.erase(entry) : entry + 1;
  }
}

}  // namespace

void client::impl::ask(base::time_point now, method what, const base::endpoint& peer) {
  request added;
  added.what = what;
  added.peer = peer;
  prepare(now, added);
  requests_.push_back(std::move(added));
}

void client::impl::prepare(base::time_point now, request& which) {
  random_.fill(which.id);
  which.message = build(which);
  which.clock = stun::retransmission(now, settings_.retransmission);
  transmit(which.message);
}

base::bytes client::impl::build(request& which) {
  stun::message_builder message(stun::message_class::request, which.what, which.id);
  switch (which.what) {
    case method::allocate:
      message.add_u32(attribute_type::requested_transport, transport_udp);
      // RFC 8656 18.6: without the attribute it is IPv4, which older servers understand too.
      if (settings_.family == address_family::ipv6) {
        message.add_u32(attribute_type::requested_address_family, family_ipv6);
      }
      break;
    case method::channel_bind:
      message.add_u32(attribute_type::channel_number,
                      static_cast<std::uint32_t>(peers_.find(which.peer)->number) << 16);
      [[fallthrough]];
    case method::create_permission:
      message.add_xor_address(attribute_type::xor_peer_address, which.peer);
      break;
    default:
      // RFC 8656 7.2 has it for a default. coturn keeps to its own maximum only where it is asked.
      message.add_u32(attribute_type::lifetime,
                      state_ == state::allocated ? default_lifetime : no_lifetime);
      break;
  }
  which.is_signed = credentials_.challenged();
  if (which.is_signed) credentials_.sign(message);
  return std::move(message).take();
}

void client::impl::transmit(base::byte_span message) {
  outgoing_.set_route(settings_.server, base::traffic_class::control);
  outgoing_.append(message);
}

bool client::impl::may_exist() const {
  // An allocation whose answer was lost exists too.
  return state_ == state::allocated ||
         (state_ == state::allocating && std::any_of(requests_.begin(), requests_.end(),
                                                     [](const request& r) { return r.is_signed; }));
}

void client::impl::give_back() {
  if (!may_exist()) return;
  stun::transaction_id id{};
  random_.fill(id);
  stun::message_builder message(stun::message_class::request, method::refresh, id);
  message.add_u32(attribute_type::lifetime, no_lifetime);
  if (credentials_.challenged()) credentials_.sign(message);
  transmit(message.bytes());
}

bool client::impl::is_asking(method what, const base::endpoint& peer) const {
  return std::any_of(requests_.begin(), requests_.end(), [&](const request& r) {
    return r.what == what && r.peer.address == peer.address &&
           (what == method::create_permission || r.peer == peer);
  });
}

bool client::impl::is_over(base::time_point now, request& which) {
  switch (which.clock.handle_timeout(now)) {
    case stun::retransmission::action::none:
      return false;
    case stun::retransmission::action::send:
      transmit(which.message);
      return false;
    case stun::retransmission::action::give_up:
      break;
  }
  if (state_ == state::allocating) {
    // The same transaction again: with another one, a server whose answer was lost would say 437.
    which.clock = stun::retransmission(now, settings_.retransmission);
    transmit(which.message);
    return false;
  }
  ask_again(which, now);
  return true;
}

void client::impl::ask_again(const request& which, base::time_point at) {
  if (which.what == method::refresh) refresh_at_ = at;
  if (which.what == method::create_permission) {
    if (permission* found = peers_.find(which.peer.address)) found->ask_at = at;
  }
  if (which.what == method::channel_bind) {
    if (channel* found = peers_.find(which.peer)) found->ask_at = at;
  }
}

void client::impl::do_what_is_due(base::time_point now) {
  update_each(requests_, [&](request& r) { return is_over(now, r); });
  if (state_ != state::allocated) return;
  if (probe_at() <= now) probe(now);
  if (refresh_at_ <= now) {
    refresh_at_ = base::never;
    ask(now, method::refresh);
  }
  update_each(peers_.permissions(), [&](permission& p) { return is_over(now, p); });
  update_each(peers_.channels(), [&](channel& c) { return is_over(now, c); });
}

base::time_point client::impl::probe_at() const {
  const bool heard = unheard_since_ == base::never;
  return heard || is_asking(method::refresh, {}) ? base::never : unheard_since_ + probe_after;
}

/// The server may have forgotten all, or what it keeps for the peers that we send to.
void client::impl::probe(base::time_point now) {
  refresh_at_ = now;
  const auto ask_anew = [&](auto& which) {
    const bool is_asked = which.ask_at == base::never;
    if (!is_asked && which.last_used >= unheard_since_) which.ask_at = now;
  };
  for (auto& p : peers_.permissions()) ask_anew(p);
  for (auto& c : peers_.channels()) ask_anew(c);
}

bool client::impl::is_over(base::time_point now, permission& which) {
  const base::endpoint peer(which.address, 0);
  if (which.expires_at <= now) {
    if (which.ask_at == base::never && !is_asking(method::create_permission, peer)) return true;
    which.now = permission::status::asked;
    which.expires_at = base::never;
  }
  if (which.ask_at > now) return false;
  which.ask_at = base::never;
  if (peers_.in_use(now, which)) {
    ask(now, method::create_permission, peer);
    return false;
  }
  if (which.now == permission::status::granted) return false;
  dropped_packets_ += which.waiting.size();
  return true;
}

bool client::impl::is_over(base::time_point now, channel& which) {
  if (which.expires_at <= now) {
    if (which.now != channel::status::bound) return true;
    which.now = channel::status::resting;
    which.expires_at = now + channel_rest;
  }
  if (which.ask_at > now) return false;
  which.ask_at = base::never;
  if (peer_table::in_use(now, which)) {
    ask(now, method::channel_bind, which.peer);
  } else if (which.now == channel::status::asked) {
    // The server may have bound it all the same.
    which.now = channel::status::resting;
    which.expires_at = now + channel_lifetime + channel_rest;
  }
  return false;
}

}  // namespace asiortc::turn

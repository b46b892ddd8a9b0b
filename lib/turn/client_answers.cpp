// Which answers are believed, and what they change.
#include "stun/address_codec.hpp"
#include "turn/client_impl.hpp"

#include <algorithm>

namespace asiortc::turn {
namespace {

using stun::attribute_type;
using stun::message_class;
using stun::method;

// How long a true answer has to overtake one that cannot be believed. Pion and others do not sign
// their errors, so that without this a refusal would be known only after 39.5 s.
constexpr base::duration disbelief_grace = std::chrono::seconds(2);
// RFC 8656 7.2 has servers grant at most an hour; more is asked for in time all the same.
constexpr std::uint32_t longest_lifetime = 3600;
// A minute for the answer to come, or half of a lifetime that is shorter than two.
constexpr base::duration refresh_before = std::chrono::seconds(60);
constexpr base::duration retry_delay = std::chrono::seconds(5);
constexpr base::duration shortest_retry_delay = std::chrono::milliseconds(500);
// How long the server is not asked again about an address that it refused.
constexpr base::duration refusal_memory = std::chrono::seconds(60);

/// A later attempt may be answered otherwise.
bool is_passing(std::uint16_t code) {
  return code == 0 || code == stun::error_unauthenticated || code == stun::error_stale_nonce ||
         code == error_server;
}

std::optional<base::endpoint> find_xor_address(const stun::message_view& message,
                                               attribute_type type) {
  const auto value = message.find(type);
  return value ? stun::read_xor_address(*value, message.transaction()) : std::nullopt;
}

std::optional<base::endpoint> alternate_of(const stun::message_view& answer) {
  const auto value = answer.find(attribute_type::alternate_server);
  return value ? stun::read_address(*value) : std::nullopt;
}

/// Attributes of RFC 8656 18 that may stand in what a server sends.
bool is_turns(std::uint16_t type) {
  switch (static_cast<attribute_type>(type)) {
    case attribute_type::channel_number:
    case attribute_type::lifetime:
    case attribute_type::xor_peer_address:
    case attribute_type::data:
    case attribute_type::xor_relayed_address:
      return true;
    default:
      return false;
  }
}

}  // namespace

bool is_understood(const stun::message_view& message) {
  bool understood = true;
  message.for_each([&](const stun::attribute_view& attribute) {
    if (stun::comprehension_required(attribute.type) && !stun::is_named(attribute.type) &&
        !is_turns(attribute.type)) {
      understood = false;
    }
  });
  return understood;
}

void client::impl::handle_answer(base::time_point now, const stun::message_view& answer) {
  const auto found = std::find_if(requests_.begin(), requests_.end(), [&](const request& r) {
    return r.id == answer.transaction() && r.what == answer.method();
  });
  if (found == requests_.end()) {
    ++dropped_datagrams_;
    return;
  }
  if (const auto doubt = doubt_about(*found, answer)) return disbelieve(now, found, *doubt);
  unheard_since_ = base::never;
  request answered = std::move(*found);
  requests_.erase(found);
  if (answer.kind() == message_class::success) return accept(now, answered, answer);
  const refusal why = refusal_of(answer);
  if (!retry(now, answered, answer, why.code)) refuse(now, answered, why, alternate_of(answer));
}

std::optional<refusal> client::impl::doubt_about(const request& which,
                                                 const stun::message_view& answer) const {
  const bool is_error = answer.kind() == message_class::error;
  const refusal said = is_error ? refusal_of(answer) : refusal{};
  if (long_term_credentials::lacks_algorithms(answer)) {
    return refusal{said.code, "announces password algorithms and lists none"};
  }
  if (!is_understood(answer)) {
    return refusal{said.code, "answered with an attribute that must be understood and is not"};
  }
  if (!which.is_signed) return std::nullopt;
  if (answer.has_integrity()) {
    if (credentials_.verify(answer)) return std::nullopt;
    return refusal{0, "answered with a wrong integrity"};
  }
  // RFC 8489 9.2.5: these two come without integrity; anything else that does is discarded.
  const bool is_challenge =
      said.code == stun::error_unauthenticated || said.code == stun::error_stale_nonce;
  if (is_challenge) return std::nullopt;
  return is_error ? said : refusal{0, "answered without integrity"};
}

void client::impl::disbelieve(base::time_point now, std::vector<request>::iterator which,
                              const refusal& why) {
  ++dropped_datagrams_;
  last_refusal_ = why;
  if (settings_.reliable) {
    // RFC 8489 9.2.5: over a reliable transport the transaction ends at once.
    const request answered = std::move(*which);
    requests_.erase(which);
    refuse(now, answered, why, std::nullopt);
  } else if (state_ == state::allocating) {
    give_up_at_ = std::min(give_up_at_, now + disbelief_grace);
  }
}

bool client::impl::retry(base::time_point now, request& which, const stun::message_view& answer,
                         std::uint16_t code) {
  const bool is_stale = code == stun::error_stale_nonce;
  if ((!is_stale && code != stun::error_unauthenticated) || !credentials_.given()) return false;
  const std::string realm = credentials_.realm();
  if (credentials_.take(answer) != long_term_credentials::challenge::accepted) return false;
  // RFC 8489 9.2.5: no retry after a 401 "if it is not changing the USERNAME, USERHASH, REALM, or
  // its associated password".
  const bool has_changed = is_stale || !which.is_signed || credentials_.realm() != realm;
  bool& done_before = is_stale ? which.renewed : which.challenged;
  if (done_before || !has_changed) return false;
  done_before = true;
  // A channel may have been forgotten meanwhile.
  if (which.what == method::channel_bind && peers_.find(which.peer) == nullptr) return true;
  prepare(now, which);
  requests_.push_back(std::move(which));
  return true;
}

void client::impl::accept(base::time_point now, const request& which,
                          const stun::message_view& answer) {
  switch (which.what) {
    case method::allocate:
      return accept_allocation(now, answer);
    case method::refresh: {
      if (state_ == state::closing) return leave("given back");
      if (state_ == state::allocating) return ask(now, method::allocate);
      const std::uint32_t seconds = answer.find_u32(attribute_type::lifetime).value_or(0);
      if (seconds == 0) return end({0, "ended the allocation"});
      return set_lifetime(now, seconds);
    }
    case method::channel_bind:
      if (channel* found = peers_.find(which.peer)) {
        found->now = channel::status::bound;
        found->ask_at = now + settings_.channel_refresh;
        found->expires_at = now + channel_lifetime;
      }
      // RFC 8656 12: a ChannelBind creates or refreshes the permission too.
      [[fallthrough]];
    default:
      return grant(now, which.peer.address);
  }
}

void client::impl::accept_allocation(base::time_point now, const stun::message_view& answer) {
  const auto relayed = find_xor_address(answer, attribute_type::xor_relayed_address);
  const auto mapped = answer.mapped_address();
  const std::uint32_t seconds = answer.find_u32(attribute_type::lifetime).value_or(0);
  set_state(state::allocated, relayed ? relayed->to_string() : "without an address");
  if (!relayed || !mapped || seconds == 0) {
    return fail({0, "granted an allocation without saying all of its addresses and lifetime"});
  }
  if (!can_relay_to(*relayed)) {
    return fail({0, "granted an address of another family than was asked for"});
  }
  set_lifetime(now, seconds);
  events_.emplace_back(allocated{*relayed, *mapped, expires_at_ - now});
}

void client::impl::set_lifetime(base::time_point now, std::uint32_t seconds) {
  const base::duration lifetime = std::chrono::seconds(std::min(seconds, longest_lifetime));
  expires_at_ = now + lifetime;
  refresh_at_ = now + std::max(lifetime / 2, lifetime - refresh_before);
  last_refusal_ = {0, "did not answer when the allocation was to be refreshed"};
}

void client::impl::refuse(base::time_point now, const request& which, const refusal& why,
                          std::optional<base::endpoint> alternate) {
  if (state_ == state::closing) return leave(why.words);
  if (state_ == state::allocating) return refuse_allocation(now, which, why, alternate);
  if (why.code == error_allocation_mismatch) return end(why);
  if (which.what == method::refresh) {
    last_refusal_ = why;
    const base::duration share = (expires_at_ - now) / 4;
    return ask_again(which, now + std::clamp(share, shortest_retry_delay, retry_delay));
  }
  if (is_passing(why.code)) return ask_again(which, now + retry_delay);
  if (which.what == method::create_permission) return refuse_peer(now, which.peer, why);
  if (channel* found = peers_.find(which.peer)) {
    found->now = channel::status::refused;
    found->expires_at = now + channel_lifetime + channel_rest;
  }
}

/// RFC 8656 7.4 has a client with a 437 try another port. What is in the way is mostly our own, as
/// of a process that crashed, or from before an outage: with our credentials it can be given back.
void client::impl::refuse_allocation(base::time_point now, const request& which, const refusal& why,
                                     std::optional<base::endpoint> alternate) {
  const bool is_mismatch = why.code == error_allocation_mismatch;
  if (which.what == method::refresh) {
    return is_mismatch ? ask(now, method::allocate) : fail(*mismatch_);
  }
  if (!is_mismatch || mismatch_) return fail(why, alternate);
  mismatch_ = why;
  ask(now, method::refresh);
}

void client::impl::grant(base::time_point now, const base::ip_address& address) {
  permission* found = peers_.find(address);
  if (found == nullptr) return;
  found->now = permission::status::granted;
  found->ask_at = now + settings_.permission_refresh;
  found->expires_at = now + permission_lifetime;
  for (const auto& packet : found->waiting) {
    outgoing_.set_route(settings_.server, packet.kind);
    write_indication(packet.peer, packet.payload, outgoing_);
  }
  found->waiting = {};
  found->waiting_bytes = 0;
}

void client::impl::refuse_peer(base::time_point now, const base::endpoint& peer,
                               const refusal& why) {
  permission* found = peers_.find(peer.address);
  if (found == nullptr) return;
  std::vector<base::endpoint> concerned;
  const auto note = [&](const base::endpoint& one) {
    if (std::find(concerned.begin(), concerned.end(), one) == concerned.end()) {
      concerned.push_back(one);
    }
  };
  for (const auto& packet : found->waiting) note(packet.peer);
  for (auto& c : peers_.channels()) {
    if (c.peer.address != peer.address || c.now == channel::status::refused) continue;
    note(c.peer);
    c.now = channel::status::refused;
    c.ask_at = base::never;
    c.expires_at = now + channel_lifetime + channel_rest;
  }
  dropped_packets_ += found->waiting.size();
  found->waiting = {};
  found->waiting_bytes = 0;
  found->now = permission::status::refused;
  found->ask_at = base::never;
  found->expires_at = now + refusal_memory;
  found->why = why;
  for (const auto& one : concerned) tell_refused(one, why);
}

void client::impl::tell_refused(const base::endpoint& peer, const refusal& why) {
  const bool told = std::any_of(events_.begin(), events_.end(), [&](const event& news) {
    const auto* const refused = std::get_if<peer_refused>(&news);
    return refused != nullptr && refused->peer == peer;
  });
  if (told) return;
  base::failure failure = failure_of(why, settings_.server.remote);
  settings_.log(log_level::warning,
                [&] { return peer.to_string() + " is not to be reached: " + failure.detail; });
  events_.emplace_back(peer_refused{peer, std::move(failure), why.code});
}

}  // namespace asiortc::turn

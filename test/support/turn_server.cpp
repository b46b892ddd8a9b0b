#include "support/turn_server.hpp"

#include "crypto/hash.hpp"
#include "stun/address_codec.hpp"

#include <algorithm>

namespace asiortc::test {
namespace {

using stun::attribute_type;
using stun::message_builder;
using stun::message_class;
using stun::message_view;
using stun::method;

std::optional<base::endpoint> peer_of(const message_view& message) {
  const auto value = message.find(attribute_type::xor_peer_address);
  return value ? stun::read_xor_address(*value, message.transaction()) : std::nullopt;
}

template <class Digest>
base::bytes as_vector(const Digest& digest) {
  return {digest.begin(), digest.end()};
}

std::uint32_t in_seconds(base::duration time) {
  return static_cast<std::uint32_t>(std::chrono::duration_cast<std::chrono::seconds>(time).count());
}

}  // namespace

base::bytes turn_server::key() const {
  const std::string text = settings_.username + ":" + settings_.realm + ":" + settings_.password;
  return chosen_algorithm_ == 2 ? as_vector(crypto::sha256(base::as_bytes(text)))
                                : as_vector(crypto::md5(base::as_bytes(text)));
}

base::bytes turn_server::algorithm_list() const {
  base::bytes list;
  base::byte_writer writer(list);
  for (const auto number : settings_.algorithms) {
    writer.u16(number);
    writer.u16(0);
  }
  return list;
}

std::string turn_server::nonce(base::time_point now) {
  if (now - nonce_since_ >= settings_.nonce_lifetime) {
    nonce_since_ = now;
    ++nonce_number_;
  }
  static constexpr std::string_view digits = "ABCD";
  const bool special = !settings_.algorithms.empty() || settings_.anonymous;
  const auto features = (settings_.algorithms.empty() ? 0U : 1U) + (settings_.anonymous ? 2U : 0U);
  return (special ? std::string("obMatJos2AAA") + digits[features] : std::string()) + "nonce" +
         std::to_string(nonce_number_);
}

void turn_server::restart() {
  allocations_.clear();
  expire_nonce();
}

turn_server::allocation* turn_server::find(base::time_point now, const base::endpoint& client) {
  const auto found = allocations_.find(client);
  if (found == allocations_.end()) return nullptr;
  if (found->second.expires_at > now) return &found->second;
  allocations_.erase(found);
  return nullptr;
}

std::size_t turn_server::allocations(base::time_point now) {
  std::erase_if(allocations_, [=](const auto& entry) { return entry.second.expires_at <= now; });
  return allocations_.size();
}

void turn_server::handle_client(base::time_point now, const base::endpoint& from,
                                base::byte_span bytes) {
  allocation* own = find(now, from);
  if (!bytes.empty() && bytes[0] >= 64 && bytes[0] <= 79) {
    base::byte_reader reader(bytes);
    const std::uint16_t number = reader.u16();
    const base::byte_span payload = reader.take(reader.u16());
    if (own == nullptr || !reader.ok()) return;
    const auto found = own->channels.find(number);
    if (found == own->channels.end() || found->second.expires_at <= now) return;
    return relay(now, *own, found->second.peer, payload);
  }
  const auto message = message_view::parse(bytes);
  if (!message) return;
  if (message->kind() == message_class::request) return handle_request(now, from, *message);
  const auto peer = peer_of(*message);
  const auto data = message->find(attribute_type::data);
  if (own != nullptr && message->method() == method::send && peer && data) {
    relay(now, *own, *peer, *data);
  }
}

void turn_server::relay(base::time_point now, allocation& from, const base::endpoint& peer,
                        base::byte_span payload) {
  const auto permission = from.permissions.find(peer.address);
  if (permission == from.permissions.end() || permission->second <= now) return;
  if (to_peer) to_peer(from.relayed, peer, payload);
}

void turn_server::handle_peer(base::time_point now, const base::endpoint& relayed,
                              const base::endpoint& from, base::byte_span bytes) {
  const auto found = std::find_if(allocations_.begin(), allocations_.end(), [&](const auto& entry) {
    return entry.second.relayed == relayed && entry.second.expires_at > now;
  });
  if (found == allocations_.end()) return;
  const auto& [client, own] = *found;
  const auto permission = own.permissions.find(from.address);
  if (permission == own.permissions.end() || permission->second <= now) return;
  for (const auto& [number, bound] : own.channels) {
    if (bound.peer != from || bound.expires_at <= now) continue;
    base::bytes framed;
    base::byte_writer writer(framed);
    writer.u16(number);
    writer.u16(static_cast<std::uint16_t>(bytes.size()));
    writer.append(bytes);
    return to_client(client, framed);
  }
  message_builder message(message_class::indication, method::data, {});
  message.add_xor_address(attribute_type::xor_peer_address, from).add(attribute_type::data, bytes);
  to_client(client, message.bytes());
}

std::uint16_t turn_server::challenge_for(base::time_point now, const message_view& request) {
  if (!settings_.authenticate) return 0;
  if (!request.has_integrity()) return stun::error_unauthenticated;
  const auto hash = crypto::sha256(base::as_bytes(settings_.username + ":" + settings_.realm));
  const bool known_user =
      settings_.anonymous
          ? crypto::constant_time_equal(
                request.find(attribute_type::userhash).value_or(base::byte_span{}), hash)
          : request.find_text(attribute_type::username) == settings_.username;
  if (!known_user || request.find_text(attribute_type::realm) != settings_.realm) {
    return stun::error_unauthenticated;
  }
  if (request.find_text(attribute_type::nonce) != nonce(now)) return stun::error_stale_nonce;
  chosen_algorithm_ = 0;
  if (!settings_.algorithms.empty()) {
    // RFC 8489 9.2.4: the list must be the one that was sent, and the choice from it.
    const auto list = request.find(attribute_type::password_algorithms);
    const auto choice = request.find_u32(attribute_type::password_algorithm).value_or(0) >> 16;
    const auto& known = settings_.algorithms;
    if (!list || as_vector(*list) != algorithm_list() ||
        std::find(known.begin(), known.end(), choice) == known.end()) {
      return stun::error_bad_request;
    }
    chosen_algorithm_ = static_cast<std::uint16_t>(choice);
  }
  return request.verify_integrity(key()) ? 0 : stun::error_unauthenticated;
}

void turn_server::sign(message_builder& answer) const {
  if (!settings_.authenticate) return;
  if (chosen_algorithm_ == 2) {
    answer.add_integrity_sha256(key());
  } else {
    answer.add_integrity(key());
  }
}

void turn_server::handle_request(base::time_point now, const base::endpoint& from,
                                 const message_view& request) {
  std::uint16_t code = challenge_for(now, request);
  if (code != 0) {
    message_builder answer(message_class::error, request.method(), request.transaction());
    answer.add_error(code, "").add_text(attribute_type::realm, settings_.realm);
    answer.add_text(attribute_type::nonce, nonce(now));
    if (!settings_.algorithms.empty()) {
      answer.add(attribute_type::password_algorithms, algorithm_list());
    }
    return to_client(from, answer.bytes());
  }
  if (refuse) code = refuse(request).value_or(0);
  if (code != 0) return send_error(from, request, code);
  message_builder answer(message_class::success, request.method(), request.transaction());
  code = serve(now, from, request, answer);
  if (code != 0) return send_error(from, request, code);
  ++done_[request.method()];
  sign(answer);
  to_client(from, answer.bytes());
}

void turn_server::send_error(const base::endpoint& to, const message_view& request,
                             std::uint16_t code) {
  message_builder answer(message_class::error, request.method(), request.transaction());
  answer.add_error(code, "because");
  if (code == stun::error_try_alternate && settings_.alternate) {
    answer.add_address(attribute_type::alternate_server, *settings_.alternate);
  }
  if (settings_.sign_errors) sign(answer);
  to_client(to, answer.bytes());
}

std::uint16_t turn_server::serve(base::time_point now, const base::endpoint& from,
                                 const message_view& request, message_builder& answer) {
  if (request.method() == method::allocate) return allocate(now, from, request, answer);
  allocation* own = find(now, from);
  if (own == nullptr) return 437;
  const auto peer = peer_of(request);
  switch (request.method()) {
    case method::refresh: {
      const auto asked = request.find_u32(attribute_type::lifetime);
      const base::duration lifetime = asked == 0U ? base::duration{} : settings_.lifetime;
      own->expires_at = now + lifetime;
      answer.add_u32(attribute_type::lifetime, in_seconds(lifetime));
      return 0;
    }
    case method::create_permission:
      if (!peer) return 400;
      if (peer->address.is_v4() != own->relayed.address.is_v4()) return 443;
      own->permissions[peer->address] = now + settings_.permission_lifetime;
      return 0;
    case method::channel_bind:
      return bind(now, *own, request);
    default:
      return 400;
  }
}

std::uint16_t turn_server::allocate(base::time_point now, const base::endpoint& from,
                                    const message_view& request, message_builder& answer) {
  if (request.find_u32(attribute_type::requested_transport) != 17U << 24) return 442;
  const auto family = request.find_u32(attribute_type::requested_address_family);
  allocation* own = find(now, from);
  if (own != nullptr && own->made_by != request.transaction()) return 437;
  if (own == nullptr) {
    allocation made;
    made.relayed = {family == 2U << 24 ? settings_.relay_v6 : settings_.relay_v4, next_port_++};
    made.made_by = request.transaction();
    made.expires_at = now + settings_.lifetime;
    own = &(allocations_[from] = made);
  }
  answer.add_xor_address(attribute_type::xor_relayed_address, own->relayed);
  answer.add_xor_address(attribute_type::xor_mapped_address, from);
  answer.add_u32(attribute_type::lifetime, in_seconds(settings_.lifetime));
  return 0;
}

std::uint16_t turn_server::bind(base::time_point now, allocation& where,
                                const message_view& request) {
  const auto peer = peer_of(request);
  const auto number = request.find_u32(attribute_type::channel_number).value_or(0) >> 16;
  if (!peer || number < 0x4000 || number > 0x4FFF) return 400;
  for (const auto& [other, bound] : where.channels) {
    if (bound.expires_at > now && (other == number) != (bound.peer == *peer)) return 400;
  }
  where.channels[static_cast<std::uint16_t>(number)] = {*peer, now + settings_.channel_lifetime};
  where.permissions[peer->address] = now + settings_.permission_lifetime;
  return 0;
}

}  // namespace asiortc::test

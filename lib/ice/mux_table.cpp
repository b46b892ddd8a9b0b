#include "ice/mux_table.hpp"

#include "ice/check_message.hpp"

#include <algorithm>
#include <cstring>
#include <optional>
#include <tuple>
#include <utility>

namespace asiortc::ice {
namespace {

std::uint64_t mixed(std::uint64_t value) {
  // The finalizer of SplitMix64.
  value = (value ^ value >> 30) * 0xBF58476D1CE4E5B9ULL;
  value = (value ^ value >> 27) * 0x94D049BB133111EBULL;
  return value ^ value >> 31;
}

template <class Word>
Word word_at(base::byte_span octets) {
  Word word{};
  std::memcpy(&word, octets.data(), sizeof word);
  return word;
}

bool is_answer(const stun::message_view& message) {
  return message.kind() == stun::message_class::success ||
         message.kind() == stun::message_class::error;
}

/// Other methods go to TURN servers, which tell clients apart by address and port alone; so nobody
/// speaks TURN over a shared port.
std::optional<stun::message_view> read_binding(base::byte_span packet) {
  auto message = stun::message_view::parse(packet);
  if (message && message->method() != stun::method::binding) message.reset();
  return message;
}

}  // namespace

std::size_t mux_table::route_hash::operator()(const base::route& route) const noexcept {
  const base::byte_span octets = route.remote.address.octets();
  std::uint64_t hash = mixed(salt ^ word_at<std::uint32_t>(octets));
  if (octets.size() == 16) {
    hash = mixed(hash ^ word_at<std::uint64_t>(octets.subspan(4)));
    hash = mixed(hash ^ word_at<std::uint32_t>(octets.subspan(12)));
  }
  const auto socket = static_cast<std::uint64_t>(route.local);
  return mixed(hash ^ (socket << 16 | route.remote.port));
}

std::size_t mux_table::id_hash::operator()(const stun::transaction_id& id) const noexcept {
  return word_at<std::uint64_t>(id);  // random, since it is ours
}

mux_table::mux_table(mux_limits limits, std::uint64_t salt)
    : limits_(limits), routes_(0, route_hash{salt}) {}

mux_peer mux_table::add_peer() {
  const mux_peer added{++last_peer_};
  peers_.try_emplace(added);
  return added;
}

void mux_table::remove_peer(mux_peer peer) {
  const auto found = peers_.find(peer);
  if (found == peers_.end()) return;
  for (const auto& ufrag : found->second.ufrags) ufrags_.erase(ufrag);
  for (const auto& route : found->second.routes) routes_.erase(route);
  if (found->second.requests > 0) {
    std::erase_if(requests_, [peer](const auto& each) { return each.second.owner == peer; });
  }
  peers_.erase(found);
}

void mux_table::remove_socket(base::socket_id socket) {
  for (auto& [peer, record] : peers_) {
    std::erase_if(record.routes, [&](const base::route& route) {
      return route.local == socket && routes_.erase(route) != 0;
    });
  }
}

bool mux_table::add_ufrag(mux_peer peer, const std::string& ufrag) {
  const auto found = peers_.find(peer);
  if (found == peers_.end() || !ufrags_.try_emplace(ufrag, peer).second) return false;
  found->second.ufrags.push_back(ufrag);
  return true;
}

void mux_table::remove_ufrag(mux_peer peer, const std::string& ufrag) {
  const auto found = peers_.find(peer);
  if (found != peers_.end() && std::erase(found->second.ufrags, ufrag) != 0) ufrags_.erase(ufrag);
}

bool mux_table::note_sent(base::time_point now, mux_peer peer, const base::route& to,
                          base::byte_span packet) {
  if (!stun::looks_like_stun(packet)) return note_route(now, peer, to, true);
  const auto message = read_binding(packet);
  if (!message) return note_route(now, peer, to, false);
  const bool is_request = message->kind() == stun::message_class::request;
  // One without a user name asks a server, as any number of peers may.
  const bool asks_server = is_request && !message->has(stun::attribute_type::username);
  if (!asks_server && !note_route(now, peer, to, false)) return false;
  if (is_request) note_request(now, peer, message->transaction());
  return true;
}

bool mux_table::is_held(const route_record& record, base::time_point now) const {
  return record.in_use && now < record.used + limits_.owner_silence;
}

bool mux_table::note_route(base::time_point now, mux_peer peer, const base::route& to,
                           bool is_data) {
  const auto own = peers_.find(peer);
  if (own == peers_.end()) return false;
  auto found = routes_.find(to);
  if (found != routes_.end() && found->second.owner != peer) {
    if (is_held(found->second, now)) {
      ++counters_.conflicts;
      return false;
    }
    std::erase(peers_.at(found->second.owner).routes, to);
    routes_.erase(found);
    found = routes_.end();
  }
  if (found == routes_.end()) {
    make_room(now, own->second);
    if (routes_.size() >= limits_.routes) return true;  // answers are found by their transaction
    own->second.routes.push_back(to);
    found = routes_.emplace(to, route_record{peer, false, now}).first;
  }
  route_record& record = found->second;
  // Of one in use only what is heard counts: its other side may be gone, and another be there.
  if (!record.in_use) record.used = now;
  record.in_use = record.in_use || is_data;
  return true;
}

void mux_table::make_room(base::time_point now, peer_record& peer) {
  std::erase_if(peer.routes, [&](const base::route& route) {
    const auto found = routes_.find(route);
    if (now < found->second.used + limits_.unused_route) return false;
    routes_.erase(found);
    return true;
  });
  if (peer.routes.size() < limits_.routes_a_peer) return;
  const auto rank = [this](const base::route& route) {
    const route_record& record = routes_.at(route);
    return std::tuple(record.in_use, record.used);
  };
  const auto worst = std::ranges::min_element(peer.routes, {}, rank);
  routes_.erase(*worst);
  peer.routes.erase(worst);
}

void mux_table::note_request(base::time_point now, mux_peer peer, const stun::transaction_id& id) {
  expire_requests(now);
  const auto own = peers_.find(peer);
  if (own == peers_.end()) return;
  const auto found = requests_.find(id);
  if (found == requests_.end()) {
    if (own->second.requests >= limits_.requests_a_peer) return;
    ++own->second.requests;
  } else if (found->second.owner != peer) {
    return;
  }
  const base::time_point give_up = now + limits_.answer_wait;
  requests_[id] = {peer, give_up};
  expiries_.push_back({give_up, id});
}

void mux_table::expire_requests(base::time_point now) {
  for (; !expiries_.empty() && expiries_.front().when <= now; expiries_.pop_front()) {
    const auto found = requests_.find(expiries_.front().id);
    // One that was sent again stands further behind once more.
    if (found != requests_.end() && found->second.give_up <= now) take_request(found->first);
  }
}

mux_peer mux_table::take_request(const stun::transaction_id& id) {
  const auto found = requests_.find(id);
  if (found == requests_.end()) return mux_peer::none;
  const mux_peer owner = found->second.owner;
  requests_.erase(found);
  if (const auto own = peers_.find(owner); own != peers_.end()) --own->second.requests;
  return owner;
}

mux_peer mux_table::owner_of(const stun::message_view& check) const {
  const auto user = read_user_name(check);
  if (!user) return mux_peer::none;
  const auto found = ufrags_.find(user->receiver);
  return found == ufrags_.end() ? mux_peer::none : found->second;
}

mux_peer mux_table::owner(const base::route& route) const {
  const auto found = routes_.find(route);
  return found == routes_.end() ? mux_peer::none : found->second.owner;
}

mux_peer mux_table::find(base::time_point now, const base::route& from, base::byte_span packet) {
  const auto known = routes_.find(from);
  route_record* const record = known == routes_.end() ? nullptr : &known->second;
  mux_peer found = record == nullptr ? mux_peer::none : record->owner;
  if (stun::looks_like_stun(packet)) {
    const auto message = read_binding(packet);
    if (!message) {
      found = mux_peer::none;
    } else if (is_answer(*message)) {
      found = take_request(message->transaction());
    } else if (message->kind() == stun::message_class::request) {
      found = owner_of(*message);
      if (found != mux_peer::none && record != nullptr && record->owner != found &&
          is_held(*record, now)) {
        ++counters_.conflicts;
        return mux_peer::none;
      }
    }
  }
  if (found == mux_peer::none) {
    ++counters_.unknown;
  } else if (record != nullptr && record->owner == found) {
    record->used = now;
  }
  return found;
}

mux_peer mux_table::find_partner(base::time_point now, mux_peer sender, base::byte_span packet) {
  const auto own = peers_.find(sender);
  if (own == peers_.end()) return mux_peer::none;
  const auto message =
      stun::looks_like_stun(packet) ? read_binding(packet) : std::optional<stun::message_view>();
  if (message) {
    mux_peer found = mux_peer::none;
    if (is_answer(*message)) {
      found = take_request(message->transaction());
    } else if (message->kind() == stun::message_class::request) {
      found = owner_of(*message);
      if (found != mux_peer::none) note_request(now, sender, message->transaction());
    }
    own->second.partner = found;
  }
  const mux_peer partner = own->second.partner;
  if (peers_.contains(partner)) return partner;
  ++counters_.unknown;
  return mux_peer::none;
}

}  // namespace asiortc::ice

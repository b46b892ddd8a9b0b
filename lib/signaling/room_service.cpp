// The life of a connection: its coming, its times, its end. The messages are in room_messages.cpp.
#include "signaling/room_service.hpp"

#include "signaling/codec.hpp"

#include <algorithm>
#include <cassert>

namespace asiortc::signaling {
namespace {

std::string_view name_of(connection_state state) {
  switch (state) {
    case connection_state::waiting:
      return "waiting";
    case connection_state::joined:
      return "joined";
    case connection_state::closing:
      return "closing";
  }
  return "";
}

std::string number(connection_id id) { return std::to_string(static_cast<std::uint64_t>(id)); }

}  // namespace

room_service::room_service(room_options options, base::random_source& random, base::logger log)
    : options_(std::move(options)), random_(random), log_(std::move(log)) {
  options_.max_peers_per_room =
      std::clamp<std::size_t>(options_.max_peers_per_room, 1, most_peers_per_room);
}

void room_service::handle_connect(base::time_point now, connection_id id) {
  const bool full = connections_.size() >= options_.max_connections;
  const auto [place, is_new] =
      connections_.emplace(id, std::make_unique<connection>(id, options_, now));
  assert(is_new);
  connection& who = *place->second;
  if (stopping_) {
    close(who, close_code::going_away, "the server stops", {}, false);
  } else if (full) {
    fail(who, error_kind::server_full, "the server has no room for more connections");
  } else {
    schedule(who);
  }
}

void room_service::handle_alive(base::time_point now, connection_id id) {
  if (connection* who = find(id)) who->last_heard = now;
}

void room_service::handle_sent(connection_id id, std::size_t size) {
  if (connection* who = find(id)) who->queued -= std::min(who->queued, size + queue_overhead);
}

void room_service::handle_disconnect(connection_id id, bool broke) {
  connection* who = find(id);
  if (who == nullptr) return;
  depart(*who, broke ? leave_reason::timeout : leave_reason::closed);
  set_state(*who, connection_state::closing, broke ? "the socket broke" : "the socket was closed");
  deadlines_.erase({who->deadline, id});
  connections_.erase(id);
  fail_overflowed();
  check_consistency();
}

void room_service::handle_timeout(base::time_point now) {
  while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
    connection* who = find(deadlines_.begin()->second);
    assert(who != nullptr);
    check_times(*who, now);
  }
  fail_overflowed();
  check_consistency();
}

void room_service::check_times(connection& who, base::time_point now) {
  if (who.state == connection_state::waiting && now >= who.since + options_.join_timeout) {
    return fail(who, error_kind::join_timeout, "no join came in time");
  }
  if (now >= who.last_heard + options_.idle_timeout) {
    return fail(who, error_kind::idle, "nothing was heard for too long", leave_reason::timeout);
  }
  if (now >= who.next_ping) {
    who.next_ping = now + options_.ping_interval;
    outputs_.emplace_back(ping_output{who.id});
  }
  schedule(who);
}

void room_service::handle_stop() {
  stopping_ = true;
  for (const auto& [id, who] : connections_) {
    if (who->state == connection_state::closing) continue;
    const bool tell = who->state == connection_state::joined;
    who->in = nullptr;
    close(*who, close_code::going_away, "the server stops",
          tell ? encode(going_away_message{options_.reconnect_ms}) : std::string(), false);
  }
  rooms_.clear();
  check_consistency();
}

std::optional<room_output> room_service::poll() {
  if (outputs_.empty()) return std::nullopt;
  std::optional<room_output> next(std::move(outputs_.front()));
  outputs_.pop_front();
  return next;
}

base::time_point room_service::next_deadline() const {
  return deadlines_.empty() ? base::never : deadlines_.begin()->first;
}

connection* room_service::find(connection_id id) {
  const auto found = connections_.find(id);
  return found == connections_.end() ? nullptr : found->second.get();
}

void room_service::set_state(connection& who, connection_state state, std::string_view reason) {
  if (who.state == state) return;
  log_(log_level::debug, [&] {
    return "connection " + number(who.id) + ": " + std::string(name_of(who.state)) + " -> " +
           std::string(name_of(state)) + ": " + std::string(reason);
  });
  who.state = state;
}

/// One entry a connection: the earliest of what may be due. What was heard meanwhile moves the
/// time only when it is looked at.
void room_service::schedule(connection& who) {
  deadlines_.erase({who.deadline, who.id});
  who.deadline = std::min(who.last_heard + options_.idle_timeout, who.next_ping);
  if (who.state == connection_state::waiting) {
    who.deadline = std::min(who.deadline, who.since + options_.join_timeout);
  }
  deadlines_.emplace(who.deadline, who.id);
}

void room_service::depart(connection& who, leave_reason reason) {
  if (who.in == nullptr) return;
  room& place = *who.in;
  who.in = nullptr;
  std::erase(place.members, &who);
  if (place.members.empty()) {
    const auto found = rooms_.find(place.name);
    assert(found != rooms_.end());
    rooms_.erase(found);
    return;
  }
  for (connection* member : place.members) {
    send(*member, peer_left_message{++member->last_seq, who.peer.id, reason});
  }
}

void room_service::send(connection& to, const server_message& message) {
  if (to.state == connection_state::closing || to.overflowed) return;
  std::string text = encode(message);
  const std::size_t cost = text.size() + queue_overhead;
  if (to.queued + cost > options_.max_queue) {
    // Closed only after the present change is done, since closing changes the room.
    to.overflowed = true;
    overflowed_.push_back(to.id);
    return;
  }
  to.queued += cost;
  outputs_.emplace_back(send_output{to.id, std::move(text)});
}

void room_service::fail_overflowed() {
  while (!overflowed_.empty()) {
    connection* who = find(overflowed_.back());
    overflowed_.pop_back();
    if (who == nullptr || who->state == connection_state::closing) continue;
    fail(*who, error_kind::slow_consumer, "too much waits to be read", leave_reason::closed, true);
  }
}

void room_service::refuse(connection& to, error_kind kind, std::string why,
                          std::optional<peer_id> about, std::optional<std::uint64_t> n) {
  send(to, error_message{std::string(to_string(kind)), std::move(why), about, n, false});
}

void room_service::fail(connection& who, error_kind kind, const std::string& why,
                        leave_reason reason, bool discard) {
  depart(who, reason);
  const error_message words{std::string(to_string(kind)), why, std::nullopt, std::nullopt, true};
  close(who, close_code_of(kind), std::string(to_string(kind)), encode(words), discard);
}

void room_service::close(connection& who, close_code code, std::string reason,
                         std::string last_words, bool discard) {
  set_state(who, connection_state::closing, reason);
  deadlines_.erase({who.deadline, who.id});
  outputs_.emplace_back(
      close_output{who.id, code, std::move(reason), std::move(last_words), discard});
}

void room_service::bad_message(connection& who, base::time_point now, const std::string& why,
                               std::optional<peer_id> about, std::optional<std::uint64_t> n) {
  if (who.bad_messages.add(now)) return fail(who, error_kind::bad_message, why);
  refuse(who, error_kind::bad_message, why, about, n);
}

std::string room_service::random_hex() {
  std::array<std::uint8_t, 16> octets{};  // 128 bits
  random_.fill(octets);
  static constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  for (const std::uint8_t octet : octets) {
    out.push_back(digits[octet >> 4]);
    out.push_back(digits[octet & 0xf]);
  }
  return out;
}

void room_service::check_consistency() const {
#ifndef NDEBUG
  assert(overflowed_.empty());
  std::size_t members = 0;
  for (const auto& [name, place] : rooms_) {
    assert(!place->members.empty() && place->members.size() <= options_.max_peers_per_room);
    members += place->members.size();
  }
  std::size_t joined = 0;
  std::size_t scheduled = 0;
  for (const auto& [id, who] : connections_) {
    joined += who->state == connection_state::joined ? 1 : 0;
    scheduled += who->state == connection_state::closing ? 0 : 1;
    assert((who->in != nullptr) == (who->state == connection_state::joined));
  }
  assert(members == joined);
  assert(scheduled == deadlines_.size());
#endif
}

}  // namespace asiortc::signaling

// What the room service does with each message of a client.
#include "signaling/codec.hpp"
#include "signaling/room_service.hpp"

#include <cassert>

namespace asiortc::signaling {
namespace {

/// "A peer's first message is `join` (or `resume`)"; neither comes twice.
bool in_turn(const connection& who, const client_message& message) {
  const bool opens = std::holds_alternative<join_message>(message) ||
                     std::holds_alternative<resume_message>(message);
  return opens == (who.state == connection_state::waiting);
}

}  // namespace

void room_service::handle_text(base::time_point now, connection_id id, std::string_view text) {
  connection* who = find(id);
  if (who == nullptr || who->state == connection_state::closing) return;
  who->last_heard = now;
  if (text.size() > max_client_message) {
    depart(*who, leave_reason::closed);
    close(*who, close_code::too_large, "the message is larger than 64 KiB", {}, false);
  } else if (const auto message = decode_client_message(text); !message.value) {
    bad_message(*who, now, message.complaint, message.to, message.n);
  } else if (!in_turn(*who, *message.value)) {
    refuse_out_of_turn(*who, now, *message.value);
  } else if (within_rate(*who, now, text.size(), *message.value)) {
    std::visit([&](const auto& content) { handle(*who, content); }, *message.value);
  }
  fail_overflowed();
  check_consistency();
}

void room_service::refuse_out_of_turn(connection& who, base::time_point now,
                                      const client_message& message) {
  if (who.state != connection_state::waiting) {
    bad_message(who, now, "this peer has joined already");
  } else if (const auto* signal = std::get_if<signal_request>(&message)) {
    bad_message(who, now, "the first message must be 'join'", signal->to, signal->n);
  } else {
    bad_message(who, now, "the first message must be 'join'");
  }
}

void room_service::handle_binary(base::time_point now, connection_id id) {
  connection* who = find(id);
  if (who == nullptr || who->state == connection_state::closing) return;
  who->last_heard = now;
  bad_message(*who, now, "not a text frame");
  fail_overflowed();
  check_consistency();
}

bool room_service::within_rate(connection& who, base::time_point now, std::size_t size,
                               const client_message& message) {
  if (who.messages.take(now, 1) && who.bytes.take(now, size)) return true;
  const std::string why = "too much at once; send less";
  if (who.rate_warnings.add(now)) {
    fail(who, error_kind::rate_limited, why);
  } else if (const auto* signal = std::get_if<signal_request>(&message)) {
    refuse(who, error_kind::rate_limited, why, signal->to, signal->n);
  } else {
    refuse(who, error_kind::rate_limited, why);
  }
  return false;
}

/// The room to join, made if need be; none when the connection was refused.
room* room_service::room_for(connection& who, const std::string& name) {
  const auto found = rooms_.find(name);
  if (found != rooms_.end()) {
    if (found->second->members.size() < options_.max_peers_per_room) return found->second.get();
    fail(who, error_kind::room_full, "the room is full");
    return nullptr;
  }
  if (rooms_.size() < options_.max_rooms) {
    return rooms_.emplace(name, std::make_unique<room>(name, random_)).first->second.get();
  }
  fail(who, error_kind::server_full, "the server has no room for more rooms");
  return nullptr;
}

void room_service::handle(connection& who, const join_message& message) {
  room* place = room_for(who, message.room);
  if (place == nullptr) return;
  who.peer = signaling_peer(place->ids.next(), message.name);
  who.in = place;

  joined_message welcome;
  welcome.room = place->name;
  welcome.id = who.peer.id;
  welcome.host = place->members.empty() ? who.peer.id : place->members.front()->peer.id;
  for (const connection* member : place->members) welcome.peers.push_back(member->peer);
  welcome.ice_servers = options_.ice_servers;
  welcome.session = random_hex();
  welcome.secret = random_hex();
  send(who, welcome);

  for (connection* member : place->members) {
    send(*member, peer_joined_message{++member->last_seq, who.peer});
  }
  place->members.push_back(&who);
  set_state(who, connection_state::joined, "join");
  schedule(who);
}

void room_service::handle(connection& who, const signal_request& message) {
  if (message.n) {
    if (*message.n <= who.received) return;  // a repeat
    who.received = *message.n;
  }
  connection* to = who.in->find(message.to);
  if (to == nullptr || to == &who) {
    return refuse(who, error_kind::peer_not_found, "no such other peer in the room", message.to,
                  message.n);
  }
  send(*to, signal_message{++to->last_seq, who.peer.id, message.data});
}

void room_service::handle(connection& who, const leave_message&) {
  depart(who, leave_reason::left);
  close(who, close_code::normal, "left", {}, false);
}

void room_service::handle(connection& who, const ping_message& message) {
  send(who, pong_message{message.ts});
}

/// Nothing is kept for a resume, so nothing can be let go.
void room_service::handle(connection&, const ack_message&) {}

/// `resume_ms` is 0, so every session is an unknown one.
void room_service::handle(connection& who, const resume_message&) {
  fail(who, error_kind::resume_failed, "no such session");
}

void room_service::handle(connection& who, const ice_servers_request&) {
  send(who, ice_servers_message{options_.ice_servers});
}

/// Host messages are for hosts whom the server trusts with them, and it trusts none yet.
void room_service::handle(connection& who, const seal_message&) {
  refuse(who, error_kind::forbidden, "this peer may not seal the room");
}

void room_service::handle(connection& who, const kick_message&) {
  refuse(who, error_kind::forbidden, "this peer may not put another out");
}

}  // namespace asiortc::signaling

#include "signaling/client_session.hpp"

#include "signaling/codec.hpp"

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <utility>

namespace asiortc::signaling {
namespace {

/// Close codes from 4000 are refusals of this protocol; below, the connection ended as any may.
constexpr std::uint16_t first_refusal = 4000;

std::string_view name_of(session_state state) {
  switch (state) {
    case session_state::open:
      return "open";
    case session_state::joining:
      return "joining";
    case session_state::joined:
      return "joined";
    case session_state::leaving:
      return "leaving";
    case session_state::ended:
      return "ended";
  }
  return "";
}

}  // namespace

client_session::client_session(session_options options, base::time_point now, base::logger log)
    : options_(options), log_(std::move(log)), last_heard_(now) {}

void client_session::join(base::time_point now, const join_message& message) {
  assert(state_ == session_state::open && is_room_name(message.room));
  outputs_.emplace_back(session_text{encode(message)});
  join_deadline_ = now + options_.join_timeout;
  set_state(session_state::joining, "join");
}

void client_session::signal(peer_id to, json_text data) {
  if (state_ != session_state::joined) return;
  outputs_.emplace_back(session_text{encode(signal_request{to, std::move(data), ++last_n_})});
}

void client_session::leave() {
  if (state_ == session_state::leaving || state_ == session_state::ended) return;
  // Before the `joined` there is nothing to leave, and only the socket to close.
  if (state_ != session_state::joined) return end({}, {});
  outputs_.emplace_back(session_text{encode(leave_message{})});
  set_state(session_state::leaving, "leave");
}

void client_session::handle_text(base::time_point now, std::string_view text) {
  last_heard_ = now;
  if (state_ == session_state::ended) return;
  const auto message = decode_server_message(text);
  if (!message.value) return violation(message.complaint);
  std::visit([this](const auto& content) { handle(content); }, *message.value);
}

void client_session::handle_closed(std::uint16_t code, const std::string& reason) {
  if (state_ == session_state::leaving) return end({}, {});
  if (code >= first_refusal) return end(errc::signaling_refused, reason);
  end(errc::signaling_lost, reason);
}

void client_session::handle_timeout(base::time_point now) {
  if (now < next_deadline()) return;
  if (state_ == session_state::joining && now >= join_deadline_) {
    return end({ETIMEDOUT, boost::system::system_category()}, {});
  }
  end(errc::signaling_lost, "nothing was heard from the server");
}

std::optional<session_output> client_session::poll() {
  if (outputs_.empty()) return std::nullopt;
  std::optional<session_output> next(std::move(outputs_.front()));
  outputs_.pop_front();
  return next;
}

base::time_point client_session::next_deadline() const {
  if (state_ == session_state::ended) return base::never;
  const auto silence = last_heard_ + options_.idle_timeout;
  return state_ == session_state::joining ? std::min(silence, join_deadline_) : silence;
}

void client_session::set_state(session_state state, std::string_view reason) {
  log_(log_level::debug, [&] {
    return "session: " + std::string(name_of(state_)) + " -> " + std::string(name_of(state)) +
           ": " + std::string(reason);
  });
  state_ = state;
}

void client_session::end(boost::system::error_code reason, std::string words) {
  if (state_ == session_state::ended) return;
  set_state(session_state::ended, words.empty() ? reason.message() : words);
  outputs_.emplace_back(session_end{reason, std::move(words)});
}

void client_session::violation(std::string what) {
  end(errc::signaling_protocol, "the server broke the protocol: " + std::move(what));
}

void client_session::crowded() {
  end(errc::limit_reached, "the room has more than " + std::to_string(max_members) + " others");
}

bool client_session::in_order(std::uint64_t seq) {
  if (state_ != session_state::joined && state_ != session_state::leaving) {
    violation("a message of the room before 'joined'");
  } else if (seq != last_seq_ + 1) {
    violation("'seq' is " + std::to_string(seq) + " after " + std::to_string(last_seq_));
  } else {
    last_seq_ = seq;
    return true;
  }
  return false;
}

void client_session::handle(const joined_message& message) {
  if (state_ != session_state::joining) return violation("'joined' out of turn");
  if (message.peers.size() > max_members) return crowded();
  for (const signaling_peer& peer : message.peers) {
    if (peer.id == message.id || !present_.insert(peer.id).second) {
      return violation("a peer is in 'joined' twice");
    }
  }
  set_state(session_state::joined, "joined");
  outputs_.emplace_back(session_news{message});
}

void client_session::handle(const peer_joined_message& message) {
  if (!in_order(message.seq)) return;
  if (present_.size() >= max_members) return crowded();
  if (!present_.insert(message.peer.id).second) return violation("a peer joined twice");
  outputs_.emplace_back(session_news{message});
}

void client_session::handle(const peer_left_message& message) {
  if (!in_order(message.seq)) return;
  if (present_.erase(message.id) == 0) return violation("a peer left that was not there");
  outputs_.emplace_back(session_news{message});
}

void client_session::handle(const error_message& message) {
  // Before the `joined`, it can only be the answer to the join.
  if (message.fatal || state_ == session_state::joining) {
    return end(errc::signaling_refused, message.code + ": " + message.message);
  }
  outputs_.emplace_back(session_news{message});
}

template <class Message>
void client_session::handle(const Message& message) {
  if constexpr (requires { message.seq; }) {
    if (!in_order(message.seq)) return;
  }
  outputs_.emplace_back(session_news{message});
}

}  // namespace asiortc::signaling

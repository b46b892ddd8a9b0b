// A client's side of `asiortc.v1`, without a socket and without a clock.
#pragma once

#include "base/log.hpp"
#include "base/time.hpp"
#include "signaling/messages.hpp"

#include <asiortc/error.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <variant>

namespace asiortc::signaling {

struct session_options {
  base::duration join_timeout = std::chrono::seconds(10);
  base::duration idle_timeout = std::chrono::seconds(45);
};

enum class session_state {
  open,     ///< connected, not joined
  joining,  ///< waits for `joined`
  joined,
  leaving,  ///< has said `leave` and waits for the close
  ended
};

/// Write this text.
struct session_text {
  std::string text;
};

/// A message of the server that the owner acts upon; its order and `seq` have been checked.
struct session_news {
  server_message message;
};

/// The session is over: close the socket. The words are the server's, empty where it had none.
struct session_end {
  boost::system::error_code reason;
  std::string words;
};

using session_output = std::variant<session_text, session_news, session_end>;

class client_session {
 public:
  /// Each costs its owner a connection; twice what the largest room of our server holds.
  static constexpr std::size_t max_members = 4096;

  client_session(session_options options, base::time_point now, base::logger log);

  /// The room and the name must be within bounds. Only in state `open`.
  void join(base::time_point now, const join_message& message);
  /// Only while joined; dropped otherwise.
  void signal(peer_id to, json_text data);
  void leave();

  void handle_text(base::time_point now, std::string_view text);
  void handle_alive(base::time_point now) { last_heard_ = now; }
  /// The socket closed with that code (0 when it broke).
  void handle_closed(std::uint16_t code, const std::string& reason);
  void handle_timeout(base::time_point now);

  std::optional<session_output> poll();
  [[nodiscard]] base::time_point next_deadline() const;
  [[nodiscard]] session_state state() const { return state_; }

 private:
  void set_state(session_state state, std::string_view reason);
  void end(boost::system::error_code reason, std::string words);
  void violation(std::string what);
  void crowded();
  bool in_order(std::uint64_t seq);

  void handle(const joined_message& message);
  void handle(const peer_joined_message& message);
  void handle(const peer_left_message& message);
  void handle(const error_message& message);
  template <class Message>
  void handle(const Message& message);

  session_options options_;
  base::logger log_;
  session_state state_ = session_state::open;
  base::time_point last_heard_;
  base::time_point join_deadline_ = base::never;
  std::uint64_t last_seq_ = 0;
  std::uint64_t last_n_ = 0;
  std::set<peer_id> present_;
  std::deque<session_output> outputs_;
};

}  // namespace asiortc::signaling

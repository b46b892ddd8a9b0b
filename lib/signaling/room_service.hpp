// All rooms of a server, without sockets and without a clock.
#pragma once

#include "base/log.hpp"
#include "base/random.hpp"
#include "base/time.hpp"
#include "signaling/connection.hpp"
#include "signaling/messages.hpp"
#include "signaling/room_options.hpp"

#include <cstddef>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

namespace asiortc::signaling {

/// Write this text after all that was given out before; then call `handle_sent`.
struct send_output {
  connection_id to{};
  std::string text;
};

/// Send a WebSocket ping.
struct ping_output {
  connection_id to{};
};

/// Write `last_words` if there are any, close with `code`, and call `handle_disconnect` at the end.
struct close_output {
  connection_id to{};
  close_code code = close_code::normal;
  std::string reason;
  std::string last_words;
  bool discard = false;  ///< what waits to be written is dropped, since the reader does not read
};

using room_output = std::variant<send_output, ping_output, close_output>;

/// The protocol `asiortc.v1` as a server plays it: told of connections, messages and time, asked
/// what to send to whom and whom to close. It keeps no name, message or address of who has gone.
class room_service {
 public:
  room_service(room_options options, base::random_source& random, base::logger log);

  /// Every new socket, also one beyond `max_connections`, which is turned away.
  void handle_connect(base::time_point now, connection_id id);
  /// A whole text frame.
  void handle_text(base::time_point now, connection_id id, std::string_view text);
  /// A whole frame that is not text.
  void handle_binary(base::time_point now, connection_id id);
  /// A control frame: the other side lives.
  void handle_alive(base::time_point now, connection_id id);
  /// A `send_output` of that size was written.
  void handle_sent(connection_id id, std::size_t size);
  /// The socket is gone; `broke` when it ended without a WebSocket close.
  void handle_disconnect(connection_id id, bool broke);
  void handle_timeout(base::time_point now);
  /// The server stops: everybody is told to come back later, and so is who comes now.
  void handle_stop();

  std::optional<room_output> poll();
  [[nodiscard]] base::time_point next_deadline() const;

  [[nodiscard]] bool knows(connection_id id) const { return connections_.contains(id); }
  [[nodiscard]] std::size_t connections() const { return connections_.size(); }
  [[nodiscard]] std::size_t rooms() const { return rooms_.size(); }

 private:
  connection* find(connection_id id);
  void set_state(connection& who, connection_state state, std::string_view reason);
  void schedule(connection& who);
  void check_times(connection& who, base::time_point now);

  bool within_rate(connection& who, base::time_point now, std::size_t size,
                   const client_message& message);
  void handle(connection& who, const join_message& message);
  void handle(connection& who, const signal_request& message);
  void handle(connection& who, const leave_message& message);
  void handle(connection& who, const ping_message& message);
  void handle(connection& who, const ack_message& message);
  void handle(connection& who, const resume_message& message);
  void handle(connection& who, const ice_servers_request& message);
  void handle(connection& who, const seal_message& message);
  void handle(connection& who, const kick_message& message);

  room* room_for(connection& who, const std::string& name);
  void depart(connection& who, leave_reason reason);

  void send(connection& to, const server_message& message);
  void refuse(connection& to, error_kind kind, std::string why,
              std::optional<peer_id> about = std::nullopt,
              std::optional<std::uint64_t> n = std::nullopt);
  void fail(connection& who, error_kind kind, const std::string& why,
            leave_reason reason = leave_reason::closed, bool discard = false);
  /// `about` and `n` are those of a `signal`.
  void bad_message(connection& who, base::time_point now, const std::string& why,
                   std::optional<peer_id> about = std::nullopt,
                   std::optional<std::uint64_t> n = std::nullopt);
  void refuse_out_of_turn(connection& who, base::time_point now, const client_message& message);
  void close(connection& who, close_code code, std::string reason, std::string last_words,
             bool discard);
  void fail_overflowed();
  std::string random_hex();
  void check_consistency() const;

  room_options options_;
  base::random_source& random_;
  base::logger log_;
  std::unordered_map<connection_id, std::unique_ptr<connection>> connections_;
  std::map<std::string, std::unique_ptr<room>, std::less<>> rooms_;
  std::set<std::pair<base::time_point, connection_id>> deadlines_;
  std::vector<connection_id> overflowed_;
  std::deque<room_output> outputs_;
  bool stopping_ = false;
};

}  // namespace asiortc::signaling

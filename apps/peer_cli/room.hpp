// The way into the signaling room: a server that was named, or the one of this machine.
#pragma once

#include "options.hpp"

#include <asiortc/error.hpp>
#include <asiortc/signaling_client.hpp>
#include <asiortc/signaling_server.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <optional>
#include <stdexcept>
#include <string>

namespace peer_cli {

/// Why the room could not be entered; the text is for the user.
class no_entrance : public std::runtime_error {
 public:
  explicit no_entrance(const std::string& why, exit_code code = exit_code::no_server)
      : std::runtime_error(why), code_(code) {}

  [[nodiscard]] exit_code code() const noexcept { return code_; }

 private:
  exit_code code_;
};

/// Enters the room again and again, over whichever server there is. Where none was named and
/// nothing listens on this machine's port, this process serves; when the one that serves leaves,
/// whoever comes first takes the port over.
class room_entrance {
 public:
  room_entrance(boost::asio::any_io_executor executor, std::optional<std::string> server,
                std::string room, std::string name);

  /// A client that has joined. Throws `no_entrance`.
  boost::asio::awaitable<asiortc::signaling_client> enter();

  /// Of the server, for messages.
  [[nodiscard]] std::string url() const;

  /// Stops serving, if this process does.
  boost::asio::awaitable<void> leave();
  /// Whether the server is ours.
  [[nodiscard]] bool serves() const { return server_.has_value(); }

 private:
  boost::asio::awaitable<asiortc::signaling_client> enter_at(std::string url);
  boost::asio::awaitable<std::optional<asiortc::signaling_client>> try_local();
  /// False when another process took the port first.
  bool serve();

  boost::asio::any_io_executor executor_;
  std::optional<std::string> server_url_;
  std::string room_;
  std::string name_;
  std::optional<asiortc::signaling_server> server_;
  boost::system::error_code last_refusal_;  // of the local server
};

}  // namespace peer_cli

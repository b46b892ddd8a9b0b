// One WebSocket: Beast behind a class that queues, bounds times and never calls back from inside.
#pragma once

#include "base/time.hpp"
#include "signaling/codes.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/system/error_code.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace asiortc::signaling {

inline constexpr std::string_view subprotocol = "asiortc.v1";

/// Whom a browser page must come from to be let in (RFC 6454); other programs send no Origin.
struct origin_policy {
  bool allow_any = false;
  std::vector<std::string> allowed;

  [[nodiscard]] bool allows(std::string_view origin) const;
};

/// How a WebSocket ended.
struct websocket_end {
  boost::system::error_code error;  ///< none after a WebSocket close
  std::uint16_t code = 0;           ///< the other side's close code, 0 where there was none
  std::string reason;
};

/// Who owns a WebSocket hears of it, on the strand, never from inside a call to it.
class websocket_owner {
 public:
  virtual ~websocket_owner() = default;
  virtual void on_open(std::uint64_t key) = 0;
  virtual void on_text(std::uint64_t key, std::string_view text) = 0;
  virtual void on_binary(std::uint64_t key) = 0;
  virtual void on_alive(std::uint64_t key) = 0;
  virtual void on_sent(std::uint64_t key, std::size_t size) = 0;
  /// The last call, and only for one that was not aborted.
  virtual void on_gone(std::uint64_t key, const websocket_end& end) = 0;
};

/// All members are called on the strand. Operations under way keep the object alive; `abort` ends
/// them. The owner is held weakly.
class websocket {
 public:
  virtual ~websocket() = default;

  /// Reads an HTTP upgrade request and answers it.
  virtual void accept(origin_policy policy) = 0;
  /// Connects to the first address that answers and asks for an upgrade.
  virtual void connect(std::vector<boost::asio::ip::tcp::endpoint> addresses, std::string host,
                       std::string target) = 0;
  virtual void send(std::string text) = 0;
  virtual void ping() = 0;
  /// Closes after what is queued and `last_words`, or at once where `discard`. What does not end
  /// in time is aborted and `on_gone` called all the same.
  virtual void close(close_code code, std::string reason, std::string last_words, bool discard) = 0;
  /// Drops the socket; the owner hears nothing more.
  virtual void abort() = 0;
};

struct websocket_settings {
  std::uint64_t key = 0;  ///< told with each call to the owner
  std::size_t max_incoming = 0;
  base::duration handshake_timeout = std::chrono::seconds(10);
  base::duration close_timeout = std::chrono::seconds(5);
};

/// `socket` is connected for `accept`, closed for `connect`; its executor is the strand.
std::shared_ptr<websocket> make_websocket(boost::asio::ip::tcp::socket socket,
                                          const websocket_settings& settings,
                                          std::weak_ptr<websocket_owner> owner);

}  // namespace asiortc::signaling

// A server on loopback, and plain Beast sockets that say to it whatever a test wants.
#pragma once

#include <asiortc/signaling_client.hpp>
#include <asiortc/signaling_server.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <nlohmann/json.hpp>

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <utility>

namespace asiortc::test {

namespace asio = boost::asio;
namespace beast = boost::beast;
using boost::system::error_code;
using json = nlohmann::json;

inline signaling_server_options on_any_port() {
  signaling_server_options options;
  options.port = 0;
  return options;
}

/// Runs the context until `done`, at most 20 s: a bound for failures, never a wait.
inline bool run_until(asio::io_context& context, const std::function<bool()>& done) {
  const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  context.restart();
  while (!done()) {
    if (std::chrono::steady_clock::now() > limit) return false;
    if (context.run_one_until(limit) == 0 && !done()) return false;
  }
  return true;
}

/// Starts an operation whose token is a callback and runs until it completes.
template <class Start>
error_code await_code(asio::io_context& context, Start start) {
  std::optional<error_code> result;
  start([&result](error_code code) { result = code; });
  if (!run_until(context, [&] { return result.has_value(); })) return asio::error::timed_out;
  return *result;
}

/// A WebSocket client that knows nothing of the protocol.
class raw_client {
 public:
  explicit raw_client(asio::io_context& context) : context_(context), stream_(context) {}

  error_code connect(std::uint16_t port, const std::string& protocol = "asiortc.v1",
                     const std::string& origin = "", const std::string& target = "/") {
    error_code code;
    beast::get_lowest_layer(stream_).connect({asio::ip::address_v4::loopback(), port}, code);
    if (code) return code;
    stream_.set_option(beast::websocket::stream_base::decorator(
        [protocol, origin](beast::websocket::request_type& request) {
          namespace http = beast::http;
          if (!protocol.empty()) request.set(http::field::sec_websocket_protocol, protocol);
          if (!origin.empty()) request.set(http::field::origin, origin);
        }));
    return await_code(context_, [&](auto done) {
      stream_.async_handshake(response_, "localhost", target, done);
    });
  }

  error_code send(const std::string& text, bool as_text = true) {
    stream_.text(as_text);
    return await_code(context_, [&](auto done) {
      stream_.async_write(asio::buffer(text),
                          [done](error_code code, std::size_t) mutable { done(code); });
    });
  }

  /// The next message, or null at the end, whose code is then `close_code`.
  json receive() {
    buffer_.clear();
    const auto code = await_code(context_, [&](auto done) {
      stream_.async_read(buffer_, [done](error_code failed, std::size_t) mutable { done(failed); });
    });
    if (!code) return json::parse(beast::buffers_to_string(buffer_.data()));
    end = code;
    close_code = stream_.reason().code;
    return nullptr;
  }

  json join(const std::string& room) {
    send(json{{"type", "join"}, {"room", room}}.dump());
    return receive();
  }

  beast::websocket::stream<asio::ip::tcp::socket>& stream() { return stream_; }
  int status() const { return static_cast<int>(response_.result_int()); }
  std::string protocol() const {
    return std::string(response_[beast::http::field::sec_websocket_protocol]);
  }

  int close_code = 0;
  error_code end;

 private:
  asio::io_context& context_;
  beast::websocket::stream<asio::ip::tcp::socket> stream_;
  beast::websocket::response_type response_;
  beast::flat_buffer buffer_;
};

}  // namespace asiortc::test

// An HTTP server and its client, by Beast, over a data channel instead of TCP.
#include <asiortc/asiortc.hpp>

#include <boost/asio.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

#include <exception>
#include <iostream>
#include <string>

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;

// Answers one request after the other, until the other side closes the channel.
asio::awaitable<void> serve(asiortc::peer_connection& connection) {
  auto channel = co_await connection.data_channels().async_next();
  if (!channel) co_return;
  asiortc::channel_stream stream(std::move(*channel));
  beast::flat_buffer buffer;
  for (;;) {
    http::request<http::string_body> request;
    auto [code, size] =
        co_await http::async_read(stream, buffer, request, asio::as_tuple(asio::deferred));
    if (code) break;  // http::error::end_of_stream where that was between two requests
    std::cout << "server: " << request.method_string() << ' ' << request.target() << ", " << size
              << " bytes\n";
    http::response<http::string_body> response(http::status::ok, request.version());
    response.set(http::field::content_type, "text/plain");
    response.body() = "this is " + std::string(request.target()) + ", and no TCP was harmed\n";
    response.keep_alive(request.keep_alive());
    response.prepare_payload();
    co_await http::async_write(stream, response, asio::deferred);
  }
  co_await connection.async_close();
}

asio::awaitable<void> get(asiortc::peer_connection& connection) {
  auto channel = connection.create_data_channel("http");
  co_await channel.async_open();
  asiortc::channel_stream stream(std::move(channel));
  beast::flat_buffer buffer;
  for (const char* target : {"/first", "/second"}) {
    http::request<http::empty_body> request(http::verb::get, target, 11);
    request.set(http::field::host, "peer");
    co_await http::async_write(stream, request, asio::deferred);
    http::response<http::string_body> response;
    co_await http::async_read(stream, buffer, response, asio::deferred);
    std::cout << "client: " << response.result_int() << ' ' << response.body();
  }
  co_await stream.async_close();  // the server reads the end
  co_await connection.async_close();
}

int main() {
  int status = 0;
  asio::io_context context;
  asiortc::peer_connection server{context}, client{context};
  auto [server_end, client_end] = asiortc::make_signaling_pipe_pair(context.get_executor());
  auto server_session = asiortc::negotiate(server, server_end);
  auto client_session = asiortc::negotiate(client, client_end);
  const auto report = [&](std::exception_ptr failure) {
    try {
      if (failure) std::rethrow_exception(failure);
    } catch (const std::exception& wrong) {
      std::cerr << "http_over_channel: " << wrong.what() << '\n';
      status = 1;
      server.close();
      client.close();
    }
  };
  asio::co_spawn(context, serve(server), report);
  asio::co_spawn(context, get(client), report);
  context.run();
  return status;
}

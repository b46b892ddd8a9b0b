// A server application that answers browsers: signaling inside, an echo on every data channel.
//
//   echo_server 127.0.0.1 8765     then open docs/examples/echo.html in a browser
#include <asiortc/asiortc.hpp>
#include <asiortc/signaling_server.hpp>

#include <boost/asio.hpp>

#include <charconv>
#include <csignal>
#include <iostream>
#include <memory>
#include <string>

namespace asio = boost::asio;

// Awaiting each send is the back-pressure: who reads slowly is read from slowly.
asio::awaitable<void> echo(asiortc::data_channel channel) {
  for (;;) {
    auto received = co_await channel.async_receive();
    if (!received) break;
    co_await channel.async_send(std::move(*received));
  }
}

// Ends with the visitor's connection, which ends its channels.
asio::awaitable<void> echo_all(asiortc::event_stream<asiortc::data_channel> channels,
                               std::string visitor) {
  const auto executor = co_await asio::this_coro::executor;
  for (;;) {
    auto channel = co_await channels.async_next();
    if (!channel) break;
    std::cout << visitor << " opened " << channel->label() << std::endl;
    asio::co_spawn(executor, echo(std::move(*channel)), [](std::exception_ptr) {});
  }
}

// A page that is closed says so. One whose network is gone does not: its connection fails after a
// while. That ends its channels, but does not close the connection, which would wait for others.
asio::awaitable<void> answer(asiortc::signaling_client& room, asiortc::signaling_peer visitor) {
  const auto executor = co_await asio::this_coro::executor;
  asiortc::peer_connection connection(executor);
  auto session = asiortc::negotiate(connection, room.pipe_to(visitor.id));
  asio::co_spawn(executor, echo_all(connection.data_channels(), visitor.name),
                 [](std::exception_ptr) {});
  auto states = connection.connection_states();
  for (;;) {
    auto change = co_await states.async_next();
    const auto state = change ? change->state : asiortc::connection_state::closed;
    if (state == asiortc::connection_state::failed) break;
    if (state == asiortc::connection_state::closed) break;
  }
  co_await connection.async_close();
  std::cout << visitor.name << " is gone" << std::endl;
}

asio::awaitable<void> serve(std::string url) {
  const auto executor = co_await asio::this_coro::executor;
  asiortc::signaling_client room(executor);
  co_await room.async_connect(url);
  co_await room.async_join("echo", "echo server");
  auto events = room.events();
  for (;;) {
    auto event = co_await events.async_next();
    if (!event) break;
    const bool joined = event->kind == asiortc::signaling_event_kind::peer_joined;
    if (joined) asio::co_spawn(executor, answer(room, event->peer), [](std::exception_ptr) {});
  }
}

int main(int argc, char** argv) try {
  asiortc::signaling_server_options options;
  const std::string port = argc == 3 ? argv[2] : "";
  const auto [end, wrong] = std::from_chars(port.data(), port.data() + port.size(), options.port);
  if (argc != 3 || wrong != std::errc() || *end != '\0') {
    std::cerr << "usage: echo_server HOST PORT\n";
    return 2;
  }
  asio::io_context context;
  options.host = argv[1];
  options.allow_any_origin = true;  // pages from files and from anywhere may come
  asiortc::signaling_server server(context.get_executor(), options);
  server.listen();
  std::cout << "listening on " << server.url() << std::endl;
  asio::co_spawn(context, serve(server.url()), asio::detached);
  asio::signal_set signals(context, SIGINT, SIGTERM);
  signals.async_wait([&](auto, int) { context.stop(); });
  context.run();
} catch (const std::exception& wrong) {
  std::cerr << "echo_server: " << wrong.what() << '\n';
  return 1;
}

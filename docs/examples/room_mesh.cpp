// Everybody in a room greets everybody who comes. Who is connected to whom, and what to do when a
// connection or the signaling server is lost, is `room_mesh`'s business.
//
//   signaling_server                                    (in one terminal)
//   room_mesh ws://127.0.0.1:8765/ tea alice            (in a second)
//   room_mesh ws://127.0.0.1:8765/ tea bob              (in a third; Ctrl-C leaves)
#include <asiortc/asiortc.hpp>

#include <boost/asio.hpp>

#include <cctype>
#include <csignal>
#include <iostream>
#include <string>
#include <vector>

namespace asio = boost::asio;

asio::awaitable<void> greet_who_comes(asiortc::room_mesh& room, std::string name) {
  auto events = room.events();
  for (;;) {
    auto event = co_await events.async_next();
    if (!event) break;
    std::cout << "* " << to_string(event->kind) << ' ' << event->id << std::endl;
    if (event->kind != asiortc::mesh_event_kind::peer_connected) continue;
    const std::string greeting = "hello from " + name;
    std::vector<std::uint8_t> packet(greeting.begin(), greeting.end());
    // Who leaves in this very moment does not hear it, which is no reason to stop.
    co_await room.async_send(event->id, std::move(packet), asiortc::transfer_mode::reliable,
                             asio::as_tuple(asio::deferred));
  }
}

asio::awaitable<void> print_packets(asiortc::room_mesh& room) {
  for (;;) {
    auto packet = co_await room.async_receive();
    if (!packet) break;
    std::string text(packet->text());
    for (char& each : text) {  // what others send is not to steer this terminal
      if (std::iscntrl(static_cast<unsigned char>(each)) != 0) each = '?';
    }
    std::cout << packet->from << ": " << text << std::endl;
  }
}

asio::awaitable<void> visit(asiortc::room_mesh& room, std::string url, std::string name) {
  asio::signal_set interrupted(co_await asio::this_coro::executor, SIGINT, SIGTERM);
  co_await room.async_join(url, name);
  co_await interrupted.async_wait(asio::deferred);
  co_await room.async_close();  // once what was sent has arrived
}

int main(int argc, char** argv) try {
  if (argc != 4) {
    std::cerr << "usage: room_mesh URL ROOM NAME\n";
    return 2;
  }
  asio::io_context context;
  asiortc::room_mesh_options options;
  options.name = argv[3];
  asiortc::room_mesh room(context, options);
  asio::co_spawn(context, greet_who_comes(room, argv[3]), asio::detached);
  asio::co_spawn(context, print_packets(room), asio::detached);
  asio::co_spawn(context, visit(room, argv[1], argv[2]), [](std::exception_ptr failure) {
    if (failure) std::rethrow_exception(failure);  // out of run()
  });
  context.run();
} catch (const std::exception& wrong) {
  std::cerr << "room_mesh: " << wrong.what() << '\n';
  return 1;
}

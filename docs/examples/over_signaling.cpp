// Two programs find each other in a room of a signaling server and talk directly.
//
//   signaling_server                                    (in one terminal)
//   over_signaling ws://127.0.0.1:8765/ tea alice       (in a second)
//   over_signaling ws://127.0.0.1:8765/ tea bob         (in a third)
#include <asiortc/asiortc.hpp>

#include <boost/asio.hpp>

#include <iostream>
#include <string>

namespace asio = boost::asio;

// The newcomer makes the channel, the one who was there accepts it.
asio::awaitable<asiortc::data_channel> open_chat(asiortc::peer_connection& connection,
                                                 bool newcomer) {
  if (newcomer) {
    auto chat = connection.create_data_channel("chat");
    co_await chat.async_open();
    co_return chat;
  }
  auto channels = connection.data_channels();
  auto chat = co_await channels.async_next();
  if (!chat) throw std::runtime_error("the connection ended before a channel was opened");
  co_return std::move(*chat);
}

asio::awaitable<void> greet(asiortc::signaling_client& room, asiortc::peer_id remote,
                            std::string name, bool newcomer) {
  asiortc::configuration config;
  config.ice_servers = room.ice_servers();
  asiortc::peer_connection connection(co_await asio::this_coro::executor, config);
  auto session = asiortc::negotiate(connection, room.pipe_to(remote));

  auto chat = co_await open_chat(connection, newcomer);
  co_await chat.async_send("hello from " + name);
  auto greeting = co_await chat.async_receive();
  if (greeting) std::cout << greeting->text() << '\n';
  std::cout << "over " << to_string(*connection.selected_candidate_pair()) << '\n';
  co_await connection.async_close();
}

asio::awaitable<void> visit(std::string url, std::string room_name, std::string name) {
  asiortc::signaling_client room(co_await asio::this_coro::executor);
  co_await room.async_connect(url);
  co_await room.async_join(room_name, name);

  const auto present = room.peers();
  if (!present.empty()) {
    co_await greet(room, present.front().id, name, true);
  } else {
    auto events = room.events();
    auto event = co_await events.async_next();  // waits for the first to come
    if (event) co_await greet(room, event->peer.id, name, false);
  }
  co_await room.async_close();
}

int main(int argc, char** argv) {
  if (argc != 4) {
    std::cerr << "usage: over_signaling URL ROOM NAME\n";
    return 2;
  }
  int status = 0;
  asio::io_context context;
  asio::co_spawn(context, visit(argv[1], argv[2], argv[3]), [&](std::exception_ptr failure) {
    try {
      if (failure) std::rethrow_exception(failure);
    } catch (const std::exception& wrong) {
      std::cerr << "over_signaling: " << wrong.what() << '\n';
      status = 1;
    }
  });
  context.run();
  return status;
}

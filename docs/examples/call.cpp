#include <asiortc/asiortc.hpp>

#include <boost/asio.hpp>

#include <iostream>

namespace asio = boost::asio;

asio::awaitable<void> call(asiortc::signaling_client& room, asiortc::peer_id remote) {
  asiortc::configuration config;
  config.ice_servers = room.ice_servers();
  asiortc::peer_connection pc{co_await asio::this_coro::executor, config};
  auto session = asiortc::negotiate(pc, room.pipe_to(remote));  // perfect negotiation, trickle ICE
  auto chat = pc.create_data_channel("chat");
  co_await chat.async_send("hello");
  while (auto message = co_await chat.async_receive()) std::cout << message->text() << '\n';
  co_await pc.async_close();
}

// Two peers in one program: the smallest use of asiortc.
#include <asiortc/asiortc.hpp>

#include <boost/asio.hpp>

#include <iostream>

namespace asio = boost::asio;

asio::awaitable<void> answer(asiortc::peer_connection& pc) {
  auto channel = co_await pc.data_channels().async_next();
  if (!channel) co_return;  // the connection was closed first
  while (auto message = co_await channel->async_receive())
    co_await channel->async_send("you said: " + std::string(message->text()));
}

asio::awaitable<void> call(asiortc::peer_connection& pc) {
  auto chat = pc.create_data_channel("chat");
  co_await chat.async_send("hello");
  auto reply = co_await chat.async_receive();
  if (reply) std::cout << reply->text() << '\n';
  co_await pc.async_close();
}

int main() {
  asio::io_context context;
  asiortc::peer_connection alice{context}, bob{context};
  auto [alices_end, bobs_end] = asiortc::make_signaling_pipe_pair(context.get_executor());
  auto alices_session = asiortc::negotiate(alice, alices_end);  // perfect negotiation, trickle ICE
  auto bobs_session = asiortc::negotiate(bob, bobs_end);
  asio::co_spawn(context, call(alice), asio::detached);
  asio::co_spawn(context, answer(bob), [&](std::exception_ptr) { bob.close(); });
  context.run();
}

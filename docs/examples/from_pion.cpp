// What Pion's data channel examples do, ported: an offer and an answer that carry all candidates,
// one coroutine where Go has a goroutine or a callback, and a deadline.
#include <asiortc/asiortc.hpp>

#include <boost/asio.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>

#include <chrono>
#include <iostream>
#include <optional>
#include <stdexcept>
#include <string>

namespace asio = boost::asio;

// <-webrtc.GatheringCompletePromise(pc)
asio::awaitable<void> gathered(asiortc::peer_connection& pc) {
  auto states = pc.ice_gathering_states();
  while (pc.ice_gathering_state() != asiortc::ice_gathering_state::complete) {
    auto change = co_await states.async_next();
    if (!change) throw std::runtime_error("closed while candidates were gathered");
  }
}

asio::awaitable<asiortc::session_description> make_offer(asiortc::peer_connection& pc) {
  auto offer = co_await pc.async_create_offer();
  co_await pc.async_set_local_description(offer);
  co_await gathered(pc);
  co_return *pc.local_description();  // with the candidates in it
}

asio::awaitable<asiortc::session_description> make_answer(asiortc::peer_connection& pc,
                                                          asiortc::session_description offer) {
  co_await pc.async_set_remote_description(offer);
  auto answer = co_await pc.async_create_answer();
  co_await pc.async_set_local_description(answer);
  co_await gathered(pc);
  co_return *pc.local_description();
}

// d.OnMessage(func(msg webrtc.DataChannelMessage) { ... })
asio::awaitable<void> on_message(asiortc::data_channel d) {
  while (auto msg = co_await d.async_receive()) {
    std::cout << d.label() << ": " << msg->text() << '\n';
    co_await d.async_send("pong");
  }
}

// pc.OnDataChannel(func(d *webrtc.DataChannel) { ... })
asio::awaitable<void> on_data_channel(asiortc::peer_connection& pc) {
  const auto executor = co_await asio::this_coro::executor;
  auto channels = pc.data_channels();
  for (;;) {
    auto d = co_await channels.async_next();
    if (!d) break;
    asio::co_spawn(executor, on_message(std::move(*d)), asio::detached);  // go func() { ... }()
  }
}

// select { case msg := <-messages: ... case <-time.After(limit): ... }
asio::awaitable<std::optional<asiortc::message>> receive_within(asiortc::data_channel& d,
                                                                std::chrono::seconds limit) {
  using namespace asio::experimental::awaitable_operators;
  asio::steady_timer timer(co_await asio::this_coro::executor, limit);
  auto first =
      co_await (d.async_receive(asio::use_awaitable) || timer.async_wait(asio::use_awaitable));
  if (first.index() == 1) co_return std::nullopt;  // nothing was taken, nothing is lost
  co_return std::get<0>(std::move(first));
}

asio::awaitable<void> dial(asiortc::peer_connection& near, asiortc::peer_connection& far) {
  auto d = near.create_data_channel("data");
  auto offer = co_await make_offer(near);
  auto answer = co_await make_answer(far, std::move(offer));  // by mail, by HTTP, by hand
  co_await near.async_set_remote_description(std::move(answer));

  co_await d.async_open();  // d.OnOpen(func() { ... })
  co_await d.async_send("ping");
  auto reply = co_await receive_within(d, std::chrono::seconds(10));
  if (!reply) throw std::runtime_error("no reply");
  std::cout << d.label() << ": " << reply->text() << '\n';

  co_await near.async_close();  // pc.GracefulClose()
  far.close();                  // pc.Close()
}

int main() {
  int status = 0;
  asio::io_context context;
  asiortc::peer_connection near{context}, far{context};
  asio::co_spawn(context, on_data_channel(far), asio::detached);
  asio::co_spawn(context, dial(near, far), [&](std::exception_ptr failure) {
    try {
      if (failure) std::rethrow_exception(failure);
    } catch (const std::exception& wrong) {
      std::cerr << "from_pion: " << wrong.what() << '\n';
      status = 1;
      near.close();
      far.close();
    }
  });
  context.run();
  return status;
}

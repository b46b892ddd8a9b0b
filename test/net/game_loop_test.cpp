// A peer connection whose owner only ever polls.
#include "net/peer_pair.hpp"

#include <doctest/doctest.h>

#include <string>

namespace asiortc::test {

TEST_CASE("a game loop that only calls poll() connects and exchanges messages") {
  asio::io_context context;
  peer_pair peers(context.get_executor());
  auto sent = peers.first.create_data_channel("game");
  std::optional<data_channel> received;
  std::string heard;
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  sent.async_send("hello", [](boost::system::error_code) {});
  while (heard.empty() && std::chrono::steady_clock::now() < deadline) {
    context.poll();
    context.restart();  // an idle context counts as stopped
    if (!received) received = peers.second.data_channels().try_next();
    if (!received) continue;
    if (auto message = received->try_receive()) heard = message->text();
  }
  CHECK(heard == "hello");
}

}  // namespace asiortc::test

// Peers behind a `udp_mux`, and how they talk.
#pragma once

#include "net/peer_pair.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <sys/resource.h>

namespace asiortc::test {

inline std::shared_ptr<udp_mux> make_mux(const asio::any_io_executor& executor,
                                         const std::string& address) {
  udp_mux_options options;
  options.addresses.push_back(address);
  return std::make_shared<udp_mux>(executor, options);
}

inline configuration through(const std::shared_ptr<udp_mux>& mux) {
  configuration config;
  config.udp_mux = mux;
  return config;
}

/// Sockets of its own, on one address of this machine.
inline configuration on_address(const std::string& wanted) {
  configuration config;
  config.interface_filter = [wanted](const interface_address& each) {
    return each.address == wanted;
  };
  return config;
}

inline asio::awaitable<void> echo(peer_connection& peer) {
  auto channels = peer.data_channels();
  auto channel = co_await channels.async_next();
  while (channel) {
    auto received = co_await channel->async_receive();
    if (!received) co_return;
    co_await channel->async_send(std::move(*received));
  }
}

/// Opens a channel and has `count` messages come back over it.
inline asio::awaitable<void> exchange(peer_connection& peer, std::string name, int count) {
  auto channel = peer.create_data_channel(name);
  co_await channel.async_open();
  for (int i = 0; i < count; ++i) {
    std::string text = name + ":" + std::to_string(i);
    std::string expected = text;
    co_await channel.async_send(std::move(text));
    auto received = co_await channel.async_receive();
    REQUIRE(received.has_value());
    CHECK(received->text() == expected);
  }
}

inline asio::awaitable<void> close_pair(peer_pair& pair) {
  return close_both(pair.first, pair.second);
}

}  // namespace asiortc::test

// Meshes in one program, joined by signaling pipes in memory.
#pragma once

#include "net/peer_pair.hpp"

#include <asiortc/mesh.hpp>

#include <doctest/doctest.h>

#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace asiortc::test {

inline std::vector<std::uint8_t> bytes_of(std::string_view text) {
  return {text.begin(), text.end()};
}

/// A mesh with what negotiates for it.
struct mesh_node {
  mesh_node(asio::any_io_executor own, mesh_id id, mesh_options options = mesh_options(),
            configuration settings = configuration())
      : executor(own), config(std::move(settings)), net(own, id, std::move(options)) {}

  void add(mesh_id id, std::shared_ptr<signaling_pipe> pipe) {
    peer_connection connection(executor, config);
    net.add_peer(std::move(connection), id);
    sessions.push_back(negotiate(*net.get_peer(id)->connection, std::move(pipe)));
  }

  asio::any_io_executor executor;
  configuration config;
  mesh net;
  std::vector<negotiation> sessions;
};

inline void link(mesh_node& first, mesh_node& second) {
  auto pipes = make_signaling_pipe_pair(first.executor);
  first.add(second.net.id(), pipes.first);
  second.add(first.net.id(), pipes.second);
}

/// A peer that is no mesh: it has the three channels, and may do with them what it wants.
struct plain_peer {
  explicit plain_peer(const asio::any_io_executor& executor, configuration config = configuration())
      : connection(executor, std::move(config)) {
    for (std::uint16_t id = 1; id <= 3; ++id) {
      data_channel_init init;
      init.negotiated = true;
      init.id = id;
      init.ordered = id != 3;
      channels.push_back(connection.create_data_channel("any name", init));
    }
  }
  plain_peer(const asio::any_io_executor& executor, mesh_node& other, mesh_id id,
             configuration config = configuration())
      : plain_peer(executor, std::move(config)) {
    auto pipes = make_signaling_pipe_pair(executor);
    sessions.push_back(negotiate(connection, pipes.first));
    other.add(id, pipes.second);
  }

  /// The channel with this id.
  data_channel& channel(std::size_t id) { return channels[id - 1]; }

  peer_connection connection;
  std::vector<data_channel> channels;
  std::vector<negotiation> sessions;
};

inline asio::awaitable<mesh_event> next_event(event_stream<mesh_event> events) {
  auto event = co_await events.async_next(asio::use_awaitable);
  REQUIRE(event.has_value());
  co_return *event;
}

/// The next event is this one; it is given back for its reason.
inline asio::awaitable<mesh_event> expect(mesh& net, mesh_event_kind kind, mesh_id id) {
  auto event = co_await next_event(net.events());
  CHECK(to_string(event.kind) == to_string(kind));
  CHECK(event.id == id);
  co_return event;
}

inline asio::awaitable<mesh_event> expect_connected(mesh& net, mesh_id id) {
  auto event = co_await expect(net, mesh_event_kind::peer_connected, id);
  co_return event;
}

/// Both come, in any order.
inline asio::awaitable<void> expect_both_connected(mesh& net, mesh_id one, mesh_id other) {
  auto first = co_await next_event(net.events());
  CHECK(first.kind == mesh_event_kind::peer_connected);
  CHECK((first.id == one || first.id == other));
  co_await expect_connected(net, first.id == one ? other : one);
}

inline asio::awaitable<void> expect_packet(mesh& net, mesh_id from, transfer_mode mode,
                                           std::string text) {
  auto packet = co_await net.async_receive(asio::use_awaitable);
  REQUIRE(packet.has_value());
  CHECK(packet->from == from);
  CHECK(to_string(packet->mode) == to_string(mode));
  CHECK(std::string(packet->text()) == text);
}

/// Runs both contexts until `done`, at most 60 s: a bound for failures, never a wait.
template <class Done>
bool run_both(asio::io_context& one, asio::io_context& other, Done done) {
  const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!done()) {
    if (std::chrono::steady_clock::now() > limit) return false;
    one.restart();
    if (one.run_one_for(std::chrono::milliseconds(1)) != 0) one.poll();
    other.restart();
    other.poll();
  }
  return true;
}

/// Ends what waits across two contexts, since no wait may outlive the context of its handler.
template <class... Nodes>
void end_all(asio::io_context& one, asio::io_context& other, Nodes&... nodes) {
  (nodes.sessions.clear(), ...);
  (nodes.net.close(), ...);
  std::size_t handled = 0;
  do {
    one.restart();
    other.restart();
    handled = one.poll() + other.poll();
  } while (handled != 0);
}

}  // namespace asiortc::test

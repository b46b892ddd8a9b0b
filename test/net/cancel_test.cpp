// Every operation of the interface is cancelled while it waits, in each way that there is.
#include "net/mesh_support.hpp"
#include "net/peer_pair.hpp"

#include <asiortc/channel_stream.hpp>
#include <asiortc/room_mesh.hpp>
#include <asiortc/signaling_client.hpp>
#include <asiortc/signaling_server.hpp>
#include <asiortc/stun_probe.hpp>

#include <doctest/doctest.h>

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace asiortc::test {
namespace {

using boost::system::error_code;

constexpr std::array every_way{asio::cancellation_type::terminal, asio::cancellation_type::partial,
                               asio::cancellation_type::total};

/// `start` gets the handler of the operation, which is cancelled before the context runs.
template <class Start>
void expect_cancelled(asio::io_context& context, const char* what, const Start& start) {
  INFO(what);
  for (const auto way : every_way) {
    asio::cancellation_signal signal;
    std::optional<error_code> ended;
    start(asio::bind_cancellation_slot(
        signal.slot(), [&ended](error_code code, const auto&...) { ended = code; }));
    signal.emit(way);
    context.restart();
    while (!ended && context.run_one() != 0) {
    }
    REQUIRE(ended.has_value());
    CHECK(*ended == asio::error::operation_aborted);
  }
}

asio::awaitable<void> open(data_channel& channel) { co_await channel.async_open(); }

asio::awaitable<void> both_connected(mesh& first, mesh& second) {
  co_await expect_connected(first, 2);
  co_await expect_connected(second, 1);
}

asio::awaitable<void> meet(room_mesh& first, room_mesh& second, std::string url) {
  co_await first.async_join(url, "tea");
  co_await second.async_join(url, "tea");
  for (auto* each : {&first, &second}) {
    auto events = each->events();
    auto event = co_await events.async_next();
    while (event->kind != mesh_event_kind::peer_connected) event = co_await events.async_next();
  }
}

/// The last of the packets is the one that is waited for, and finds no room.
template <class Mesh, class Handler>
void send_much(Mesh& net, Handler handler) {
  const std::vector<std::uint8_t> much(200000);
  for (int i = 0; i < 20; ++i) net.async_send(0, much, transfer_mode::reliable, [](error_code) {});
  net.async_send(0, much, transfer_mode::reliable, std::move(handler));
}

}  // namespace

TEST_CASE("the operations of a peer connection that negotiates by hand") {
  asio::io_context context;
  peer_connection peer(context);
  const auto pipes = make_signaling_pipe_pair(context.get_executor());
  expect_cancelled(context, "async_create_offer", [&](auto handler) {
    peer.async_create_offer(offer_options(), std::move(handler));
  });
  expect_cancelled(context, "async_create_answer",
                   [&](auto handler) { peer.async_create_answer(std::move(handler)); });
  expect_cancelled(context, "async_set_local_description", [&](auto handler) {
    peer.async_set_local_description(std::nullopt, std::move(handler));
  });
  expect_cancelled(context, "async_set_remote_description", [&](auto handler) {
    peer.async_set_remote_description(session_description(sdp_type::offer, "v=0"),
                                      std::move(handler));
  });
  expect_cancelled(context, "async_add_ice_candidate", [&](auto handler) {
    peer.async_add_ice_candidate(ice_candidate(), std::move(handler));
  });
  expect_cancelled(context, "async_candidate_pairs",
                   [&](auto handler) { peer.async_candidate_pairs(std::move(handler)); });
  expect_cancelled(context, "async_get_stats",
                   [&](auto handler) { peer.async_get_stats(std::move(handler)); });
  const auto channel = peer.create_data_channel("selected");
  expect_cancelled(context, "async_get_stats of a channel",
                   [&](auto handler) { peer.async_get_stats(channel, std::move(handler)); });
  expect_cancelled(context, "signaling_pipe::async_receive",
                   [&](auto handler) { pipes.first->async_receive(std::move(handler)); });
  expect_cancelled(context, "an event stream's async_next",
                   [&](auto handler) { peer.data_channels().async_next(std::move(handler)); });
  expect_cancelled(context, "an event stream's async_wait",
                   [&](auto handler) { peer.data_channels().async_wait(std::move(handler)); });
  expect_cancelled(context, "peer_connection::async_close",
                   [&](auto handler) { peer.async_close(std::move(handler)); });
}

TEST_CASE("the operations of a data channel and of a negotiation") {
  asio::io_context context;
  peer_pair peers(context.get_executor());
  auto channel = peers.first.create_data_channel("data");
  const std::string much(200000, 'm');
  expect_cancelled(context, "negotiation::async_wait",
                   [&](auto handler) { peers.first_session.async_wait(std::move(handler)); });
  expect_cancelled(context, "async_open",
                   [&](auto handler) { channel.async_open(std::move(handler)); });
  run(context, open(channel));
  expect_cancelled(context, "async_receive",
                   [&](auto handler) { channel.async_receive(std::move(handler)); });
  expect_cancelled(context, "async_flush", [&](auto handler) {
    channel.async_send(much, [](error_code) {});
    channel.async_flush(std::move(handler));
  });
  expect_cancelled(context, "an async_send that waits", [&](auto handler) {
    for (int i = 0; i < 20; ++i) channel.async_send(much, [](error_code) {});
    channel.async_send(much, std::move(handler));
  });
  expect_cancelled(context, "data_channel::async_close",
                   [&](auto handler) { channel.async_close(std::move(handler)); });
}

TEST_CASE("the operations of signaling") {
  asio::io_context context;
  signaling_server_options options;
  options.port = 0;
  signaling_server server(context.get_executor(), options);
  server.listen();
  const std::string url = server.url();
  expect_cancelled(context, "signaling_client::async_connect", [&](auto handler) {
    auto client = std::make_shared<signaling_client>(context.get_executor());
    client->async_connect(url, asio::consign(std::move(handler), client));
  });
  const auto connected = [&] {
    auto client = std::make_shared<signaling_client>(context.get_executor());
    run(context, [](signaling_client& to, std::string at) -> asio::awaitable<void> {
      co_await to.async_connect(at);
    }(*client, url));
    return client;
  };
  expect_cancelled(context, "signaling_client::async_join", [&](auto handler) {
    const auto client = connected();
    client->async_join("tea", "x", asio::consign(std::move(handler), client));
  });
  expect_cancelled(context, "signaling_client::async_close", [&](auto handler) {
    const auto client = connected();
    client->async_close(asio::consign(std::move(handler), client));
  });
  expect_cancelled(context, "signaling_server::async_close",
                   [&](auto handler) { server.async_close(std::move(handler)); });
}

TEST_CASE("the probe of a STUN server") {
  asio::io_context context;
  const asio::ip::udp::socket silent(context, {asio::ip::address_v4::loopback(), 0});
  const std::string url = "stun:127.0.0.1:" + std::to_string(silent.local_endpoint().port());
  expect_cancelled(context, "async_probe_stun", [&](auto handler) {
    async_probe_stun(context.get_executor(), url, stun_probe_options(), std::move(handler));
  });
}

TEST_CASE("the operations of a channel stream") {
  asio::io_context context;
  peer_pair peers(context.get_executor());
  auto channel = peers.first.create_data_channel("stream");
  run(context, open(channel));
  channel_stream stream(std::move(channel));
  std::array<char, 8> bytes{};
  const std::string much(200000, 'm');
  expect_cancelled(context, "async_read_some", [&](auto handler) {
    stream.async_read_some(asio::buffer(bytes), std::move(handler));
  });
  expect_cancelled(context, "an async_write_some that waits", [&](auto handler) {
    for (int i = 0; i < 20; ++i) stream.channel().async_send(much, [](error_code) {});
    stream.async_write_some(asio::buffer(much), std::move(handler));
  });
  expect_cancelled(context, "channel_stream::async_close",
                   [&](auto handler) { stream.async_close(std::move(handler)); });
}

TEST_CASE("the operations of a mesh") {
  asio::io_context context;
  mesh_node first(context.get_executor(), 1);
  mesh_node second(context.get_executor(), 2);
  link(first, second);
  run(context, both_connected(first.net, second.net));
  expect_cancelled(context, "mesh::async_receive",
                   [&](auto handler) { first.net.async_receive(std::move(handler)); });
  expect_cancelled(context, "an async_send of a mesh that waits",
                   [&](auto handler) { send_much(first.net, std::move(handler)); });
  expect_cancelled(context, "mesh::async_close",
                   [&](auto handler) { first.net.async_close(std::move(handler)); });
}

TEST_CASE("the operations of a room mesh") {
  asio::io_context context;
  signaling_server_options options;
  options.port = 0;
  signaling_server server(context.get_executor(), options);
  server.listen();
  const std::string url = server.url();
  expect_cancelled(context, "room_mesh::async_join", [&](auto handler) {
    auto never = std::make_shared<room_mesh>(context);
    never->async_join(url, "tea", asio::consign(std::move(handler), never));
  });
  room_mesh first(context);
  room_mesh second(context);
  run(context, meet(first, second, url));
  expect_cancelled(context, "room_mesh::async_receive",
                   [&](auto handler) { first.async_receive(std::move(handler)); });
  expect_cancelled(context, "an async_send of a room mesh that waits",
                   [&](auto handler) { send_much(first, std::move(handler)); });
  expect_cancelled(context, "room_mesh::async_close",
                   [&](auto handler) { first.async_close(std::move(handler)); });
}

}  // namespace asiortc::test

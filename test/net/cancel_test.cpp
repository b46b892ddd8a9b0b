// Every operation of the interface is cancelled while it waits, in each way that there is.
#include "net/peer_pair.hpp"

#include <asiortc/signaling_client.hpp>
#include <asiortc/signaling_server.hpp>

#include <doctest/doctest.h>

#include <array>
#include <optional>
#include <string>
#include <utility>

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
  expect_cancelled(context, "signaling_server::async_close",
                   [&](auto handler) { server.async_close(std::move(handler)); });
}

}  // namespace asiortc::test

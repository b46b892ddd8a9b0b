// Hostile peers, the end of a mesh, and many threads.
#include "net/mesh_support.hpp"
#include "support/process_counts.hpp"

#include <atomic>
#include <deque>
#include <functional>
#include <thread>

namespace asiortc::test {
namespace {

using namespace std::chrono_literals;

asio::awaitable<void> open_extra_channels(plain_peer& other, mesh& net) {
  co_await expect_connected(net, 5);
  co_await other.channel(1).async_open();
  std::deque<data_channel> extra;
  for (int count = 0; count < 20; ++count) {
    auto& channel = extra.emplace_back(other.connection.create_data_channel("extra"));
    co_await channel.async_send("nobody wants this");
  }
  for (auto& channel : extra) {
    auto states = channel.states();
    while (channel.state() != data_channel_state::closed) co_await states.async_next();
  }
  // The mesh is not disturbed, and got none of it. A text is as good as bytes.
  co_await other.channel(2).async_send("in order");
  co_await expect_packet(net, 5, transfer_mode::unreliable_ordered, "in order");
  co_await other.channel(3).async_send("any order");
  co_await expect_packet(net, 5, transfer_mode::unreliable, "any order");
  co_await net.async_send(5, bytes_of("still here"), transfer_mode::unreliable);
  auto heard = co_await other.channel(3).async_receive();
  REQUIRE(heard.has_value());
  CHECK(heard->text() == "still here");
  CHECK_FALSE(heard->is_text());
  CHECK(net.has_peer(5));
}

asio::awaitable<void> send_too_much(plain_peer& other, mesh& net) {
  co_await expect_connected(net, 5);
  co_await other.channel(1).async_send(std::vector<std::uint8_t>(1000));
  co_await other.channel(1).async_send(std::vector<std::uint8_t>(1001));
  auto gone = co_await expect(net, mesh_event_kind::peer_disconnected, 5);
  CHECK(gone.reason == errc::message_too_large);
  auto allowed = co_await net.async_receive();
  REQUIRE(allowed.has_value());
  CHECK(allowed->bytes.size() == 1000);
  CHECK_FALSE(net.try_receive().has_value());
  CHECK_FALSE(net.has_peer(5));
  co_await net.async_close();
}

asio::awaitable<void> say_farewell(plain_peer& other, mesh& net) {
  co_await expect_connected(net, 5);
  for (int count = 0; count < 200; ++count) {
    co_await other.channel(1).async_send("packet " + std::to_string(count));
  }
  co_await other.connection.async_close();
  co_await expect(net, mesh_event_kind::peer_disconnected, 5);
  for (int count = 0; count < 200; ++count) {
    co_await expect_packet(net, 5, transfer_mode::reliable, "packet " + std::to_string(count));
  }
  co_await net.async_close();
}

/// The second packet waits at the connection when the peer is removed.
asio::awaitable<void> remove_with_packets(mesh_node& first, mesh_node& second) {
  co_await expect_connected(first.net, 2);
  co_await expect_connected(second.net, 1);
  co_await second.net.async_send(1, std::vector<std::uint8_t>(1000, 1));
  co_await second.net.async_send(1, std::vector<std::uint8_t>(1000, 2));
  asio::steady_timer turn(co_await asio::this_coro::executor);
  while (second.net.get_peer(1)->buffered_amount != 0) {
    turn.expires_after(1ms);
    co_await turn.async_wait(asio::use_awaitable);
  }
  first.net.remove_peer(2);
  auto taken = co_await first.net.async_receive();
  REQUIRE(taken.has_value());
  CHECK(taken->bytes.front() == 1);
  co_await expect(second.net, mesh_event_kind::peer_disconnected, 1);
  co_await first.net.async_close();
  CHECK_FALSE(first.net.try_receive().has_value());
  co_await second.net.async_close();
}

asio::awaitable<void> end_everything(mesh_node& first, mesh_node& second) {
  co_await expect_connected(first.net, 2);
  co_await expect_connected(second.net, 1);
  co_await second.net.async_send(1, bytes_of("unread"));
  co_await first.net.async_send(2, bytes_of("the last word"));
  std::size_t closed = 0;
  first.net.async_close([&](boost::system::error_code) { ++closed; });
  co_await first.net.async_close();
  CHECK(closed == 1);
  CHECK(first.net.connection_status() == mesh_status::disconnected);
  CHECK(first.net.get_peers().empty());
  co_await expect_packet(second.net, 1, transfer_mode::reliable, "the last word");
  co_await expect(second.net, mesh_event_kind::peer_disconnected, 1);
  co_await second.net.async_close();
  co_await second.net.async_close();
  auto events = second.net.events();
  auto none = co_await events.async_next();
  CHECK_FALSE(none.has_value());
}

asio::awaitable<void> meet(mesh_node& first, mesh_node& second) {
  co_await expect_connected(first.net, 2);
  co_await expect_connected(second.net, 1);
}

using close_handler = std::function<void(boost::system::error_code)>;
using way_to_close = std::function<void(mesh&, close_handler)>;

/// Two meshes meet and end so, each with a reader; gives the descriptors at the last completion.
std::size_t open_after(asio::io_context& context, const way_to_close& end) {
  mesh_node first(context.get_executor(), 1);
  mesh_node second(context.get_executor(), 2);
  link(first, second);
  run(context, meet(first, second));
  int readers = 0;
  int closed = 0;
  std::size_t open = 0;
  for (auto* node : {&first, &second}) {
    node->net.async_receive([&](boost::system::error_code, auto packet) {
      CHECK_FALSE(packet.has_value());
      ++readers;
    });
    end(node->net, [&](boost::system::error_code code) {
      CHECK_FALSE(code);
      ++closed;
      open = open_descriptors();
    });
  }
  context.restart();
  context.run();
  CHECK(readers == 2);
  CHECK(closed == 2);
  return open;
}

asio::awaitable<void> chatter(mesh& net, mesh_id other, int count, std::atomic<int>& done) {
  co_await expect_connected(net, other);
  for (int number = 0; number < count; ++number) {
    co_await net.async_send(0, bytes_of(std::to_string(number)));
    co_await expect_packet(net, other, transfer_mode::reliable, std::to_string(number));
  }
  ++done;
}

}  // namespace

TEST_CASE("mesh: channels that a peer opens besides are closed and disturb nothing") {
  asio::io_context context;
  mesh_node node(context.get_executor(), 1);
  plain_peer other(context.get_executor(), node, 5);
  run(context, open_extra_channels(other, node.net));
}

TEST_CASE("mesh: who sends a larger packet than is taken is removed") {
  asio::io_context context;
  mesh_options options;
  options.max_packet_size = 1000;
  mesh_node node(context.get_executor(), 1, options);
  plain_peer other(context.get_executor(), node, 5);
  run(context, send_too_much(other, node.net));
}

TEST_CASE("mesh: what a peer sent before it left is received, however late it is read") {
  asio::io_context context;
  mesh_options options;
  options.max_packet_size = 1024;
  options.receive_budget = 1024;  // so that most of it waits at the connection
  mesh_node node(context.get_executor(), 1, options);
  plain_peer other(context.get_executor(), node, 5);
  run(context, say_farewell(other, node.net));
}

TEST_CASE("mesh: of a peer that is removed what waits already is received, and no more") {
  asio::io_context context;
  mesh_options options;
  options.max_packet_size = 1000;
  options.receive_budget = 1000;
  mesh_node first(context.get_executor(), 1, options);
  mesh_node second(context.get_executor(), 2);
  link(first, second);
  run(context, remove_with_packets(first, second));
}

TEST_CASE("mesh: async_close closes every connection and frees everything") {
  asio::io_context context;
  warm_up(context);
  const std::size_t descriptors = open_descriptors();
  {
    mesh_node first(context.get_executor(), 1);
    mesh_node second(context.get_executor(), 2);
    link(first, second);
    run(context, end_everything(first, second));
    CHECK(open_descriptors() == descriptors);
    CHECK(running_threads() == 1);
    context.restart();
    context.run();  // returns, since nothing is pending, though the handles live
  }
  {
    mesh_node first(context.get_executor(), 1);
    mesh_node second(context.get_executor(), 2);
    link(first, second);
    run(context,
        [](mesh& net) -> asio::awaitable<void> { co_await expect_connected(net, 2); }(first.net));
  }
  context.restart();
  context.run();  // what was dropped ends by itself
  CHECK(open_descriptors() == descriptors);
}

TEST_CASE("mesh: async_close waits for every socket when close comes before it or during it") {
  asio::io_context context;
  warm_up(context);
  const std::size_t descriptors = open_descriptors();
  const auto remove_all = [](mesh& net) {
    for (const auto& peer : net.get_peers()) net.remove_peer(peer.id);
  };
  CHECK(open_after(context, [](mesh& net, const close_handler& done) {
          net.close();
          net.async_close(done);
        }) == descriptors);
  CHECK(open_after(context, [](mesh& net, const close_handler& done) {
          net.async_close(done);
          net.close();
        }) == descriptors);
  CHECK(open_after(context, [&](mesh& net, const close_handler& done) {
          remove_all(net);
          net.close();
          net.async_close(done);
        }) == descriptors);
}

TEST_CASE("mesh: the context may be destroyed first, after any number of handlers") {
  for (std::size_t handlers = 0; handlers < 400; handlers += 7) {
    CAPTURE(handlers);
    auto context = std::make_unique<asio::io_context>();
    mesh_options options;
    options.disconnected_grace = 1s;
    mesh_node first(context->get_executor(), 1, options);
    mesh_node second(context->get_executor(), 2, options);
    link(first, second);
    bool called = false;
    first.net.async_receive([&](boost::system::error_code, auto) { called = true; });
    first.net.async_send(2, bytes_of("x"), transfer_mode::reliable,
                         [](boost::system::error_code) {});
    for (std::size_t count = 0; count < handlers && context->poll_one() != 0; ++count) {
    }
    if (handlers % 2 == 1) second.net.async_close([&](boost::system::error_code) {});
    context.reset();
    CHECK_FALSE(called);
    CHECK(first.net.id() == 1);
    first.net.async_close([&](boost::system::error_code) { called = true; });
    CHECK_FALSE(called);
  }
}

TEST_CASE("mesh: two threads may run it") {
  asio::io_context context(2);
  mesh_node first(context.get_executor(), 1);
  mesh_node second(context.get_executor(), 2);
  std::atomic<int> done = 0;
  asio::co_spawn(asio::make_strand(context), chatter(first.net, 2, 500, done), asio::detached);
  asio::co_spawn(asio::make_strand(context), chatter(second.net, 1, 500, done), asio::detached);
  link(first, second);
  std::thread other([&] { context.run_for(20s); });
  const auto limit = std::chrono::steady_clock::now() + 20s;
  while (done < 2 && std::chrono::steady_clock::now() < limit) {
    CHECK(first.net.get_peers().size() == 1);
    context.run_one_for(10ms);
  }
  CHECK(done == 2);
  std::atomic<int> closed = 0;
  for (auto* node : {&first, &second}) {
    node->net.async_close([&](boost::system::error_code) { ++closed; });
  }
  other.join();  // run_for returns when there is nothing left to do
  context.restart();
  context.run_for(20s);
  CHECK(closed == 2);
}

}  // namespace asiortc::test

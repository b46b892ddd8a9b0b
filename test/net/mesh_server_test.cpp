// Meshes with a server, as Godot's server compatibility has it.
#include "net/mesh_support.hpp"

namespace asiortc::test {
namespace {

mesh_options with_server() {
  mesh_options options;
  options.server_compatibility = true;
  return options;
}

/// The peers 1, 2 and 3, of which 1 comes later.
struct star {
  explicit star(asio::io_context& context)
      : executor(context.get_executor()),
        server(std::make_unique<mesh_node>(executor, 1, with_server())),
        second(executor, 2, with_server()),
        third(executor, 3, with_server()) {}

  asio::any_io_executor executor;
  std::unique_ptr<mesh_node> server;
  mesh_node second;
  mesh_node third;
};

asio::awaitable<void> until_up(mesh& net, mesh_id id) {
  asio::steady_timer turn(co_await asio::this_coro::executor);
  while (!net.get_peer(id)->connected) {
    turn.expires_after(std::chrono::milliseconds(1));
    co_await turn.async_wait(asio::use_awaitable);
  }
}

asio::awaitable<void> wait_for_the_server(star& all) {
  link(all.second, all.third);
  co_await until_up(all.second.net, 3);
  co_await until_up(all.third.net, 2);
  CHECK(all.second.net.connection_status() == mesh_status::connecting);
  // What comes from a peer that was not told of waits, too.
  co_await all.third.net.async_send(2, bytes_of("early"));
  CHECK_FALSE(all.second.net.events().try_next().has_value());
  CHECK_FALSE(all.second.net.try_receive().has_value());

  link(*all.server, all.second);
  co_await expect_connected(all.second.net, 1);
  CHECK(all.second.net.connection_status() == mesh_status::connected);
  co_await expect(all.second.net, mesh_event_kind::connection_succeeded, 1);
  co_await expect_connected(all.second.net, 3);
  co_await expect_packet(all.second.net, 3, transfer_mode::reliable, "early");
}

asio::awaitable<void> hear_of_later_ones(star& all) {
  link(*all.server, all.second);
  co_await expect_connected(all.second.net, 1);
  co_await expect(all.second.net, mesh_event_kind::connection_succeeded, 1);
  link(*all.server, all.third);
  link(all.second, all.third);
  co_await expect_connected(all.second.net, 3);
  co_await expect_both_connected(all.server->net, 2, 3);  // the server itself is told of all
}

asio::awaitable<void> lose_the_server(star& all) {
  co_await all.server->net.async_close();
  co_await expect(all.second.net, mesh_event_kind::peer_disconnected, 1);
  co_await expect(all.second.net, mesh_event_kind::server_disconnected, 1);
  CHECK(all.second.net.connection_status() == mesh_status::disconnected);
  CHECK(all.second.net.has_peer(3));  // the others stay
  CHECK(all.second.net.get_peer(3)->connected);
  auto [refused] = co_await all.second.net.async_send(3, bytes_of("no"), transfer_mode::reliable,
                                                      asio::as_tuple(asio::use_awaitable));
  CHECK(refused == errc::invalid_state);
  CHECK(all.second.net.last_error_detail() == "async_send: the server is gone");
}

asio::awaitable<void> take_the_server_back(star& all, mesh_node& fourth) {
  link(all.second, fourth);  // who comes meanwhile is not told of
  co_await until_up(all.second.net, 4);
  CHECK_FALSE(all.second.net.events().try_next().has_value());
  all.server = std::make_unique<mesh_node>(all.executor, 1, with_server());
  link(*all.server, all.second);
  co_await expect_connected(all.second.net, 1);
  co_await expect(all.second.net, mesh_event_kind::connection_succeeded, 1);
  co_await expect_connected(all.second.net, 4);  // and 3, which was told of, not again
  CHECK_FALSE(all.second.net.events().try_next().has_value());
  CHECK(all.second.net.connection_status() == mesh_status::connected);
  co_await all.second.net.async_send(3, bytes_of("again"));
  co_await expect_packet(all.third.net, 2, transfer_mode::reliable, "again");
}

asio::awaitable<void> come_and_go_as_any(mesh_node& one, mesh_node& other) {
  CHECK(other.net.connection_status() == mesh_status::connected);
  co_await expect_connected(other.net, 1);
  co_await one.net.async_close();
  co_await expect(other.net, mesh_event_kind::peer_disconnected, 1);
  CHECK(other.net.connection_status() == mesh_status::connected);
  co_await other.net.async_close();
  CHECK_FALSE(other.net.events().try_next().has_value());
}

}  // namespace

TEST_CASE("mesh without a server: the peer 1 is one like any other") {
  asio::io_context context;
  mesh_node one(context.get_executor(), 1);
  mesh_node other(context.get_executor(), 2);
  link(one, other);
  run(context, come_and_go_as_any(one, other));
}

TEST_CASE("mesh with a server: the server itself is connected at once") {
  asio::io_context context;
  const star all(context);
  CHECK(all.server->net.connection_status() == mesh_status::connected);
  CHECK(all.second.net.connection_status() == mesh_status::connecting);
  mesh other(context, 2, with_server());
  CHECK_THROWS_AS(other.set_id(1), error);
}

TEST_CASE("mesh with a server: nobody is told of before the server is connected") {
  asio::io_context context;
  star all(context);
  run(context, wait_for_the_server(all));
}

TEST_CASE("mesh with a server: who comes later is told of live") {
  asio::io_context context;
  star all(context);
  run(context, hear_of_later_ones(all));
}

TEST_CASE("mesh with a server: gone it disconnects the mesh, and back it connects it again") {
  asio::io_context context;
  star all(context);
  mesh_node fourth(all.executor, 4);
  run(context, hear_of_later_ones(all));
  run(context, lose_the_server(all));
  run(context, take_the_server_back(all, fourth));
}

}  // namespace asiortc::test

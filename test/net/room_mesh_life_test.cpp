// Meshes that keep themselves: what is refused and lost, and the end.
#include "net/room_mesh_support.hpp"
#include "support/process_counts.hpp"

#include <atomic>
#include <functional>
#include <thread>

namespace asiortc::test {
namespace {

/// Talks to whoever is in the room; false where nobody has answered for long.
bool visit(room_mesh& net, const std::string& url) {
  net.async_join(url, "tea", asio::use_future).get();
  const auto limit = std::chrono::steady_clock::now() + 1s;
  while (std::chrono::steady_clock::now() < limit) {
    const auto sent = asio::use_future([](error_code) {});  // it may go while we send
    net.async_send(0, bytes_of("hello"), transfer_mode::unreliable, sent).get();
    for (const auto& peer : net.get_peers()) {
      static_cast<void>(peer.connection->connection_state());
    }
    while (net.events().try_next()) {
    }
    if (net.try_receive()) return true;
  }
  return false;
}

void come_and_go(asio::io_context& context, const std::string& url, int enough,
                 std::atomic<int>& answered) {
  const auto limit = std::chrono::steady_clock::now() + 20s;
  for (int turn = 0; answered < enough && std::chrono::steady_clock::now() < limit; ++turn) {
    room_mesh net(context, quick("guest"));
    if (visit(net, url)) ++answered;
    if (turn % 3 == 1) net = room_mesh(context);
    if (turn % 3 == 2) net.async_close(asio::use_future).get();
  }
}

}  // namespace

TEST_CASE("room mesh: who is kicked is removed by the others at once, though its link works") {
  tea_room room;
  const auto line = std::make_shared<wire>(room.context, room.server->port());
  line->accept();
  guest& one = room.invite_by(line->url(), quick("one"));
  REQUIRE(run_until(room.context, [&] { return one.net.id() != 0; }));
  signaling_client client(room.context.get_executor());
  room.join(client, "rude");
  plain_peer rude(room.context.get_executor());
  const auto session = negotiate(rude.connection, client.pipe_to(one.net.id()));
  REQUIRE(run_until(room.context, [&] { return one.peers().size() == 1; }));
  const mesh_id kicked = client.id();
  line->say(
      {{"type", "peer-left"}, {"seq", line->last_seq() + 1}, {"id", kicked}, {"reason", "kicked"}});
  CHECK(run_until(room.context, [&] { return !one.net.has_peer(kicked); }));
  room.expect_told(one, mesh_event_kind::peer_disconnected, kicked, 1);
  line->close();
}

TEST_CASE("room mesh: who is kicked hears why, closes all and stays away") {
  tea_room room;
  const auto line = std::make_shared<wire>(room.context, room.server->port());
  line->accept();
  guest& host = room.invite("host");
  guest& one = room.invite_by(line->url(), quick("one"));
  REQUIRE(room.wait_until_all_meet());
  line->say({{"type", "error"}, {"code", "kicked"}, {"message", "go"}, {"fatal", true}});
  REQUIRE(run_until(room.context, [&] { return one.told->ended && host.peers().empty(); }));
  CHECK(one.told->end == errc::signaling_refused);
  CHECK(one.net.last_error_detail() == "kicked: go");
  CHECK(one.net.get_peers().empty());
  line->close();
}

TEST_CASE("room mesh: a room that stays lost is tried less and less often") {
  tea_room room;
  room.invite("alone");
  REQUIRE(room.wait_until_all_meet());
  const std::uint16_t port = room.server->port();
  room.stop_serving();
  // Takes every connection, and hangs up at once.
  asio::ip::tcp::acceptor door(room.context, {asio::ip::address_v4::loopback(), port});
  std::vector<std::chrono::steady_clock::time_point> tries;
  std::function<void()> take = [&] {
    door.async_accept([&](error_code failed, asio::ip::tcp::socket) {
      if (failed) return;
      tries.push_back(std::chrono::steady_clock::now());
      take();
    });
  };
  take();
  REQUIRE(run_until(room.context, [&] { return tries.size() == 4; }));
  CHECK(tries[3] - tries[0] >= 100ms + 200ms + 400ms);
  room.guests.clear();
  door.close();
  room.context.restart();
  room.context.poll();
}

TEST_CASE("room mesh: a join that is cancelled ends it, and nothing stays") {
  tea_room room;
  const std::size_t descriptors = open_descriptors();
  for (int handlers = 0; handlers < 12; handlers += 2) {
    CAPTURE(handlers);
    room_mesh net(room.context, quick("hesitant"));
    const auto told = std::make_shared<record>();
    follow(net.events(), told);
    asio::cancellation_signal stop;
    std::optional<error_code> joined;
    net.async_join(room.url, "tea", asio::bind_cancellation_slot(stop.slot(), [&](error_code code) {
                     joined = code;
                   }));
    room.context.restart();
    for (int count = 0; count < handlers && !joined; ++count) room.context.run_one();
    if (joined) break;  // it was faster
    stop.emit(asio::cancellation_type::total);
    REQUIRE(run_until(room.context, [&] { return joined && told->ended; }));
    CHECK(*joined == asio::error::operation_aborted);
    CHECK(told->end == asio::error::operation_aborted);
    CHECK(run_until(room.context, [&] { return open_descriptors() == descriptors; }));
  }
}

TEST_CASE("room mesh: what cannot be is refused by name") {
  tea_room room;
  const auto refused = [&](auto change) {
    auto options = quick("x");
    change(options);
    try {
      room_mesh made(room.context, options);
    } catch (const error& thrown) {
      return thrown.code();
    }
    return boost::system::error_code();
  };
  CHECK(refused([](auto& options) { options.mesh.server_compatibility = true; }) ==
        errc::type_error);
  CHECK(refused([](auto& options) { options.mesh.refuse_new_connections = true; }) ==
        errc::type_error);
  CHECK(refused([](auto& options) { options.retry_min = 0ms; }) == errc::type_error);
  CHECK(refused([](auto& options) { options.unreliable_lifetime = -1ms; }) == errc::type_error);
  CHECK(refused([](auto& options) { options.configuration.ice_servers.emplace_back("stun:"); }) ==
        errc::syntax_error);
  CHECK_FALSE(refused([](auto&) {}));

  guest& lost = room.invite_by("ws://127.0.0.1:1/", quick("lost"));
  CHECK(run_until(room.context, [&] { return lost.told->ended; }));
  CHECK(*lost.joined == asio::error::connection_refused);
  CHECK(lost.told->end == asio::error::connection_refused);
  CHECK(lost.net.id() == 0);
  const auto again = await_code(
      room.context, [&](auto done) { lost.net.async_join(room.url, "tea", std::move(done)); });
  CHECK(again == errc::invalid_state);
  CHECK_FALSE(room.close(lost));
}

TEST_CASE("room mesh: async_close frees everything, at any time") {
  asio::io_context context;
  warm_up(context);
  signaling_server server(context.get_executor(), on_any_port());
  server.listen();
  const std::size_t descriptors = open_descriptors();
  for (const bool wait : {true, false}) {
    CAPTURE(wait);
    guest first(context, server.url(), quick("first"));
    guest second(context, server.url(), quick("second"));
    if (wait) {
      CHECK(run_until(context, [&] { return !first.peers().empty() && !second.peers().empty(); }));
      CHECK(open_descriptors() > descriptors);
    }
    for (auto* each : {&first, &second}) {
      CHECK_FALSE(await_code(context, [&](auto done) { each->net.async_close(std::move(done)); }));
      CHECK_FALSE(await_code(context, [&](auto done) { each->net.async_close(std::move(done)); }));
    }
    if (!wait) CHECK(*first.joined == errc::closed);
    // The server's own sockets go when it has heard of it.
    CHECK(run_until(context, [&] { return open_descriptors() == descriptors; }));
  }
  CHECK_FALSE(await_code(context, [&](auto done) { server.async_close(done); }));
  context.restart();
  context.run();  // returns, since nothing is pending
}

TEST_CASE("room mesh: async_close waits for every socket when its handle is dropped meanwhile") {
  asio::io_context context;
  warm_up(context);
  const std::size_t alone = open_descriptors();
  signaling_server server(context.get_executor(), on_any_port());
  server.listen();
  {
    guest first(context, server.url(), quick("first"));
    guest second(context, server.url(), quick("second"));
    REQUIRE(run_until(context,
                      [&] { return first.peers().size() == 1 && second.peers().size() == 1; }));
    REQUIRE_FALSE(await_code(context, [&](auto done) { server.async_close(done); }));
    std::size_t open = 0;
    int closed = 0;
    for (auto* each : {&first, &second}) {
      each->net.async_close([&](error_code code) {
        CHECK_FALSE(code);
        ++closed;
        open = open_descriptors();
      });
      each->net = room_mesh(context);
    }
    CHECK(run_until(context, [&] { return closed == 2; }));
    CHECK(open == alone);
  }
  context.restart();
  context.run();  // returns, since nothing is pending
}

TEST_CASE("room mesh: members come, talk and go on many threads") {
  asio::io_context context(3);
  auto work = asio::make_work_guard(context);
  signaling_server server(context.get_executor(), on_any_port());
  server.listen();
  std::vector<std::thread> runners;
  for (int i = 0; i < 3; ++i) runners.emplace_back([&] { context.run(); });
  constexpr int enough = 60;
  std::atomic<int> answered = 0;
  std::vector<std::thread> users;
  for (int i = 0; i < 3; ++i) {
    users.emplace_back([&] { come_and_go(context, server.url(), enough, answered); });
  }
  for (auto& each : users) each.join();
  CHECK(answered >= enough);
  server.async_close(asio::use_future).get();
  work.reset();
  for (auto& each : runners) each.join();  // nothing is pending
}

TEST_CASE("room mesh: the context may be destroyed first") {
  for (int handlers = 0; handlers < 400; handlers += 23) {
    CAPTURE(handlers);
    auto context = std::make_unique<asio::io_context>();
    signaling_server server(context->get_executor(), on_any_port());
    server.listen();
    auto first = std::make_unique<guest>(*context, server.url(), quick("first"));
    auto second = std::make_unique<guest>(*context, server.url(), quick("second"));
    for (int count = 0; count < handlers; ++count) context->run_one_for(1ms);
    if (handlers % 2 == 1) second.reset();
    context.reset();
    CHECK_FALSE(first->told->ended);
    CHECK(first->net.last_error_detail().empty());
  }
}

}  // namespace asiortc::test

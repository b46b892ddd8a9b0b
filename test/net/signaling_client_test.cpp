// The client against the real server.
#include "net/signaling_support.hpp"

#include <asiortc/error.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <doctest/doctest.h>

#include <filesystem>
#include <iterator>
#include <memory>
#include <vector>

using namespace asiortc::test;
using namespace std::chrono_literals;
using asiortc::errc;
using asiortc::signaling_client;
using asiortc::signaling_event_kind;
using asiortc::signaling_server;

namespace {

struct room_of_clients;

/// Two clients that have joined the same room, one after the other.
struct two_clients {
  explicit two_clients(room_of_clients& r);
  signaling_client a;
  signaling_client b;
};

struct room_of_clients {
  explicit room_of_clients(asiortc::signaling_server_options options = on_any_port())
      : server(context.get_executor(), std::move(options)) {
    server.listen();
  }
  ~room_of_clients() {
    CHECK_FALSE(await_code(context, [&](auto done) { server.async_close(done); }));
  }

  error_code connect(signaling_client& client) {
    return await_code(context,
                      [&](auto done) { client.async_connect(server.url(), std::move(done)); });
  }
  error_code join(signaling_client& client, const std::string& room, const std::string& name) {
    if (const auto code = connect(client)) return code;
    return await_code(context, [&](auto done) { client.async_join(room, name, std::move(done)); });
  }
  error_code close(signaling_client& client) {
    return await_code(context, [&](auto done) { client.async_close(std::move(done)); });
  }
  /// What a read gives; none at the end, whose reason is then `end`.
  template <class T, class Start>
  std::optional<T> take(Start start) {
    std::optional<T> got;
    bool done = false;
    start([&](error_code code, std::optional<T> value) {
      end = code;
      got = std::move(value);
      done = true;
    });
    CHECK(run_until(context, [&] { return done; }));
    return got;
  }
  std::optional<asiortc::signaling_event> next(signaling_client& client) {
    return take<asiortc::signaling_event>(
        [&](auto done) { client.events().async_next(std::move(done)); });
  }
  std::optional<asiortc::peer_signal> receive(asiortc::signaling_pipe& pipe) {
    return take<asiortc::peer_signal>([&](auto done) { pipe.async_receive(std::move(done)); });
  }

  asio::io_context context{1};
  signaling_server server;
  error_code end;
};

two_clients::two_clients(room_of_clients& r)
    : a(r.context.get_executor()), b(r.context.get_executor()) {
  REQUIRE_FALSE(r.join(a, "room", "ann"));
  REQUIRE_FALSE(r.join(b, "room", "bob"));
}

asiortc::peer_signal offer(const std::string& sdp) {
  return asiortc::session_description(asiortc::sdp_type::offer, sdp);
}

std::size_t open_descriptors() {
  return static_cast<std::size_t>(
      std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {}));
}

}  // namespace

TEST_CASE("two clients meet, and each knows who came first") {
  room_of_clients r;
  two_clients both(r);
  auto& a = both.a;
  auto& b = both.b;
  REQUIRE(b.peers().size() == 1);
  CHECK(b.peers()[0] == asiortc::signaling_peer(a.id(), "ann"));
  const auto joined = r.next(a);
  REQUIRE(joined);
  CHECK(joined->kind == signaling_event_kind::peer_joined);
  CHECK(joined->peer == asiortc::signaling_peer(b.id(), "bob"));
  CHECK(a.pipe_to(b.id())->polite() == false);
  CHECK(b.pipe_to(a.id())->polite() == true);
  CHECK_FALSE(r.close(b));
  const auto left = r.next(a);
  REQUIRE(left);
  CHECK(left->kind == signaling_event_kind::peer_left);
  CHECK(left->reason == asiortc::leave_reason::left);
  CHECK_FALSE(r.next(b));
  CHECK_FALSE(r.end);
}

TEST_CASE("pipes carry signals both ways in order, also those sent before the first reader") {
  room_of_clients r;
  two_clients both(r);
  auto& a = both.a;
  auto& b = both.b;
  const auto to_a = b.pipe_to(a.id());
  for (int i = 0; i < 50; ++i) CHECK(to_a->send(offer(std::to_string(i))));
  REQUIRE(r.next(a));
  const auto to_b = a.pipe_to(b.id());
  for (int i = 0; i < 50; ++i) {
    const auto got = r.receive(*to_b);
    REQUIRE(got);
    CHECK(std::get<asiortc::session_description>(*got).sdp == std::to_string(i));
  }
  const asiortc::ice_candidate candidate("candidate:1 1 udp 1 1.2.3.4 5 typ host", "0", 0);
  CHECK(to_b->send(candidate));
  const auto got = r.receive(*to_a);
  REQUIRE(got);
  CHECK(std::get<asiortc::ice_candidate>(*got) == candidate);
}

TEST_CASE("a pipe ends with its peer, with its client, and at once for a stranger") {
  room_of_clients r;
  two_clients both(r);
  auto& a = both.a;
  auto& b = both.b;
  const auto stranger = a.pipe_to(b.id() == 5 ? 6 : 5);
  CHECK_FALSE(r.receive(*stranger));
  CHECK(r.end == errc::peer_not_found);
  CHECK_FALSE(stranger->send(offer("")));
  const auto to_a = b.pipe_to(a.id());
  CHECK_FALSE(r.close(a));
  CHECK_FALSE(r.receive(*to_a));
  CHECK(r.end == errc::remote_closed);
  signaling_client c(r.context.get_executor());
  REQUIRE_FALSE(r.join(c, "room", ""));
  const auto to_b = c.pipe_to(b.id());
  CHECK_FALSE(r.close(c));
  CHECK_FALSE(r.receive(*to_b));
  CHECK(r.end == errc::closed);
}

TEST_CASE("wrong arguments and wrong turns are refused one by one") {
  room_of_clients r;
  const auto connect_to = [&](const std::string& url) {
    signaling_client client(r.context.get_executor());
    return await_code(r.context, [&](auto done) { client.async_connect(url, std::move(done)); });
  };
  CHECK(connect_to("http://x/") == errc::syntax_error);
  CHECK(connect_to("wss://127.0.0.1/") == errc::not_supported);
  CHECK(connect_to(r.server.url() + "elsewhere") == errc::signaling_refused);
  signaling_client a(r.context.get_executor());
  CHECK(await_code(r.context, [&](auto done) { a.async_join("r", "", std::move(done)); }) ==
        errc::invalid_state);
  REQUIRE_FALSE(r.connect(a));
  CHECK(r.connect(a) == errc::invalid_state);
  CHECK(await_code(r.context, [&](auto done) { a.async_join("a room", "", std::move(done)); }) ==
        errc::type_error);
  CHECK(await_code(r.context, [&](auto done) {
          a.async_join("r", std::string(65, 'n'), std::move(done));
        }) == errc::type_error);
  CHECK(await_code(r.context, [&](auto done) {
          a.async_join("r", std::string(30, '\xff'), std::move(done));
        }) == errc::type_error);
  CHECK_FALSE(await_code(r.context, [&](auto done) { a.async_join("r", "", std::move(done)); }));
  CHECK(await_code(r.context, [&](auto done) { a.async_join("r", "", std::move(done)); }) ==
        errc::invalid_state);
}

TEST_CASE("what speaks another protocol is no signaling server") {
  asio::io_context context(1);
  asio::ip::tcp::acceptor other(context, {asio::ip::address_v4::loopback(), 0});
  asio::ip::tcp::socket caller(context);
  const std::string greeting = "SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n";
  other.async_accept(caller, [&](error_code code) {
    if (!code) asio::async_write(caller, asio::buffer(greeting), [](error_code, std::size_t) {});
  });
  signaling_client client(context.get_executor());
  const auto url = "ws://127.0.0.1:" + std::to_string(other.local_endpoint().port()) + "/";
  CHECK(await_code(context, [&](auto done) { client.async_connect(url, std::move(done)); }) ==
        errc::signaling_refused);
  CHECK(client.refusal().empty());
}

TEST_CASE("nobody listening is connection_refused") {
  asio::io_context context(1);
  std::uint16_t port = 0;
  {
    asio::ip::tcp::acceptor taken(context, {asio::ip::address_v4::loopback(), 0});
    port = taken.local_endpoint().port();
  }
  signaling_client client(context.get_executor());
  CHECK(await_code(context, [&](auto done) {
          client.async_connect("ws://127.0.0.1:" + std::to_string(port) + "/", std::move(done));
        }) == asio::error::connection_refused);
}

TEST_CASE("a full room refuses in words") {
  auto options = on_any_port();
  options.max_peers_per_room = 1;
  room_of_clients r(options);
  signaling_client a(r.context.get_executor());
  signaling_client b(r.context.get_executor());
  REQUIRE_FALSE(r.join(a, "room", ""));
  CHECK(r.join(b, "room", "") == errc::signaling_refused);
  CHECK(b.refusal() == "room-full: the room is full");
  CHECK_FALSE(r.next(b));
  CHECK(r.end == errc::signaling_refused);
}

TEST_CASE("a server that stops tells, and then signaling is lost") {
  room_of_clients r;
  signaling_client a(r.context.get_executor());
  REQUIRE_FALSE(r.join(a, "room", ""));
  r.server.async_close([](error_code) {});
  const auto going = r.next(a);
  REQUIRE(going);
  CHECK(going->kind == signaling_event_kind::going_away);
  CHECK_FALSE(r.next(a));
  CHECK(r.end == errc::signaling_lost);
}

TEST_CASE("a server that falls silent is lost") {
  asio::io_context context(1);
  asio::ip::tcp::acceptor mute(context, {asio::ip::address_v4::loopback(), 0});
  asiortc::signaling_client_options options;
  options.connect_timeout = 30ms;
  signaling_client client(context.get_executor(), options);
  const std::string url = "ws://127.0.0.1:" + std::to_string(mute.local_endpoint().port()) + "/";
  CHECK(await_code(context, [&](auto done) { client.async_connect(url, std::move(done)); }) ==
        asio::error::timed_out);
}

TEST_CASE("a server that closes the WebSocket but not TCP is lost, and soon") {
  asio::io_context context(1);
  asio::ip::tcp::acceptor acceptor(context, {asio::ip::address_v4::loopback(), 0});
  beast::websocket::stream<asio::ip::tcp::socket> server(context);
  server.set_option(
      beast::websocket::stream_base::decorator([](beast::websocket::response_type& response) {
        response.set(beast::http::field::sec_websocket_protocol, "asiortc.v1");
      }));
  acceptor.async_accept(server.next_layer(), [&](error_code refused) {
    if (!refused) server.async_accept([](error_code) {});
  });
  signaling_client client(context.get_executor());
  const std::string url = "ws://127.0.0.1:" + std::to_string(acceptor.local_endpoint().port());
  REQUIRE_FALSE(
      await_code(context, [&](auto done) { client.async_connect(url, std::move(done)); }));
  asio::write(server.next_layer(), asio::buffer("\x88\x02\x03\xf4", 4));  // a Close with 1012
  CHECK(await_code(context, [&](auto done) {
          client.events().async_next(
              [done](error_code ended, std::optional<asiortc::signaling_event>) mutable {
                done(ended);
              });
        }) == errc::signaling_lost);
}

TEST_CASE("the server's name is resolved without a thread") {
  room_of_clients r;
  signaling_client client(r.context.get_executor());
  const std::string url = "ws://localhost:" + std::to_string(r.server.port()) + "/";
  CHECK_FALSE(
      await_code(r.context, [&](auto done) { client.async_connect(url, std::move(done)); }));
  CHECK(std::distance(std::filesystem::directory_iterator("/proc/self/task"), {}) == 1);
}

TEST_CASE("a cancel or a close at every step leaves nothing behind") {
  room_of_clients r;
  signaling_client other(r.context.get_executor());
  REQUIRE_FALSE(r.join(other, "room", ""));
  r.context.restart();
  r.context.poll();
  const std::size_t before = open_descriptors();
  for (const bool cancel : {true, false}) {
    for (int steps = 0; steps < 60; ++steps) {
      CAPTURE(cancel);
      CAPTURE(steps);
      asio::cancellation_signal stop;
      int completed = 0;
      bool closed = false;
      {
        signaling_client client(r.context.get_executor());
        const auto count = [&](error_code) { ++completed; };
        client.async_connect(
            r.server.url(), asio::bind_cancellation_slot(stop.slot(), [&](error_code code) {
              ++completed;
              if (!code)
                client.async_join("room", "", asio::bind_cancellation_slot(stop.slot(), count));
            }));
        bool ended = false;
        client.events().async_next([&](error_code, auto event) { ended = !event; });
        r.context.restart();
        for (int i = 0; i < steps; ++i) r.context.run_one_for(5ms);
        if (cancel) stop.emit(asio::cancellation_type::all);
        client.async_close([&](error_code) { closed = true; });
        CHECK(run_until(r.context, [&] { return closed && ended; }));
      }
      CHECK(completed >= 1);
    }
  }
  // The server sees each of them go.
  CHECK(
      run_until(r.context, [&] { return other.peers().empty() && open_descriptors() == before; }));
}

TEST_CASE("a client may be dropped at every step") {
  room_of_clients r;
  for (int steps = 0; steps < 40; ++steps) {
    signaling_client client(r.context.get_executor());
    client.async_connect(r.server.url(), [](error_code) {});
    r.context.restart();
    for (int i = 0; i < steps; ++i) r.context.run_one_for(1ms);
  }
}

TEST_CASE("the context may be destroyed first at every step") {
  for (int steps = 0; steps < 40; ++steps) {
    auto context = std::make_unique<asio::io_context>(1);
    signaling_server server(context->get_executor(), on_any_port());
    server.listen();
    signaling_client client(context->get_executor());
    auto kept = std::make_shared<int>(1);
    const std::weak_ptr<int> watched = kept;
    client.async_connect(server.url(), [kept, &client](error_code code) {
      if (!code) client.async_join("room", "", [kept](error_code) {});
    });
    client.events().async_next([kept](error_code, auto) {});
    client.async_close([kept](error_code) {});
    kept.reset();
    for (int i = 0; i < steps; ++i) context->run_one_for(1ms);
    context.reset();
    CHECK(watched.expired());
    CHECK(client.peers().empty());
  }
}

TEST_CASE("a pair in memory carries signals and ends with either side") {
  asio::io_context context(1);
  auto [first, second] = asiortc::make_signaling_pipe_pair(context.get_executor());
  CHECK(first->polite() == false);
  CHECK(second->polite() == true);
  CHECK(first->send(offer("x")));
  first.reset();
  std::vector<std::string> seen;
  second->async_receive([&](error_code code, std::optional<asiortc::peer_signal> got) {
    CHECK_FALSE(code);
    seen.push_back(got ? std::get<asiortc::session_description>(*got).sdp : "none");
  });
  context.run();
  context.restart();
  second->async_receive([&](error_code code, std::optional<asiortc::peer_signal> got) {
    CHECK(code == errc::remote_closed);
    CHECK_FALSE(got);
    seen.push_back("end");
  });
  context.run();
  CHECK(seen == std::vector<std::string>{"x", "end"});
}

TEST_CASE("a pipe that is not read is bounded") {
  asio::io_context context(1);
  const auto [first, second] = asiortc::make_signaling_pipe_pair(context.get_executor());
  int sent = 0;
  while (first->send(offer("x")) && sent < 10000) ++sent;
  CHECK(sent == 512);
  const auto [third, fourth] = asiortc::make_signaling_pipe_pair(context.get_executor());
  CHECK(third->send(offer(std::string(600'000, 'x'))));
  CHECK_FALSE(third->send(offer(std::string(600'000, 'x'))));
}

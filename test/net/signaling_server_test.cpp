// The server against sockets that behave and sockets that do not.
#include "net/signaling_support.hpp"

#include <asiortc/error.hpp>

#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <doctest/doctest.h>

#include <array>
#include <memory>
#include <string_view>
#include <vector>

using namespace asiortc::test;
using namespace std::chrono_literals;
using asiortc::signaling_server;

namespace {

struct served {
  explicit served(asiortc::signaling_server_options options = on_any_port())
      : server(context.get_executor(), std::move(options)) {
    server.listen();
  }
  ~served() {
    CHECK_FALSE(await_code(context, [&](auto done) { server.async_close(done); }));
  }

  asio::io_context context{1};
  signaling_server server;
};

int status_of(served& s, const std::string& protocol, const std::string& origin,
              const std::string& target = "/") {
  raw_client client(s.context);
  const auto code = client.connect(s.server.port(), protocol, origin, target);
  if (!code) return 101;
  CHECK(code == beast::websocket::error::upgrade_declined);
  return client.status();
}

/// Writes a piece of an HTTP request and tells how the server ends the connection.
error_code end_after(served& s, const std::string& request) {
  asio::ip::tcp::socket socket(s.context);
  socket.connect({asio::ip::address_v4::loopback(), s.server.port()});
  asio::write(socket, asio::buffer(request));
  std::array<char, 16> rest{};
  return await_code(s.context, [&](auto done) {
    socket.async_read_some(asio::buffer(rest),
                           [done](error_code failed, std::size_t) mutable { done(failed); });
  });
}

}  // namespace

TEST_CASE("only the subprotocol asiortc.v1 at / is let in") {
  served s;
  CHECK(status_of(s, "asiortc.v1", "") == 101);
  CHECK(status_of(s, "other, asiortc.v1", "") == 101);
  CHECK(status_of(s, "asiortc.v2", "") == 400);
  CHECK(status_of(s, "Asiortc.V1", "") == 400);
  CHECK(status_of(s, "", "") == 400);
  CHECK(status_of(s, "asiortc.v1", "", "/elsewhere") == 404);
  raw_client client(s.context);
  REQUIRE_FALSE(client.connect(s.server.port(), "other, asiortc.v1"));
  CHECK(client.protocol() == "asiortc.v1");
}

TEST_CASE("a page is let in only from an origin that the owner allows") {
  {
    served s;
    CHECK(status_of(s, "asiortc.v1", "https://evil.example") == 403);
    CHECK(status_of(s, "asiortc.v1", "null") == 403);
  }
  {
    auto options = on_any_port();
    options.allowed_origins = {"https://good.example"};
    served s(options);
    CHECK(status_of(s, "asiortc.v1", "https://good.example") == 101);
    CHECK(status_of(s, "asiortc.v1", "https://good.example.evil") == 403);
  }
  {
    auto options = on_any_port();
    options.allow_any_origin = true;
    served s(options);
    CHECK(status_of(s, "asiortc.v1", "https://any.example") == 101);
  }
}

TEST_CASE("two sockets join, signal and leave") {
  served s;
  raw_client a(s.context);
  raw_client b(s.context);
  REQUIRE_FALSE(a.connect(s.server.port()));
  REQUIRE_FALSE(b.connect(s.server.port()));
  const json first = a.join("room");
  const json second = b.join("room");
  CHECK(second.at("peers").at(0).at("id") == first.at("id"));
  CHECK(a.receive().at("id") == second.at("id"));
  b.send(json{{"type", "signal"}, {"to", first.at("id")}, {"data", {{"x", 1}}}}.dump());
  CHECK(a.receive() ==
        json{{"type", "signal"}, {"seq", 2}, {"from", second.at("id")}, {"data", {{"x", 1}}}});
  b.send(R"({"type":"leave"})");
  CHECK(b.receive().is_null());
  CHECK(b.close_code == 1000);
  CHECK(a.receive().at("reason") == "left");
}

TEST_CASE("a frame over 64 KiB closes only its socket, with 1009") {
  served s;
  raw_client a(s.context);
  raw_client b(s.context);
  REQUIRE_FALSE(a.connect(s.server.port()));
  REQUIRE_FALSE(b.connect(s.server.port()));
  a.join("room");
  const int id = b.join("room").at("id");
  a.receive();
  b.send(std::string(64 * 1024 + 1, ' '));
  CHECK(b.receive().is_null());
  CHECK(b.close_code == 1009);
  const json left = a.receive();
  CHECK(left.at("type") == "peer-left");
  CHECK(left.at("id") == id);
  a.send(R"({"type":"ping","ts":1})");
  CHECK(a.receive().at("ts") == 1);
}

TEST_CASE("the third bad message closes with 4000, a binary frame being one") {
  served s;
  raw_client a(s.context);
  REQUIRE_FALSE(a.connect(s.server.port()));
  a.send("nonsense");
  CHECK(a.receive().at("code") == "bad-message");
  a.send("{}", false);
  CHECK(a.receive().at("code") == "bad-message");
  a.send(R"({"type":"ping"})");
  CHECK(a.receive().at("fatal") == true);
  CHECK(a.receive().is_null());
  CHECK(a.close_code == 4000);
}

TEST_CASE("who closes the WebSocket but not TCP is told of as closed, and soon") {
  served s;
  raw_client a(s.context);
  raw_client b(s.context);
  REQUIRE_FALSE(a.connect(s.server.port()));
  REQUIRE_FALSE(b.connect(s.server.port()));
  a.join("room");
  const json me = b.join("room");
  a.receive();
  // A masked Close with 1000 (RFC 6455 5.5.1), and the signal that then cannot be passed on.
  asio::ip::tcp::socket& socket = b.stream().next_layer();
  asio::write(socket, asio::buffer("\x88\x82\0\0\0\0\x03\xe8", 8));
  a.send(json{{"type", "signal"}, {"to", me.at("id")}, {"data", json::object()}}.dump());
  const json left = a.receive();
  CHECK(left.at("type") == "peer-left");
  CHECK(left.at("id") == me.at("id"));
  CHECK(left.at("reason") == "closed");
  std::string answer;
  error_code code;
  asio::read(socket, asio::dynamic_buffer(answer), code);  // to the end: the socket is let go
  CHECK(answer.find("\x88\x02\x03\xe8") != std::string::npos);
}

TEST_CASE("who breaks WebSocket's rules but keeps TCP open is told of as closed, and soon") {
  using namespace std::string_view_literals;
  for (const auto frame : {"\x83\x80\0\0\0\0"sv,                     // a reserved opcode
                           "\x81\x81\0\0\0\0\xff"sv,                 // not UTF-8
                           "\x82\xff\0\0\0\0\0\1\0\1\0\0\0\0"sv}) {  // 64 KiB and one byte
    served s;
    raw_client a(s.context);
    raw_client b(s.context);
    REQUIRE_FALSE(a.connect(s.server.port()));
    REQUIRE_FALSE(b.connect(s.server.port()));
    a.join("room");
    b.join("room");
    a.receive();
    asio::write(b.stream().next_layer(), asio::buffer(frame));
    CHECK(a.receive().at("reason") == "closed");
  }
}

TEST_CASE("who does not join in time is closed with 4008") {
  auto options = on_any_port();
  options.join_timeout = 20ms;
  served s(options);
  raw_client a(s.context);
  REQUIRE_FALSE(a.connect(s.server.port()));
  CHECK(a.receive().at("code") == "join-timeout");
  CHECK(a.receive().is_null());
  CHECK(a.close_code == 4008);
}

TEST_CASE("a request that does not end in time is dropped") {
  auto options = on_any_port();
  options.handshake_timeout = 20ms;
  served s(options);
  CHECK(end_after(s, "GET / HTTP/1.1\r\nHost: x\r\n") == asio::error::eof);
}

TEST_CASE("a request with endless headers is dropped") {
  served s;
  const auto code = end_after(s, "GET / HTTP/1.1\r\nX: " + std::string(20000, 'x'));
  CHECK(code.failed());
  CHECK(code != asio::error::timed_out);
}

TEST_CASE("a client that answers no ping falls silent and is dropped") {
  auto options = on_any_port();
  options.ping_interval = 10ms;
  options.idle_timeout = 40ms;
  options.close_timeout = 20ms;
  served s(options);
  raw_client a(s.context);
  raw_client b(s.context);
  REQUIRE_FALSE(a.connect(s.server.port()));
  a.join("room");  // and reads no more, so that no pong goes out
  REQUIRE_FALSE(b.connect(s.server.port()));
  b.join("room");
  const json left = b.receive();  // reading answers the pings
  CHECK(left.at("type") == "peer-left");
  CHECK(left.at("reason") == "timeout");
}

TEST_CASE("who does not read is cut off, and the others go on") {
  auto options = on_any_port();
  options.max_queue = 256 * 1024;
  options.close_timeout = 50ms;
  served s(options);
  raw_client slow(s.context);
  raw_client b(s.context);
  REQUIRE_FALSE(slow.connect(s.server.port()));
  REQUIRE_FALSE(b.connect(s.server.port()));
  const json me = slow.join("room");
  b.join("room");
  const std::string big =
      json{{"type", "signal"}, {"to", me.at("id")}, {"data", {{"x", std::string(60000, 'x')}}}}
          .dump();
  // Until the kernel's buffers and then the queue are full.
  for (int i = 0; i < 250; ++i) {
    if (b.send(big)) break;
  }
  const json left = b.receive();
  CHECK(left.at("type") == "peer-left");
  CHECK(left.at("id") == me.at("id"));
  CHECK(left.at("reason") == "closed");
}

TEST_CASE("beyond the bound a connection is told server-full") {
  auto options = on_any_port();
  options.max_connections = 1;
  served s(options);
  raw_client a(s.context);
  raw_client b(s.context);
  REQUIRE_FALSE(a.connect(s.server.port()));
  a.join("room");
  REQUIRE_FALSE(b.connect(s.server.port()));
  CHECK(b.receive().at("code") == "server-full");
  CHECK(b.receive().is_null());
  CHECK(b.close_code == 1013);
}

TEST_CASE("a closing server says going-away and closes with 1012, twice being once") {
  asio::io_context context(1);
  signaling_server server(context.get_executor(), on_any_port());
  server.listen();
  raw_client a(context);
  REQUIRE_FALSE(a.connect(server.port()));
  a.join("room");
  asio::ip::tcp::socket half_open(context);
  half_open.connect({asio::ip::address_v4::loopback(), server.port()});
  int closed = 0;
  server.async_close([&](error_code code) { closed += code ? 0 : 1; });
  server.async_close([&](error_code code) { closed += code ? 0 : 1; });
  CHECK(a.receive().at("type") == "going-away");
  CHECK(a.receive().is_null());
  CHECK(a.close_code == 1012);
  CHECK(run_until(context, [&] { return closed == 2; }));
  raw_client late(context);
  CHECK(late.connect(server.port()) == asio::error::connection_refused);
  CHECK_THROWS_AS(server.listen(), asiortc::error);
  half_open.close();
  context.restart();
  context.run();  // returns: nothing is left
}

TEST_CASE("a taken port and a host that is no address are named") {
  served s;
  auto options = on_any_port();
  options.port = s.server.port();
  signaling_server second(s.context.get_executor(), options);
  try {
    second.listen();
    FAIL("listened twice on one port");
  } catch (const asiortc::error& problem) {
    CHECK(problem.code() == asio::error::address_in_use);
    const std::string text = problem.what();
    CHECK(text.find("127.0.0.1:" + std::to_string(options.port)) != std::string::npos);
  }
  options.host = "no.such.name";
  signaling_server third(s.context.get_executor(), options);
  CHECK_THROWS_AS(third.listen(), asiortc::error);
}

TEST_CASE("dropping the server drops its sockets, and nothing is left") {
  asio::io_context context(1);
  raw_client a(context);
  {
    signaling_server server(context.get_executor(), on_any_port());
    server.listen();
    REQUIRE_FALSE(a.connect(server.port()));
    a.join("room");
  }
  CHECK(a.receive().is_null());
  context.restart();
  context.run();
}

TEST_CASE("the context may be destroyed before the server, with peers in it and a close pending") {
  auto context = std::make_unique<asio::io_context>(1);
  signaling_server server(context->get_executor(), on_any_port());
  server.listen();
  {
    auto kept = std::make_shared<int>(1);
    const std::weak_ptr<int> watched = kept;
    auto a = std::make_unique<raw_client>(*context);
    REQUIRE_FALSE(a->connect(server.port()));
    a->join("room");
    server.async_close([kept = std::move(kept)](error_code) { FAIL("called after the end"); });
    context->poll();
    a.reset();
    CHECK_FALSE(watched.expired());
    context.reset();
    CHECK(watched.expired());
  }
  CHECK_THROWS_AS(server.listen(), asiortc::error);
}

// A data channel as a stream of bytes, under Asio's algorithms and Beast's protocols.
#include "net/peer_pair.hpp"

#include <asiortc/channel_stream.hpp>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket.hpp>
#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <functional>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

namespace asiortc::test {
namespace {

namespace beast = boost::beast;
namespace http = beast::http;
using namespace std::chrono_literals;

static_assert(beast::is_async_stream<channel_stream>::value);

constexpr auto with_code = asio::as_tuple(asio::deferred);

/// Two streams over one channel.
struct stream_pair {
  peer_pair peers;
  std::optional<channel_stream> first;
  std::optional<channel_stream> second;

  explicit stream_pair(const asio::any_io_executor& executor) : peers(executor) {}
};

asio::awaitable<void> connect(stream_pair& pair) {
  auto channel = pair.peers.first.create_data_channel("bytes");
  auto incoming = pair.peers.second.data_channels();
  auto remote = co_await incoming.async_next();
  REQUIRE(remote.has_value());
  co_await channel.async_open();
  pair.first.emplace(std::move(channel));
  pair.second.emplace(std::move(*remote));
}

std::string long_text(std::size_t size) {
  std::string text(size, ' ');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>('a' + i % 23);
  return text;
}

/// Answers requests with their own body until the other side closes.
asio::awaitable<void> serve_http(channel_stream& stream, int& served) {
  beast::flat_buffer buffer;
  for (;;) {
    http::request_parser<http::string_body> parser;
    parser.body_limit(16 * 1024 * 1024);
    auto [read_code, size] = co_await http::async_read(stream, buffer, parser, with_code);
    static_cast<void>(size);
    if (read_code) {
      CHECK(read_code == http::error::end_of_stream);
      co_return;
    }
    http::response<http::string_body> response(http::status::ok, 11);
    response.body() = parser.get().body();
    response.keep_alive(parser.get().keep_alive());
    response.prepare_payload();
    co_await http::async_write(stream, response, asio::deferred);
    ++served;
  }
}

asio::awaitable<void> request_over_http(channel_stream& stream) {
  beast::flat_buffer buffer;
  for (const std::size_t size : {std::size_t{0}, std::size_t{10}, std::size_t{3000000}}) {
    http::request<http::string_body> request(http::verb::post, "/echo", 11);
    request.set(http::field::host, "peer");
    request.body() = long_text(size);
    request.prepare_payload();
    co_await http::async_write(stream, request, asio::deferred);
    http::response_parser<http::string_body> parser;
    parser.body_limit(16 * 1024 * 1024);
    co_await http::async_read(stream, buffer, parser, asio::deferred);
    CHECK(parser.get().result() == http::status::ok);
    CHECK(parser.get().body() == request.body());
  }
  co_await stream.async_close();
}

asio::awaitable<void> http_over_channel(stream_pair& pair) {
  using namespace asio::experimental::awaitable_operators;
  co_await connect(pair);
  int served = 0;
  co_await (serve_http(*pair.second, served) && request_over_http(*pair.first));
  CHECK(served == 3);
  co_await close_both(pair.peers.first, pair.peers.second);
}

asio::awaitable<void> answer_over_tls(channel_stream stream, const certificate& own) {
  asio::ssl::context trust(asio::ssl::context::tls_server);
  const std::string pem = own.to_pem();
  trust.use_certificate_chain(asio::buffer(pem));
  trust.use_private_key(asio::buffer(pem), asio::ssl::context::pem);
  asio::ssl::stream<channel_stream> secure(std::move(stream), trust);
  co_await secure.async_handshake(asio::ssl::stream_base::server, asio::deferred);
  std::string text(300000, ' ');
  co_await asio::async_read(secure, asio::buffer(text), asio::deferred);
  co_await asio::async_write(secure, asio::buffer(text), asio::deferred);
  auto [code] = co_await secure.async_shutdown(with_code);
  CHECK_FALSE(code);
}

asio::awaitable<void> ask_over_tls(channel_stream stream, const certificate& theirs) {
  asio::ssl::context trust(asio::ssl::context::tls_client);
  trust.set_verify_mode(asio::ssl::verify_peer);
  const std::string pem = theirs.to_pem();
  trust.add_certificate_authority(asio::buffer(pem));
  asio::ssl::stream<channel_stream> secure(std::move(stream), trust);
  co_await secure.async_handshake(asio::ssl::stream_base::client, asio::deferred);
  const std::string said = long_text(300000);
  co_await asio::async_write(secure, asio::buffer(said), asio::deferred);
  std::string heard(said.size(), ' ');
  co_await asio::async_read(secure, asio::buffer(heard), asio::deferred);
  CHECK(heard == said);
  auto [code] = co_await secure.async_shutdown(with_code);
  CHECK_FALSE(code);
}

asio::awaitable<void> tls_over_channel(stream_pair& pair) {
  using namespace asio::experimental::awaitable_operators;
  co_await connect(pair);
  const auto own = certificate::generate(certificate_options(std::chrono::system_clock::now()));
  co_await (answer_over_tls(std::move(*pair.second), own) &&
            ask_over_tls(std::move(*pair.first), own));
  co_await close_both(pair.peers.first, pair.peers.second);
}

asio::awaitable<void> serve_websocket(channel_stream stream) {
  beast::websocket::stream<channel_stream> socket(std::move(stream));
  socket.set_option(beast::websocket::stream_base::timeout::suggested(beast::role_type::server));
  co_await socket.async_accept(asio::deferred);
  beast::flat_buffer buffer;
  for (;;) {
    auto [code, size] = co_await socket.async_read(buffer, with_code);
    static_cast<void>(size);
    if (code) {
      CHECK(code == beast::websocket::error::closed);
      co_return;
    }
    co_await socket.async_write(buffer.data(), asio::deferred);
    buffer.consume(buffer.size());
  }
}

asio::awaitable<void> talk_over_websocket(channel_stream stream) {
  beast::websocket::stream<channel_stream> socket(std::move(stream));
  co_await socket.async_handshake("peer", "/", asio::deferred);
  const std::string text = long_text(200000);
  co_await socket.async_write(asio::buffer(text), asio::deferred);
  beast::flat_buffer buffer;
  co_await socket.async_read(buffer, asio::deferred);
  CHECK(beast::buffers_to_string(buffer.data()) == text);
  co_await socket.async_close(beast::websocket::close_code::normal, asio::deferred);
}

asio::awaitable<void> websocket_over_channel(stream_pair& pair) {
  using namespace asio::experimental::awaitable_operators;
  co_await connect(pair);
  auto server = std::move(*pair.second);
  auto client = std::move(*pair.first);
  co_await (serve_websocket(std::move(server)) && talk_over_websocket(std::move(client)));
  co_await close_both(pair.peers.first, pair.peers.second);
}

asio::awaitable<void> read_as_a_stream(stream_pair& pair) {
  co_await connect(pair);
  auto& from = *pair.first;
  auto& to = *pair.second;
  co_await from.channel().async_send("first ");
  co_await from.channel().async_send("");  // nothing, and not the end
  co_await from.channel().async_send("line\nrest");
  std::string text;
  auto line = co_await asio::async_read_until(to, asio::dynamic_buffer(text), '\n', asio::deferred);
  CHECK(text.substr(0, line) == "first line\n");
  text.erase(0, line);

  std::array<char, 2> few{};
  const std::array<asio::mutable_buffer, 2> both = {asio::mutable_buffer(), asio::buffer(few)};
  co_await asio::async_write(from, asio::buffer("wxyz", 4), asio::deferred);
  std::string seen = text;
  while (seen.size() < 8) {
    auto size = co_await to.async_read_some(both);
    CHECK(size > 0);
    seen.append(few.data(), size);
  }
  CHECK(seen == "restwxyz");
  auto none = co_await to.async_read_some(asio::mutable_buffer());
  CHECK(none == 0);
  none = co_await from.async_write_some(asio::const_buffer());
  CHECK(none == 0);

  const std::string large = long_text(100000);
  auto written = co_await from.async_write_some(asio::buffer(large));
  CHECK(written == 16384);
  std::string part(written, ' ');
  co_await asio::async_read(to, asio::buffer(part), asio::deferred);
  CHECK(part == large.substr(0, written));

  co_await asio::async_write(from, asio::buffer("last", 4), asio::deferred);
  co_await from.async_close();
  std::string end;
  auto [code, size] = co_await asio::async_read(to, asio::dynamic_buffer(end), with_code);
  CHECK(code == asio::error::eof);
  CHECK(size == 4);
  CHECK(end == "last");
  auto [late, nothing] = co_await from.async_write_some(asio::buffer("x", 1), with_code);
  CHECK(late == errc::invalid_state);
  CHECK(nothing == 0);
  co_await close_both(pair.peers.first, pair.peers.second);
}

asio::awaitable<void> cancel_reads(stream_pair& pair) {
  using namespace asio::experimental::awaitable_operators;
  co_await connect(pair);
  asio::steady_timer timer(co_await asio::this_coro::executor);
  std::array<char, 8> into{};
  std::string seen;
  // Every read races against a timer; what was sent meanwhile is not lost.
  for (int i = 0; seen.size() < 400; ++i) {
    if (i < 100) co_await asio::async_write(*pair.first, asio::buffer("abcd", 4), asio::deferred);
    timer.expires_after(std::chrono::microseconds(i % 3 * 100));
    auto winner = co_await (pair.second->async_read_some(asio::buffer(into), asio::use_awaitable) ||
                            timer.async_wait(asio::use_awaitable));
    if (winner.index() == 0) seen.append(into.data(), std::get<0>(winner));
  }
  std::string expected;
  for (int i = 0; i < 100; ++i) expected += "abcd";
  CHECK(seen == expected);
  co_await close_both(pair.peers.first, pair.peers.second);
}

asio::awaitable<void> cancel_the_read_of_a_rest(stream_pair& pair) {
  co_await connect(pair);
  co_await asio::async_write(*pair.first, asio::buffer("0123456789", 10), asio::deferred);
  std::array<char, 2> few{};
  auto first = co_await pair.second->async_read_some(asio::buffer(few));
  CHECK(std::string(few.data(), first) == "01");

  asio::cancellation_signal signal;
  std::optional<std::tuple<boost::system::error_code, std::size_t>> ended;
  pair.second->async_read_some(
      asio::buffer(few), asio::bind_cancellation_slot(
                             signal.slot(), [&](boost::system::error_code code, std::size_t size) {
                               ended.emplace(code, size);
                             }));
  signal.emit(asio::cancellation_type::total);
  const auto executor = co_await asio::this_coro::executor;
  while (!ended) co_await asio::post(executor, asio::use_awaitable);
  CHECK(std::get<0>(*ended) == asio::error::operation_aborted);
  CHECK(std::get<1>(*ended) == 0);

  co_await pair.first->async_close();
  std::string rest;
  auto [code, size] =
      co_await asio::async_read(*pair.second, asio::dynamic_buffer(rest), with_code);
  CHECK(code == asio::error::eof);
  CHECK(size == 8);
  CHECK(rest == "23456789");
  co_await close_both(pair.peers.first, pair.peers.second);
}

asio::awaitable<void> write_and_close(channel_stream& stream, const std::string& text) {
  co_await asio::async_write(stream, asio::buffer(text), asio::deferred);
  co_await stream.async_close();
}

/// Reads a few bytes of a message at a time, each read against a timer that fires at once or soon.
asio::awaitable<void> read_against_a_timer(channel_stream& stream, std::string& seen) {
  using namespace asio::experimental::awaitable_operators;
  constexpr auto awaited = asio::as_tuple(asio::use_awaitable);
  asio::steady_timer timer(co_await asio::this_coro::executor);
  std::array<char, 10> into{};
  for (int i = 0;; ++i) {
    timer.expires_after(std::chrono::microseconds(i % 3));
    auto winner =
        co_await (stream.async_read_some(asio::buffer(into), awaited) || timer.async_wait(awaited));
    if (winner.index() != 0) continue;
    const auto [code, size] = std::get<0>(winner);
    seen.append(into.data(), size);
    if (code) break;
  }
}

asio::awaitable<void> race_reads(stream_pair& pair, const std::string& text, std::string& seen) {
  using namespace asio::experimental::awaitable_operators;
  co_await connect(pair);
  co_await (write_and_close(*pair.first, text) && read_against_a_timer(*pair.second, seen));
  co_await close_both(pair.peers.first, pair.peers.second);
}

configuration taking(std::size_t most) {
  configuration config;
  config.max_message_size = most;
  return config;
}

asio::awaitable<void> write_before_it_is_open(peer_pair& peers) {
  using namespace asio::experimental::awaitable_operators;
  channel_stream from(peers.first.create_data_channel("bytes"));
  CHECK(from.channel().state() == data_channel_state::connecting);
  const std::string text = long_text(100000);
  const auto incoming = peers.second.data_channels();
  auto [size, remote] =
      co_await (asio::async_write(from, asio::buffer(text), asio::use_awaitable) &&
                incoming.async_next(asio::use_awaitable));
  CHECK(size == text.size());
  REQUIRE(remote.has_value());
  channel_stream to(std::move(*remote));
  std::string seen(text.size(), ' ');
  co_await asio::async_read(to, asio::buffer(seen), asio::deferred);
  CHECK(seen == text);
  auto written = co_await from.async_write_some(asio::buffer(text));
  CHECK(written == 4096);
  co_await close_both(peers.first, peers.second);
}

using ending = std::function<void(std::optional<channel_stream>&, asio::cancellation_signal&)>;

/// Writes before the channel is open, ends that in some way and gives what the write says.
asio::awaitable<boost::system::error_code> end_of_a_write_that_waits(peer_connection& peer,
                                                                     ending end) {
  std::optional<channel_stream> stream(std::in_place, peer.create_data_channel("bytes"));
  std::optional<boost::system::error_code> ended;
  asio::cancellation_signal signal;
  const auto note = [&](boost::system::error_code code, std::size_t size) {
    CHECK(size == 0);
    ended = code;
  };
  stream->async_write_some(asio::buffer("x", 1), asio::bind_cancellation_slot(signal.slot(), note));
  end(stream, signal);
  const auto executor = co_await asio::this_coro::executor;
  while (!ended) co_await asio::post(executor, asio::use_awaitable);
  co_return *ended;
}

asio::awaitable<void> end_writes_that_wait(peer_connection& peer) {
  const ending cancel = [](auto&, auto& signal) { signal.emit(asio::cancellation_type::total); };
  auto code = co_await end_of_a_write_that_waits(peer, cancel);
  CHECK(code == asio::error::operation_aborted);
  const ending close = [](auto& stream, auto&) { stream->channel().close(); };
  code = co_await end_of_a_write_that_waits(peer, close);
  CHECK(code == errc::invalid_state);
  const ending drop = [](auto& stream, auto&) { stream.reset(); };
  code = co_await end_of_a_write_that_waits(peer, drop);
  CHECK(code == errc::invalid_state);
  const ending end_peer = [&](auto&, auto&) { peer.close(); };
  code = co_await end_of_a_write_that_waits(peer, end_peer);
  CHECK(code);
}

asio::awaitable<void> drop_while_reading(stream_pair& pair) {
  co_await connect(pair);
  std::array<char, 8> into{};
  std::optional<boost::system::error_code> ended;
  pair.second->async_read_some(asio::buffer(into),
                               [&](boost::system::error_code code, std::size_t) { ended = code; });
  pair.second.reset();
  auto [code, size] = co_await pair.first->async_read_some(asio::buffer(into), with_code);
  CHECK(code == asio::error::eof);
  CHECK(size == 0);
  CHECK(ended.has_value());
  CHECK(*ended);
  pair.peers.second.close();
  co_await pair.peers.first.async_close();
}

template <class Body>
void run_pair(Body body) {
  asio::io_context context;
  stream_pair pair(context.get_executor());
  run(context, body(pair));
}

}  // namespace

TEST_CASE("HTTP by Beast runs over a data channel") { run_pair(http_over_channel); }

TEST_CASE("WebSocket by Beast runs over a data channel") { run_pair(websocket_over_channel); }

TEST_CASE("TLS runs over a data channel") { run_pair(tls_over_channel); }

TEST_CASE("messages are bytes of a stream, which ends with eof") { run_pair(read_as_a_stream); }

TEST_CASE("a cancelled read loses nothing") { run_pair(cancel_reads); }

TEST_CASE("a cancelled read of the rest of a message loses nothing") {
  run_pair(cancel_the_read_of_a_rest);
}

TEST_CASE("reads that race against timers on two threads lose nothing") {
  asio::io_context context(2);
  stream_pair pair(asio::make_strand(context));
  const std::string text = long_text(100000);
  std::string seen;
  std::exception_ptr failure;
  asio::co_spawn(asio::make_strand(context), race_reads(pair, text, seen),
                 [&](std::exception_ptr thrown) { failure = thrown; });
  std::thread other([&] { context.run(); });
  context.run();
  other.join();
  if (failure) std::rethrow_exception(failure);
  CHECK(seen == text);
}

TEST_CASE("what is written before the channel is open waits for what the peer takes") {
  asio::io_context context;
  peer_pair peers(context.get_executor(), configuration(), taking(4096));
  run(context, write_before_it_is_open(peers));
}

TEST_CASE("a write that waits for the channel to open ends with it") {
  asio::io_context context;
  peer_connection peer(context.get_executor());
  run(context, end_writes_that_wait(peer));
}

TEST_CASE("dropping a stream ends its pending read, and the other side's") {
  run_pair(drop_while_reading);
}

TEST_CASE("only an ordered and reliable channel becomes a stream") {
  asio::io_context context;
  peer_connection peer(context.get_executor());
  data_channel_init unordered;
  unordered.ordered = false;
  data_channel_init lossy;
  lossy.max_retransmits = std::uint16_t{0};
  for (const auto& init : {unordered, lossy}) {
    try {
      channel_stream stream(peer.create_data_channel("any", init));
      FAIL("accepted");
    } catch (const error& thrown) {
      CHECK(thrown.code() == errc::type_error);
    }
  }
  CHECK_THROWS_AS(channel_stream{data_channel()}, error);
}

}  // namespace asiortc::test

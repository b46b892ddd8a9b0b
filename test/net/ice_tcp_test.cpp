// ICE-TCP between two real peers, and what strangers can do at its ports.
#include "net/peer_pair.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace asiortc::test {
namespace {

using asio::ip::tcp;
using namespace std::chrono_literals;
using namespace asio::experimental::awaitable_operators;

/// Lets no UDP candidate through, and notes the port that is listened on at 127.0.0.1.
class tcp_only_pipe final : public signaling_pipe {
 public:
  explicit tcp_only_pipe(std::shared_ptr<signaling_pipe> inner) : inner_(std::move(inner)) {}

  bool send(peer_signal value) override {
    auto* const candidate = std::get_if<ice_candidate>(&value);
    if (candidate == nullptr) return inner_->send(std::move(value));
    auto& text = candidate->candidate;
    texts.push_back(text);
    if (text.find(" udp ") != std::string::npos) return true;
    const auto end = text.find(" typ host tcptype passive");
    if (end != std::string::npos && text.find(" 127.0.0.1 ") != std::string::npos) {
      const auto begin = text.rfind(' ', end - 1) + 1;
      passive_port = static_cast<std::uint16_t>(std::stoi(text.substr(begin, end - begin)));
      if (replaced_port != 0) text.replace(begin, end - begin, std::to_string(replaced_port));
    } else if (replaced_port != 0 && text.find("tcptype passive") != std::string::npos) {
      return true;  // through the replaced one or not at all
    }
    if (!holding) return inner_->send(std::move(value));
    held_.push_back(std::move(value));
    return true;
  }
  void release() {
    holding = false;
    for (auto& value : std::exchange(held_, {})) inner_->send(std::move(value));
  }
  void close() override { inner_->close(); }
  [[nodiscard]] std::optional<bool> polite() const override { return inner_->polite(); }

  std::vector<std::string> texts;
  std::uint16_t passive_port = 0;
  std::uint16_t replaced_port = 0;  ///< told in place of it, and no other
  bool holding = false;

 protected:
  void start_receive(receive_handler handler) override {
    inner_->async_receive(std::move(handler));
  }

 private:
  std::shared_ptr<signaling_pipe> inner_;
  std::vector<peer_signal> held_;
};

/// Until a peer has told where it listens.
asio::awaitable<std::uint16_t> port_of(const tcp_only_pipe& pipe) {
  while (pipe.passive_port == 0) {
    co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
  }
  co_return pipe.passive_port;
}

configuration with_tcp() {
  configuration config;
  config.ice_tcp = true;
  config.interface_filter = [](const interface_address& address) {
    return address.interface_name == "lo";
  };
  return config;
}

struct tcp_pair {
  explicit tcp_pair(asio::any_io_executor executor, const configuration& config = with_tcp())
      : tcp_pair(executor, make_signaling_pipe_pair(executor), config) {}

  std::shared_ptr<tcp_only_pipe> of_first, of_second;
  peer_connection first, second;
  std::unique_ptr<negotiation> first_session, second_session;

  /// Before it the ports can be replaced.
  void start() {
    first_session = std::make_unique<negotiation>(negotiate(first, of_first));
    second_session = std::make_unique<negotiation>(negotiate(second, of_second));
  }

 private:
  using pipes = std::pair<std::shared_ptr<signaling_pipe>, std::shared_ptr<signaling_pipe>>;

  tcp_pair(const asio::any_io_executor& executor, const pipes& ends, const configuration& config)
      : of_first(std::make_shared<tcp_only_pipe>(ends.first)),
        of_second(std::make_shared<tcp_only_pipe>(ends.second)),
        first(executor, config),
        second(executor, config) {}
};

asio::awaitable<void> echo(peer_connection& peer) {
  auto streams = peer.data_channels();
  auto channel = co_await streams.async_next();
  while (channel) {
    auto received = co_await channel->async_receive();
    if (!received) break;
    message copy = *received;
    co_await channel->async_send(std::move(copy));
  }
}

asio::awaitable<void> round_trip(data_channel& channel, std::size_t size) {
  message sent(std::vector<std::uint8_t>(size, 7), false);
  message copy = sent;
  co_await channel.async_send(std::move(copy));
  auto received = co_await channel.async_receive();
  REQUIRE(received.has_value());
  CHECK(*received == sent);
}

asio::awaitable<void> talk_over_tcp(tcp_pair& peers) {
  peers.start();
  auto channel = peers.first.create_data_channel("tcp");
  co_await channel.async_open();
  for (const std::size_t size : {1U, 1200U, 65536U, 262144U}) co_await round_trip(channel, size);
  const auto ours = peers.first.selected_candidate_pair();
  const auto theirs = peers.second.selected_candidate_pair();
  REQUIRE(ours.has_value());
  REQUIRE(theirs.has_value());
  CHECK(ours->local.protocol == "tcp");
  CHECK(ours->remote.protocol == "tcp");
  CHECK(ours->local.tcp_type != ours->remote.tcp_type);
  CHECK(theirs->local.tcp_type != theirs->remote.tcp_type);
  CHECK(to_string(*ours).find("(tcp") != std::string::npos);
  co_await close_both(peers.first, peers.second);
}

/// The candidates of two peers, which need not connect.
std::vector<std::string> gathered_with(const configuration& config) {
  asio::io_context context;
  tcp_pair peers(context.get_executor(), config);
  peers.start();
  auto channel = peers.first.create_data_channel("gathers");
  const auto gathered = [&] {
    return peers.first.ice_gathering_state() == ice_gathering_state::complete &&
           peers.second.ice_gathering_state() == ice_gathering_state::complete;
  };
  while (!gathered() && context.run_one() != 0) {
  }
  REQUIRE(gathered());
  auto texts = peers.of_first->texts;
  texts.insert(texts.end(), peers.of_second->texts.begin(), peers.of_second->texts.end());
  return texts;
}

/// Passes bytes on to a port, as a middlebox that forgets its connections now and then.
class middlebox {
 public:
  explicit middlebox(asio::any_io_executor executor)
      : acceptor_(executor, tcp::endpoint(asio::ip::address_v4::loopback(), 0)) {}

  [[nodiscard]] std::uint16_t port() const { return acceptor_.local_endpoint().port(); }

  void start() { asio::co_spawn(acceptor_.get_executor(), accept(), asio::detached); }
  void cut() {
    for (auto& each : links_) each->close();
    links_.clear();
  }
  void stop() {
    acceptor_.close();
    cut();
  }

  std::uint16_t target = 0;
  int accepted = 0;

 private:
  struct link {
    explicit link(tcp::socket from) : inner(std::move(from)), outer(inner.get_executor()) {}
    void close() {
      boost::system::error_code ignored;
      inner.close(ignored);
      outer.close(ignored);
    }
    tcp::socket inner, outer;
  };

  asio::awaitable<void> accept() {
    boost::system::error_code error;
    for (;;) {
      auto socket =
          co_await acceptor_.async_accept(asio::redirect_error(asio::use_awaitable, error));
      if (error) co_return;
      ++accepted;
      auto made = std::make_shared<link>(std::move(socket));
      links_.push_back(made);
      asio::co_spawn(acceptor_.get_executor(), serve(made), asio::detached);
    }
  }

  asio::awaitable<void> serve(std::shared_ptr<link> made) {
    boost::system::error_code error;
    const tcp::endpoint there(asio::ip::address_v4::loopback(), target);
    co_await made->outer.async_connect(there, asio::redirect_error(asio::use_awaitable, error));
    if (!error) co_await (pass(made->inner, made->outer) || pass(made->outer, made->inner));
    made->close();
  }

  static asio::awaitable<void> pass(tcp::socket& from, tcp::socket& to) {
    std::vector<std::uint8_t> block(16384);
    boost::system::error_code error;
    while (!error) {
      const std::size_t size = co_await from.async_read_some(
          asio::buffer(block), asio::redirect_error(asio::use_awaitable, error));
      if (error) co_return;
      co_await asio::async_write(to, asio::buffer(block.data(), size),
                                 asio::redirect_error(asio::use_awaitable, error));
    }
  }

  tcp::acceptor acceptor_;
  std::list<std::shared_ptr<link>> links_;
};

asio::awaitable<void> talk_through_cuts(tcp_pair& peers, middlebox& box) {
  // The first can only connect, to the box; the second is connected to.
  peers.of_second->replaced_port = box.port();
  peers.of_first->replaced_port = 9;  // nothing listens there
  peers.start();
  auto channel = peers.first.create_data_channel("cut");
  box.target = co_await port_of(*peers.of_second);
  box.start();
  co_await channel.async_open();
  co_await round_trip(channel, 1000);
  for (int cuts = 1; cuts <= 3; ++cuts) {
    box.cut();
    co_await round_trip(channel, 100000);
    CHECK(box.accepted > cuts);
  }
  co_await close_both(peers.first, peers.second);
  box.stop();
}

/// Connects as a stranger, sends, and waits for the other side to hang up; what it said is told.
asio::awaitable<std::size_t> bother(std::uint16_t port, std::vector<std::uint8_t> bytes) {
  tcp::socket socket(co_await asio::this_coro::executor);
  const tcp::endpoint there(asio::ip::address_v4::loopback(), port);
  co_await socket.async_connect(there, asio::use_awaitable);
  co_await asio::async_write(socket, asio::buffer(bytes), asio::use_awaitable);
  std::array<std::uint8_t, 1024> answer{};
  boost::system::error_code error;
  const std::size_t size = co_await socket.async_read_some(
      asio::buffer(answer), asio::redirect_error(asio::use_awaitable, error));
  CHECK((error == asio::error::eof || error == asio::error::connection_reset));
  co_return size;
}

/// A Binding request (RFC 8489 5) without attributes, in its frame.
std::vector<std::uint8_t> framed_request() {
  constexpr std::array<std::uint8_t, 10> head{0, 20, 0, 1, 0, 0, 0x21, 0x12, 0xA4, 0x42};
  std::vector<std::uint8_t> bytes(22, 5);
  std::copy(head.begin(), head.end(), bytes.begin());
  return bytes;
}

std::vector<std::uint8_t> giant_frame() {
  std::vector<std::uint8_t> bytes(60000, 0);
  bytes[0] = bytes[1] = 0xFF;
  return bytes;
}

asio::awaitable<void> bother_in_every_way(tcp_pair& peers) {
  peers.start();
  auto channel = peers.first.create_data_channel("bothered");
  const std::uint16_t port = co_await port_of(*peers.of_first);
  const auto started = std::chrono::steady_clock::now();
  const std::vector<std::uint8_t> junk{0, 4, 'j', 'u', 'n', 'k'};
  const std::vector<std::uint8_t> giant = giant_frame();
  const std::size_t said_to_junk = co_await bother(port, junk);
  const std::size_t said_to_giant = co_await bother(port, giant);
  CHECK(said_to_junk + said_to_giant == 0);
  CHECK(std::chrono::steady_clock::now() - started < 4s);
  // A frame that never ends, nothing at all, and a check that proves nothing are borne for a while.
  const std::vector<std::uint8_t> part{0, 200, 0, 1};
  const std::vector<std::uint8_t> nothing;
  const std::vector<std::uint8_t> unproven = framed_request();
  const auto [slow, silent, forged] =
      co_await (bother(port, part) && bother(port, nothing) && bother(port, unproven));
  CHECK(slow + silent + forged == 0);
  CHECK(std::chrono::steady_clock::now() - started < 15s);
  co_await channel.async_open();
  co_await round_trip(channel, 1000);
  co_await close_both(peers.first, peers.second);
}

asio::awaitable<void> connect_among_strangers(tcp_pair& peers) {
  // The second is to connect, and learns where when the strangers have come.
  auto channel = peers.first.create_data_channel("crowded");
  peers.of_second->replaced_port = 9;  // nothing listens there
  peers.of_first->holding = true;
  peers.start();
  const std::uint16_t port = co_await port_of(*peers.of_first);
  const tcp::endpoint there(asio::ip::address_v4::loopback(), port);
  std::vector<tcp::socket> strangers;
  auto executor = co_await asio::this_coro::executor;
  for (int i = 0; i < 100; ++i) {
    strangers.emplace_back(executor);
    co_await strangers.back().async_connect(there, asio::use_awaitable);
  }
  peers.of_first->release();
  co_await channel.async_open();
  co_await round_trip(channel, 1000);
  // The first of them had to go for the later ones.
  std::array<std::uint8_t, 1> answer{};
  boost::system::error_code error;
  co_await strangers.front().async_read_some(asio::buffer(answer),
                                             asio::redirect_error(asio::use_awaitable, error));
  CHECK((error == asio::error::eof || error == asio::error::connection_reset));
  co_await close_both(peers.first, peers.second);
}

}  // namespace

TEST_CASE("two peers without UDP talk over TCP, and say so") {
  asio::io_context context;
  tcp_pair peers(context.get_executor());
  asio::co_spawn(context, echo(peers.second), asio::detached);
  run(context, talk_over_tcp(peers));
  context.run();  // ends: nothing is left
}

TEST_CASE("a lite peer is connected to over TCP") {
  asio::io_context context;
  auto lite = with_tcp();
  lite.ice_lite = true;
  tcp_pair peers(context.get_executor());
  peers.second = peer_connection(context.get_executor(), lite);
  asio::co_spawn(context, echo(peers.second), asio::detached);
  run(context, talk_over_tcp(peers));
  for (const auto& text : peers.of_second->texts) {
    CHECK(text.find("tcptype active") == std::string::npos);
  }
}

TEST_CASE("peers of a mux talk over TCP ports of their own where no UDP gets through") {
  asio::io_context context;
  udp_mux_options options;
  options.addresses.emplace_back("127.0.0.1");
  auto config = with_tcp();
  config.udp_mux = std::make_shared<udp_mux>(context.get_executor(), options);
  tcp_pair peers(context.get_executor(), config);
  asio::co_spawn(context, echo(peers.second), asio::detached);
  run(context, talk_over_tcp(peers));
  context.run();  // ends: nothing is left
}

TEST_CASE("no TCP port is opened unasked, or where only relays may be used") {
  auto config = with_tcp();
  SUBCASE("unasked") { config.ice_tcp = false; }
  SUBCASE("relays only") { config.ice_transport_policy = ice_transport_policy::relay; }
  for (const auto& text : gathered_with(config)) CHECK(text.find(" tcp ") == std::string::npos);
}

TEST_CASE("names hide the addresses of TCP candidates as well") {
  auto config = with_tcp();
  config.mdns_candidates = mdns_candidates::hide;
  std::size_t hidden = 0;
  for (const auto& text : gathered_with(config)) {
    if (text.find(" tcp ") == std::string::npos) continue;
    CHECK(text.find(".local ") != std::string::npos);
    ++hidden;
  }
  CHECK(hidden >= 4);  // two ends of two peers at 127.0.0.1
}

TEST_CASE("passive ports come from the range that was asked for") {
  asio::io_context context;
  auto config = with_tcp();
  config.port_min = 40330;
  config.port_max = 40349;
  tcp_pair peers(context.get_executor(), config);
  asio::co_spawn(context, echo(peers.second), asio::detached);
  run(context, talk_over_tcp(peers));
  for (const auto& pipe : {peers.of_first, peers.of_second}) {
    CHECK(pipe->passive_port >= 40330);
    CHECK(pipe->passive_port <= 40349);
  }
}

TEST_CASE("connections that are cut are made anew, and nothing is lost") {
  asio::io_context context;
  tcp_pair peers(context.get_executor());
  middlebox box(context.get_executor());
  asio::co_spawn(context, echo(peers.second), asio::detached);
  run(context, talk_through_cuts(peers, box));
}

TEST_CASE("strangers at a passive port are hung up on, and get no answer") {
  asio::io_context context;
  tcp_pair peers(context.get_executor());
  asio::co_spawn(context, echo(peers.second), asio::detached);
  run(context, bother_in_every_way(peers));
}

TEST_CASE("a hundred silent strangers keep nobody out") {
  asio::io_context context;
  tcp_pair peers(context.get_executor());
  asio::co_spawn(context, echo(peers.second), asio::detached);
  run(context, connect_among_strangers(peers));
}

}  // namespace asiortc::test

// A TURN server that takes no connection when it is asked, and one that takes two kinds.
#include "net/peer_pair.hpp"
#include "net/served_socket.hpp"
#include "stun/stream_framer.hpp"

#include <doctest/doctest.h>

#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <string>

namespace asiortc::test {
namespace {

using namespace std::chrono_literals;
using asio::ip::tcp;

/// A TURN server over TCP, from the moment on that it is made.
class tcp_turn {
 public:
  tcp_turn(asio::io_context& context, const tcp::endpoint& at)
      : acceptor_(context, at), server_({}) {
    server_.to_client = [this](const base::endpoint& to, base::byte_span bytes) {
      for (auto& each : clients_) {
        if (each.from != to) continue;
        base::bytes padded(bytes.begin(), bytes.end());
        padded.resize(stun::padded(padded.size()));
        asio::write(each.socket, asio::buffer(padded));
      }
    };
    accept();
  }

  [[nodiscard]] std::uint16_t port() const { return acceptor_.local_endpoint().port(); }

 private:
  struct client {
    client(tcp::socket connected, const base::endpoint& address)
        : socket(std::move(connected)), from(address) {}
    tcp::socket socket;
    base::endpoint from;
    stun::message_framer framer{4096};
  };

  void accept() {
    acceptor_.async_accept([this](boost::system::error_code error, tcp::socket socket) {
      if (error) return;
      const base::endpoint from(base::ip_address::v4({127, 0, 0, 1}),
                                socket.remote_endpoint().port());
      receive(clients_.emplace_back(std::move(socket), from));
      accept();
    });
  }

  void receive(client& from) {
    const auto room = from.framer.prepare(4096);
    from.socket.async_read_some(asio::buffer(room.data(), room.size()),
                                [this, &from](boost::system::error_code error, std::size_t size) {
                                  if (error) return;
                                  from.framer.commit(size);
                                  while (const auto packet = from.framer.next()) {
                                    server_.handle_client(io::clock_now(), from.from, *packet);
                                  }
                                  receive(from);
                                });
  }

  tcp::acceptor acceptor_;
  turn_server server_;
  std::deque<client> clients_;
};

configuration asking(const std::vector<std::string>& urls) {
  configuration config;
  config.interface_filter = [](const auto& each) { return each.address == "127.0.0.1"; };
  ice_server server;
  server.urls = urls;
  server.username = "user";
  server.credential = "secret";
  config.ice_servers.push_back(server);
  return config;
}

/// The server comes up once it was told that it refused us; its address is told nevertheless.
asio::awaitable<void> find_late_server(asio::io_context& context, tcp::endpoint at) {
  peer_connection peer(context.get_executor(),
                       asking({"turn:127.0.0.1:" + std::to_string(at.port()) + "?transport=tcp"}));
  auto candidates = peer.ice_candidates();
  auto errors = peer.ice_candidate_errors();
  auto channel = peer.create_data_channel("any");
  co_await peer.async_set_local_description();
  auto refused = co_await errors.async_next();
  REQUIRE(refused.has_value());
  CHECK(refused->text.find("Connection refused") != std::string::npos);
  const tcp_turn server(context, at);
  for (;;) {
    auto candidate = co_await candidates.async_next();
    REQUIRE(candidate.has_value());
    const std::string text = candidate->candidate;
    if (text.find("typ relay") != std::string::npos) break;
  }
  CHECK_FALSE(errors.try_next().has_value());
  co_await peer.async_close();
}

/// Two addresses, the first of which takes connections and says nothing.
class two_addresses final : public name_resolver {
 public:
  explicit two_addresses(asio::any_io_executor executor) : executor_(std::move(executor)) {}
  void async_resolve(std::string, handler_type handler) override {
    asio::post(executor_, [handler = std::move(handler)]() mutable {
      std::move(handler)(boost::system::error_code(),
                         std::vector<asio::ip::address>{asio::ip::make_address("127.0.0.2"),
                                                        asio::ip::make_address("127.0.0.1")});
    });
  }
  void cancel() override {}

 private:
  asio::any_io_executor executor_;
};

asio::awaitable<void> pass_the_silent_one(asio::io_context& context,
                                          std::chrono::milliseconds patience) {
  const tcp::acceptor silent(context, {asio::ip::make_address("127.0.0.2"), 0});
  const auto port = silent.local_endpoint().port();
  const tcp_turn server(context, {asio::ip::address_v4::loopback(), port});
  auto config = asking({"turn:relay.test:" + std::to_string(port) + "?transport=tcp"});
  config.resolver = std::make_shared<two_addresses>(context.get_executor());
  config.timeouts.stun_rto = 50ms;
  config.timeouts.turn_allocation = patience;
  peer_connection peer(context.get_executor(), config);
  auto candidates = peer.ice_candidates();
  auto channel = peer.create_data_channel("any");
  co_await peer.async_set_local_description();
  bool relayed = false;
  for (;;) {
    auto candidate = co_await candidates.async_next();
    REQUIRE(candidate.has_value());
    const std::string text = candidate->candidate;
    if (text.empty()) break;
    relayed = relayed || text.find("typ relay") != std::string::npos;
  }
  CHECK(relayed);  // before the end of gathering was told
  co_await peer.async_close();
}

/// A pool is gathered anew for other servers, or the same with other credentials.
asio::awaitable<void> come_again_with_the_password(asio::io_context& context) {
  const tcp_turn server(context, {asio::ip::address_v4::loopback(), 0});
  auto config = asking({"turn:127.0.0.1:" + std::to_string(server.port()) + "?transport=tcp"});
  config.ice_candidate_pool_size = 1;
  config.ice_servers.front().credential = "guess";
  peer_connection peer(context.get_executor(), config);
  auto errors = peer.ice_candidate_errors();
  auto refused = co_await errors.async_next();
  REQUIRE(refused.has_value());
  CHECK(refused->code == 401);
  config.ice_servers.front().credential = "secret";
  peer.set_configuration(config);
  auto candidates = peer.ice_candidates();
  auto channel = peer.create_data_channel("any");
  co_await peer.async_set_local_description();
  for (;;) {
    auto candidate = co_await candidates.async_next();
    REQUIRE(candidate.has_value());
    const std::string text = candidate->candidate;
    REQUIRE_FALSE(text.empty());
    if (text.find("typ relay") != std::string::npos) break;
  }
  co_await peer.async_close();
}

asio::awaitable<std::uint8_t> first_byte(tcp::acceptor& acceptor) {
  auto socket = co_await acceptor.async_accept(asio::use_awaitable);
  std::uint8_t byte = 0;
  co_await asio::async_read(socket, asio::buffer(&byte, 1), asio::use_awaitable);
  co_return byte;
}

/// What a TLS handshake begins with names the host (RFC 6066 3), unless that is an address.
asio::awaitable<std::string> first_flight(tcp::acceptor& acceptor) {
  auto socket = co_await acceptor.async_accept(asio::use_awaitable);
  std::string header(5, ' ');  // of a record: type, version and length
  co_await asio::async_read(socket, asio::buffer(header), asio::use_awaitable);
  std::string body(static_cast<std::size_t>(static_cast<unsigned char>(header[3])) * 256 +
                       static_cast<unsigned char>(header[4]),
                   ' ');
  co_await asio::async_read(socket, asio::buffer(body), asio::use_awaitable);
  co_return body;
}

asio::awaitable<void> name_the_host(asio::io_context& context) {
  tcp::acceptor acceptor(context, {asio::ip::address_v4::loopback(), 0});
  const std::string port = std::to_string(acceptor.local_endpoint().port());
  for (const std::string host : {"relay.test", "127.0.0.1"}) {
    auto config = asking({"turns:" + host + ":" + port});
    config.resolver = std::make_shared<two_addresses>(context.get_executor());
    peer_connection peer(context.get_executor(), config);
    auto channel = peer.create_data_channel("any");
    co_await peer.async_set_local_description();
    auto hello = co_await first_flight(acceptor);
    CHECK((hello.find(host) != std::string::npos) == (host == "relay.test"));
    co_await peer.async_close();
  }
}

asio::awaitable<void> ask_in_both_ways(asio::io_context& context) {
  tcp::acceptor acceptor(context, {asio::ip::address_v4::loopback(), 0});
  const std::string at = "127.0.0.1:" + std::to_string(acceptor.local_endpoint().port());
  peer_connection peer(context.get_executor(),
                       asking({"turn:" + at + "?transport=tcp", "turns:" + at}));
  auto channel = peer.create_data_channel("any");
  co_await peer.async_set_local_description();
  std::set<std::uint8_t> first;
  while (first.size() < 2) first.insert(co_await first_byte(acceptor));
  CHECK(first == std::set<std::uint8_t>{0, 22});  // STUN's requests, and TLS' handshake
  co_await peer.async_close();
}

}  // namespace

TEST_CASE("a TURN server that refuses a connection and takes the next one is found") {
  asio::io_context context;
  tcp::endpoint at;
  {
    const tcp::acceptor free_port(context, {asio::ip::address_v4::loopback(), 0});
    at = free_port.local_endpoint();
  }
  run(context, find_late_server(context, at));
}

TEST_CASE("a TURN server's address that takes a connection and is silent is followed by the next") {
  asio::io_context context;
  SUBCASE("after the time of a STUN request") {
    run(context, pass_the_silent_one(context, 39500ms));
  }
  SUBCASE("after its share of the time") { run(context, pass_the_silent_one(context, 600ms)); }
}

TEST_CASE("a TURN server over TCP that refused is asked again with other credentials") {
  asio::io_context context;
  run(context, come_again_with_the_password(context));
}

TEST_CASE("TLS to a TURN server names the host of the URL, which no address is") {
  asio::io_context context;
  run(context, name_the_host(context));
}

TEST_CASE("two URLs of one host and port, over TCP and TLS, are both asked") {
  asio::io_context context;
  run(context, ask_in_both_ways(context));
}

}  // namespace asiortc::test

// What a connection and a STUN server have to say for themselves, over real sockets.
#include "net/peer_pair.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace asiortc::test {
namespace {

using namespace std::chrono_literals;
using asio::ip::udp;

/// Answers Binding requests with XOR-MAPPED-ADDRESS, with an error, or not at all.
class stun_responder {
 public:
  explicit stun_responder(asio::io_context& context)
      : socket_(context, udp::endpoint(asio::ip::address_v4::loopback(), 0)) {
    receive();
  }

  bool silent = false;
  std::uint8_t error = 0;  ///< 4xx, of which this is xx

  [[nodiscard]] std::string url() const {
    return "stun:127.0.0.1:" + std::to_string(socket_.local_endpoint().port());
  }

 private:
  void receive() {
    socket_.async_receive_from(asio::buffer(request_), from_,
                               [this](boost::system::error_code stopped, std::size_t size) {
                                 if (stopped) return;
                                 if (!silent && size >= 20) answer();
                                 receive();
                               });
  }

  void answer() {
    std::vector<std::uint8_t> message(request_.begin(), request_.begin() + 20);
    message[0] = 1;
    const auto port = static_cast<std::uint16_t>(from_.port() ^ 0x2112);
    const auto octets = from_.address().to_v4().to_bytes();
    if (error != 0) {
      message[1] = 0x11;
      message.insert(message.end(), {0, 9, 0, 4, 0, 0, 4, error});
    } else {
      message[1] = 0x01;
      message.insert(message.end(), {0, 0x20, 0, 8, 0, 1, static_cast<std::uint8_t>(port >> 8),
                                     static_cast<std::uint8_t>(port)});
      const std::array<std::uint8_t, 4> cookie{0x21, 0x12, 0xA4, 0x42};
      for (std::size_t i = 0; i < 4; ++i) message.push_back(octets[i] ^ cookie[i]);
    }
    message[2] = 0;
    message[3] = static_cast<std::uint8_t>(message.size() - 20);
    socket_.send_to(asio::buffer(message), from_);
  }

  udp::socket socket_;
  udp::endpoint from_;
  std::array<std::uint8_t, 512> request_{};
};

/// The table once the pair in use was measured and has carried something.
asio::awaitable<std::vector<candidate_pair_info>> settled_table(peer_connection& peer) {
  auto channel = peer.create_data_channel("table");
  co_await channel.async_open();
  co_await channel.async_send(std::string(5000, 'x'));
  co_await channel.async_flush();
  auto table = co_await peer.async_candidate_pairs(asio::use_awaitable);
  co_return table;
}

asio::awaitable<void> look_at_table(peer_pair& peers) {
  auto table = co_await settled_table(peers.first);
  std::size_t in_use = 0;
  for (const auto& row : table) {
    if (!row.selected) continue;
    ++in_use;
    CHECK(row.state == candidate_pair_state::succeeded);
    CHECK(row.round_trip_time);
    CHECK(row.checks_sent >= row.checks_answered);
    CHECK(row.checks_answered >= 1);
    CHECK(row.checks_received >= 1);
    CHECK(row.bytes_sent >= 5000);
    CHECK(row.packets_sent >= 5);
    CHECK(row.packets_received >= 1);
    CHECK(row.heard_ago);
  }
  CHECK(in_use == 1);
  CHECK_FALSE(format_table(table).empty());
  co_await close_both(peers.first, peers.second);
  auto last = co_await peers.first.async_candidate_pairs(asio::use_awaitable);
  CHECK(last.size() == table.size());
}

/// Keeps who asks waiting until it is gone.
class silent_resolver final : public name_resolver {
 public:
  void async_resolve(std::string, handler_type handler) override {
    waiting_.push_back(std::move(handler));
  }
  void cancel() override {}

 private:
  std::vector<handler_type> waiting_;
};

/// Gathers, and expects each of these servers to fail.
asio::awaitable<void> ask_silent_servers(peer_connection& peer, std::set<std::string> silent) {
  const auto channel = peer.create_data_channel("data");
  co_await peer.async_set_local_description();
  auto errors = peer.ice_candidate_errors();
  while (!silent.empty()) {
    auto error = co_await errors.async_next();
    REQUIRE(error);
    CHECK(silent.erase(error->url) == 1);
    CHECK_FALSE(error->text.empty());
  }
  co_await peer.async_close();
}

asio::awaitable<void> ask(asio::io_context& context, std::string url, stun_probe_options options,
                          boost::system::error_code& error, stun_probe_result& result) {
  auto [code, found] = co_await async_probe_stun(context.get_executor(), std::move(url), options,
                                                 asio::as_tuple(asio::use_awaitable));
  error = code;
  result = std::move(found);
}

struct probe_bench {
  asio::io_context context;
  stun_responder server{context};
  boost::system::error_code error;
  stun_probe_result result;

  void run(const std::string& url, const stun_probe_options& options = {}) {
    test::run(context, ask(context, url, options, error, result));
  }
};

asio::awaitable<void> lose_patience(asio::io_context& context, std::string url) {
  using namespace asio::experimental::awaitable_operators;
  asio::steady_timer patience(context, 50ms);
  auto first = co_await (async_probe_stun(context.get_executor(), url, stun_probe_options(),
                                          asio::as_tuple(asio::use_awaitable)) ||
                         patience.async_wait(asio::as_tuple(asio::use_awaitable)));
  CHECK(first.index() == 1);
}

/// Where candidates can reach a server: those of an interface cannot reach loopback.
asio::ip::address reachable_address() {
  for (const auto& each : list_interface_addresses()) {
    const auto address = asio::ip::make_address(each.address);
    if (address.is_v4() && !address.is_loopback()) return address;
  }
  return asio::ip::address_v4::loopback();
}

/// Why the connection has failed, in words, once it has.
asio::awaitable<std::string> failure_of(peer_connection& peer) {
  auto states = peer.connection_states();
  for (;;) {
    auto change = co_await states.async_next();
    REQUIRE(change);
    if (change->state == connection_state::failed) co_return change->detail;
  }
}

asio::awaitable<void> fail_for_want_of_sockets(peer_pair& peers, std::string expected) {
  auto channel = peers.first.create_data_channel("data");
  const std::string why = co_await failure_of(peers.second);
  CHECK(why.ends_with(expected));
  CHECK(peers.second.last_error_detail() == why);
  co_await close_both(peers.first, peers.second);
}

configuration with_servers(const std::set<std::string>& urls) {
  configuration config;
  for (const auto& url : urls) {
    config.ice_servers.emplace_back(url);
    config.ice_servers.back().username = config.ice_servers.back().credential = "any";
  }
  return config;
}

}  // namespace

TEST_CASE("the table of pairs tells of checks, round trip and data, also after the end") {
  asio::io_context context;
  peer_pair peers(context.get_executor());
  run(context, look_at_table(peers));
}

TEST_CASE("a TURN server over DTLS, which is not supported, is an event with its URL") {
  asio::io_context context;
  const std::set<std::string> urls{"turns:127.0.0.1?transport=udp"};
  peer_connection peer(context, with_servers(urls));
  run(context, ask_silent_servers(peer, urls));
}

TEST_CASE("a server whose name has no address is an event with its URL") {
  asio::io_context context;
  const std::set<std::string> urls{"stun:name.invalid", "turn:name.invalid"};
  peer_connection peer(context, with_servers(urls));
  run(context, ask_silent_servers(peer, urls));
}

TEST_CASE("a resolver that never answers is waited for as long as the configuration says") {
  asio::io_context context;
  const std::set<std::string> urls{"stun:stun.example.org", "turn:turn.example.org"};
  configuration config = with_servers(urls);
  config.resolver = std::make_shared<silent_resolver>();
  config.timeouts.name_lookup = 50ms;
  peer_connection peer(context, config);
  run(context, ask_silent_servers(peer, urls));
}

TEST_CASE("how long a silent server is waited for is the configuration's") {
  asio::io_context context;
  const auto here = reachable_address();
  udp::socket datagrams(context, udp::endpoint(here, 0));
  asio::ip::tcp::acceptor streams(context, {here, 0});
  const auto address_of = [&here](const auto& socket) {
    return here.to_string() + ":" + std::to_string(socket.local_endpoint().port());
  };
  const std::set<std::string> silent{"stun:" + address_of(datagrams),
                                     "turn:" + address_of(datagrams),
                                     "turn:127.0.0.1:1",  // at once, where no candidate reaches it
                                     "turns:" + address_of(streams)};
  configuration config = with_servers(silent);
  // By default 9.5, 10 and 39.5 s.
  config.timeouts.stun_rto = 50ms;
  config.timeouts.turn_connect = 200ms;
  config.timeouts.turn_allocation = 300ms;
  peer_connection peer(context, config);
  const auto start = std::chrono::steady_clock::now();
  run(context, ask_silent_servers(peer, silent));
  CHECK(std::chrono::steady_clock::now() - start < 5s);
}

TEST_CASE("TURN over TCP too keeps to the interfaces that the filter leaves") {
  asio::io_context context;
  asio::ip::tcp::acceptor server(context, {reachable_address(), 0});
  std::optional<asio::ip::address> client;
  server.async_accept([&](boost::system::error_code error, const auto& socket) {
    if (!error) client = socket.remote_endpoint().address();
  });
  const auto here = server.local_endpoint().address();
  const std::string url = "turn:" + here.to_string() + ":" +
                          std::to_string(server.local_endpoint().port()) + "?transport=tcp";
  configuration config = with_servers({url});
  config.timeouts.turn_allocation = 300ms;
  bool allowed = false;
  config.interface_filter = [&](const interface_address&) { return allowed; };
  peer_connection nowhere(context, config);
  run(context, ask_silent_servers(nowhere, {url}));
  CHECK_FALSE(client);
  allowed = true;
  peer_connection anywhere(context, config);
  run(context, ask_silent_servers(anywhere, {url}));
  REQUIRE(client);
  CHECK(*client == here);
}

TEST_CASE("a failure for want of a free port names the address, the ports and the error") {
  asio::io_context context;
  const udp::socket other(context, {asio::ip::address_v4::loopback(), 0});
  configuration config;
  config.interface_filter = [](const auto& each) { return each.address == "127.0.0.1"; };
  config.timeouts.ice_failed = 100ms;
  configuration narrow = config;
  narrow.port_min = narrow.port_max = other.local_endpoint().port();
  peer_pair peers(context.get_executor(), config, narrow);
  const std::string port = std::to_string(narrow.port_min);
  run(context, fail_for_want_of_sockets(peers, "; could not bind a UDP socket to 127.0.0.1 port " +
                                                   port + ": Address already in use"));
}

TEST_CASE("a STUN server says what we look like, and whether it can tell a NAT's behaviour") {
  probe_bench bench;
  bench.run(bench.server.url());
  CHECK_FALSE(bench.error);
  CHECK("stun:" + bench.result.server == bench.server.url());
  CHECK(bench.result.local_address == "127.0.0.1");
  CHECK(bench.result.mapped_address.starts_with("127.0.0.1:"));
  CHECK_FALSE(bench.result.translated);
  CHECK(bench.result.answer_time > 0us);
  CHECK_FALSE(bench.result.has_other_address);
  CHECK(bench.result.mapping == nat_behaviour::unknown);
}

TEST_CASE("what is wrong with a STUN server is an error with words") {
  probe_bench bench;
  stun_probe_options options;
  SUBCASE("it is silent") {
    bench.server.silent = true;
    bench.run(bench.server.url());
    CHECK(bench.error == asio::error::timed_out);
  }
  SUBCASE("it refuses") {
    bench.server.error = 1;
    bench.run(bench.server.url());
    CHECK(bench.error == errc::not_supported);
    CHECK(bench.result.detail.find("401") != std::string::npos);
  }
  SUBCASE("nothing listens") {
    options.transport = stun_transport::tcp;
    bench.run(bench.server.url(), options);
    CHECK(bench.error == asio::error::connection_refused);
  }
  SUBCASE("it has no address of the family") {
    options.ipv6 = true;
    bench.run(bench.server.url(), options);
    CHECK(bench.error == asio::error::host_not_found);
  }
  SUBCASE("its name has none") {
    bench.run("stun:name.invalid");
    CHECK(bench.error);
  }
  SUBCASE("its URL is none") {
    bench.run("stun:");
    CHECK(bench.error == errc::syntax_error);
  }
  CHECK_FALSE(bench.result.detail.empty());
}

TEST_CASE("a probe that is cancelled leaves nothing behind") {
  probe_bench bench;
  bench.server.silent = true;
  run(bench.context, lose_patience(bench.context, bench.server.url()));
}

TEST_CASE("a context may end while a probe is under way") {
  for (const auto transport : {stun_transport::udp, stun_transport::tcp}) {
    auto bench = std::make_unique<probe_bench>();
    bench->server.silent = true;
    asio::ip::tcp::acceptor nobody_reads(bench->context, {asio::ip::address_v4::loopback(), 0});
    stun_probe_options options;
    options.transport = transport;
    const auto port = nobody_reads.local_endpoint().port();
    const std::string url = transport == stun_transport::udp
                                ? bench->server.url()
                                : "stun:127.0.0.1:" + std::to_string(port);
    bool called = false;
    async_probe_stun(bench->context.get_executor(), url, options,
                     [&](boost::system::error_code, const stun_probe_result&) { called = true; });
    bench->context.run_for(50ms);
    CHECK_FALSE(called);
  }
}

}  // namespace asiortc::test

// STUN and TURN servers that have an address, or can be reached, only later.
#include "net/own_network.hpp"
#include "net/peer_pair.hpp"

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace asiortc::test {
namespace {

using namespace std::chrono_literals;
using asio::ip::tcp;
using asio::ip::udp;

/// Answers when it is told to.
class told_resolver final : public name_resolver {
 public:
  explicit told_resolver(asio::io_context& context)
      : asked_anew_(context, asio::steady_timer::time_point::max()) {}

  void async_resolve(std::string, handler_type handler) override {
    waiting_.push_back(std::move(handler));
    ++asked_;
    asked_anew_.cancel();
  }
  void cancel() override {}

  [[nodiscard]] int asked() const { return asked_; }

  asio::awaitable<void> until_asked(int times) {
    while (asked_ < times) co_await asked_anew_.async_wait(asio::as_tuple(asio::use_awaitable));
  }

  void answer(const std::string& address) {
    complete(boost::system::error_code(), {asio::ip::make_address(address)});
  }
  void find_nothing() { complete(asio::error::host_not_found, {}); }

 private:
  void complete(boost::system::error_code error, const std::vector<asio::ip::address>& found) {
    for (auto& each : std::exchange(waiting_, {})) std::move(each)(error, found);
  }

  asio::steady_timer asked_anew_;
  std::vector<handler_type> waiting_;
  int asked_ = 0;
};

/// An address with a STUN server and one for TURN over TCP, which say nothing.
struct bench {
  bench() {
    network.add(1);
    datagrams.emplace(context, udp::endpoint(address(), 0));
    streams.emplace(context, tcp::endpoint(address(), 0));
  }

  static asio::ip::address address() { return asio::ip::make_address(own_network::address_of(1)); }

  [[nodiscard]] configuration asking(const std::string& host) const {
    configuration config;
    config.resolver = resolver;
    config.ice_servers.emplace_back("stun:" + host + ":" +
                                    std::to_string(datagrams->local_endpoint().port()));
    config.ice_servers.emplace_back(
        "turn:" + host + ":" + std::to_string(streams->local_endpoint().port()) + "?transport=tcp");
    config.ice_servers.back().username = config.ice_servers.back().credential = "any";
    return config;
  }

  /// Until both are asked; gives the connection, which stays as long as it is kept.
  asio::awaitable<tcp::socket> until_servers_asked() {
    std::array<char, 512> request{};
    co_await datagrams->async_receive(asio::buffer(request), asio::use_awaitable);
    auto client = co_await streams->async_accept(asio::use_awaitable);
    co_return client;
  }

  own_network network;
  asio::io_context context;
  std::shared_ptr<told_resolver> resolver = std::make_shared<told_resolver>(context);
  std::optional<udp::socket> datagrams;
  std::optional<tcp::acceptor> streams;
};

asio::awaitable<void> start(peer_connection& peer) {
  const auto channel = peer.create_data_channel("any");
  co_await peer.async_set_local_description();
}

/// Changes the network, until the peer has noticed.
asio::awaitable<void> change(bench& with, const peer_connection& peer, int number) {
  const auto candidates = peer.ice_candidates();
  with.network.add(number);
  for (;;) {
    auto told = co_await candidates.async_next();
    REQUIRE(told);
    if (told->candidate.find(own_network::address_of(number)) != std::string::npos) co_return;
  }
}

asio::awaitable<void> find_names_after_change(bench& with, peer_connection& peer) {
  co_await start(peer);
  co_await with.resolver->until_asked(2);
  const auto errors = peer.ice_candidate_errors();
  with.resolver->find_nothing();
  for (int i = 0; i < 2; ++i) {
    const auto error = co_await errors.async_next();
    REQUIRE(error);
  }
  co_await change(with, peer, 2);
  co_await with.resolver->until_asked(4);
  with.resolver->answer(own_network::address_of(1));
  const auto connection = co_await with.until_servers_asked();
  // From now on they are known.
  co_await change(with, peer, 3);
  CHECK(with.resolver->asked() == 4);
  CHECK(connection.is_open());
  co_await peer.async_close();
}

asio::awaitable<void> change_before_answer(bench& with, peer_connection& peer) {
  co_await start(peer);
  co_await with.resolver->until_asked(2);
  co_await change(with, peer, 2);
  CHECK(with.resolver->asked() == 2);
  with.resolver->find_nothing();
  co_await with.resolver->until_asked(4);
  with.resolver->answer(own_network::address_of(1));
  const auto connection = co_await with.until_servers_asked();
  CHECK(connection.is_open());
  co_await peer.async_close();
}

asio::awaitable<void> find_names_after_restart(bench& with, peer_pair& peers) {
  auto channel = peers.first.create_data_channel("any");
  co_await with.resolver->until_asked(2);
  with.resolver->find_nothing();
  co_await channel.async_open();
  peers.first.restart_ice();
  co_await with.resolver->until_asked(4);
  with.resolver->answer(own_network::address_of(1));
  const auto connection = co_await with.until_servers_asked();
  CHECK(connection.is_open());
  co_await close_both(peers.first, peers.second);
}

asio::awaitable<void> change_while_connecting(bench& with, peer_connection& peer) {
  co_await start(peer);
  auto silent = co_await with.streams->async_accept(asio::use_awaitable);
  co_await change(with, peer, 2);
  auto next = co_await with.streams->async_accept(asio::use_awaitable);
  CHECK(next.is_open());
  co_await peer.async_close();
}

}  // namespace

TEST_CASE("names of servers that had no address are looked up again when the network changes") {
  bench with;
  peer_connection peer(with.context, with.asking("late.example"));
  run(with.context, find_names_after_change(with, peer));
}

TEST_CASE("a look-up that fails after the network has changed is made once more") {
  bench with;
  peer_connection peer(with.context, with.asking("late.example"));
  run(with.context, change_before_answer(with, peer));
}

TEST_CASE("names of servers that had no address are looked up again by an ICE restart") {
  bench with;
  peer_pair peers(with.context.get_executor(), with.asking("late.example"), configuration());
  run(with.context, find_names_after_restart(with, peers));
}

TEST_CASE("a TURN server that takes no connection is tried once more where the network changed") {
  bench with;
  configuration config;
  config.ice_servers.emplace_back("turns:" + own_network::address_of(1) + ":" +
                                  std::to_string(with.streams->local_endpoint().port()));
  config.ice_servers.back().username = config.ice_servers.back().credential = "any";
  config.timeouts.turn_connect = 500ms;
  peer_connection peer(with.context, config);
  run(with.context, change_while_connecting(with, peer));
}

}  // namespace asiortc::test

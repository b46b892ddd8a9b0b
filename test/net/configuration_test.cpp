// What of a configuration may change, and when that counts (webrtc-pc 4.4.1.6).
#include "net/peer_pair.hpp"
#include "net/served_socket.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <functional>
#include <string>
#include <vector>

namespace asiortc::test {
namespace {

using namespace std::chrono_literals;

bool on_loopback(const interface_address& each) { return each.address == "127.0.0.1"; }

configuration local_configuration() {
  configuration config;
  config.interface_filter = on_loopback;
  return config;
}

/// The local description once gathering is complete.
asio::awaitable<std::string> gathered(peer_connection& peer) {
  auto states = peer.ice_gathering_states();
  while (peer.ice_gathering_state() != ice_gathering_state::complete) {
    auto change = co_await states.async_next();
    REQUIRE(change.has_value());
  }
  co_return peer.local_description()->sdp;
}

bool tells(const std::string& description, const std::string& text) {
  return description.find(text) != std::string::npos;
}

asio::awaitable<void> exchange_descriptions(peer_connection& offerer, peer_connection& answerer) {
  co_await offerer.async_set_local_description();
  const auto offer = offerer.local_description();
  co_await answerer.async_set_remote_description(*offer);
  co_await answerer.async_set_local_description();
  const auto answer = answerer.local_description();
  co_await offerer.async_set_remote_description(*answer);
}

asio::awaitable<void> use_new_servers(asio::io_context& context) {
  stun_server first(context, "198.51.100.7");
  stun_server second(context, "203.0.113.7");
  stun_server third(context, "192.0.2.7");
  auto config = local_configuration();
  config.ice_servers.emplace_back(first.socket.url("stun"));
  peer_connection peer(context.get_executor(), config);
  peer_connection other(context.get_executor(), local_configuration());
  auto channel = peer.create_data_channel("any");

  config.ice_servers = {ice_server(second.socket.url("stun"))};
  peer.set_configuration(config);
  CHECK(peer.configuration().ice_servers == config.ice_servers);
  co_await exchange_descriptions(peer, other);
  auto told = co_await gathered(peer);
  CHECK(tells(told, "203.0.113.7"));
  CHECK_FALSE(tells(told, "198.51.100.7"));
  CHECK(first.answered == 0);

  config.ice_servers = {ice_server(third.socket.url("stun"))};
  peer.set_configuration(config);
  CHECK(third.answered == 0);
  peer.restart_ice();
  co_await exchange_descriptions(peer, other);
  told = co_await gathered(peer);
  CHECK(tells(told, "192.0.2.7"));
  CHECK_FALSE(tells(told, "203.0.113.7"));
  co_await close_both(peer, other);
}

asio::awaitable<void> gather_a_pool_anew(asio::io_context& context) {
  stun_server first(context, "198.51.100.7");
  stun_server second(context, "203.0.113.7");
  auto config = local_configuration();
  config.ice_servers.emplace_back(first.socket.url("stun"));
  config.ice_candidate_pool_size = 1;
  peer_connection peer(context.get_executor(), config);
  config.ice_servers = {ice_server(second.socket.url("stun"))};
  peer.set_configuration(config);
  auto channel = peer.create_data_channel("any");
  co_await peer.async_set_local_description();
  const auto told = co_await gathered(peer);
  CHECK(tells(told, "203.0.113.7"));
  CHECK_FALSE(tells(told, "198.51.100.7"));
  co_await peer.async_close();
}

asio::awaitable<void> expect_echo(data_channel& channel, data_channel& remote, std::string text) {
  co_await channel.async_send(text);
  auto arrived = co_await remote.async_receive();
  REQUIRE(arrived.has_value());
  CHECK(arrived->text() == text);
}

asio::awaitable<void> until_relayed_over(peer_connection& peer, std::string address) {
  auto pairs = peer.selected_candidate_pairs();
  for (;;) {
    auto pair = co_await pairs.async_next();
    REQUIRE(pair.has_value());
    if (pair->local.type == candidate_type::relayed && pair->local.address == address) co_return;
  }
}

asio::awaitable<void> until(asio::io_context& context, std::function<bool()> holds) {
  asio::steady_timer timer(context);
  for (int i = 0; i < 3000 && !holds(); ++i) {
    timer.expires_after(10ms);
    co_await timer.async_wait(asio::deferred);
  }
  CHECK(holds());
}

asio::awaitable<void> move_to_other_relay(asio::io_context& context) {
  turn_internet internet;
  served_turn first(context, internet, "198.51.100.1");
  served_turn second(context, internet, "198.51.100.2");
  auto config = local_configuration();
  config.ice_transport_policy = ice_transport_policy::relay;
  config.ice_servers = {first.entry()};
  config.timeouts.consent = 1s;  // as long as the old pair is kept after a restart
  config.timeouts.consent_interval = 100ms;
  peer_pair pair(context.get_executor(), config);
  auto channel = pair.first.create_data_channel("any");
  auto incoming = pair.second.data_channels();
  auto remote = co_await incoming.async_next();
  REQUIRE(remote.has_value());
  co_await channel.async_open();
  co_await expect_echo(channel, *remote, "over the first");
  CHECK(second.server.allocations(io::clock_now()) == 0);

  config.ice_servers = {second.entry()};
  pair.first.set_configuration(config);
  pair.second.set_configuration(config);
  co_await expect_echo(channel, *remote, "still over the first");
  pair.first.restart_ice();
  co_await until_relayed_over(pair.first, "198.51.100.2");
  co_await until_relayed_over(pair.second, "198.51.100.2");
  co_await expect_echo(channel, *remote, "over the second");
  co_await until(context, [&] { return first.server.allocations(io::clock_now()) == 0; });
  CHECK(second.server.allocations(io::clock_now()) >= 2);
  co_await expect_echo(channel, *remote, "and without the first");
  co_await close_both(pair.first, pair.second);
}

asio::awaitable<void> change_the_policy(asio::io_context& context) {
  turn_internet internet;
  served_turn server(context, internet, "198.51.100.1");
  auto config = local_configuration();
  config.ice_servers = {server.entry()};
  peer_connection peer(context.get_executor(), config);
  peer_connection other(context.get_executor(), local_configuration());
  auto channel = peer.create_data_channel("any");
  co_await exchange_descriptions(peer, other);
  auto told = co_await gathered(peer);
  CHECK(tells(told, "typ host"));
  CHECK(tells(told, "typ relay"));
  config.ice_transport_policy = ice_transport_policy::relay;
  peer.set_configuration(config);
  peer.restart_ice();
  co_await exchange_descriptions(peer, other);
  told = co_await gathered(peer);
  CHECK_FALSE(tells(told, "typ host"));
  CHECK(tells(told, "typ relay"));
  config.ice_transport_policy = ice_transport_policy::all;
  peer.set_configuration(config);
  peer.restart_ice();
  co_await exchange_descriptions(peer, other);
  told = co_await gathered(peer);
  CHECK(tells(told, "typ host"));
  CHECK(tells(told, "typ relay"));
  co_await close_both(peer, other);
}

errc refusal(peer_connection& peer, const std::string& field,
             const std::function<void(configuration&)>& change) {
  auto config = peer.configuration();
  change(config);
  try {
    peer.set_configuration(config);
  } catch (const error& thrown) {
    CHECK(std::string(thrown.what()).find(field) != std::string::npos);
    CHECK(peer.configuration().ice_servers.empty());
    return static_cast<errc>(thrown.code().value());
  }
  FAIL("accepted: " << field);
  return errc::closed;
}

}  // namespace

TEST_CASE(
    "servers that are set later are asked at the next gathering, and those of before no more") {
  asio::io_context context;
  run(context, use_new_servers(context));
}

TEST_CASE("a pool is gathered anew from servers that are set before a description") {
  asio::io_context context;
  run(context, gather_a_pool_anew(context));
}

TEST_CASE("data moves to a relay of another server by a restart, and the old one is given back") {
  asio::io_context context;
  run(context, move_to_other_relay(context));
}

TEST_CASE("the transport policy counts from the next restart on") {
  asio::io_context context;
  run(context, change_the_policy(context));
}

TEST_CASE("what cannot change is refused by name, and nothing has changed then") {
  asio::io_context context;
  auto given = local_configuration();
  given.certificates = {
      certificate::generate(certificate_options(std::chrono::system_clock::now()))};
  peer_connection peer(context.get_executor(), given);
  constexpr auto modified = errc::invalid_modification;
  const auto with_server = [](configuration& c) { c.ice_servers.emplace_back("stun:192.0.2.1"); };
  CHECK(refusal(peer, "certificates", [&](configuration& c) {
          with_server(c);
          c.certificates = {
              certificate::generate(certificate_options(std::chrono::system_clock::now()))};
        }) == modified);
  CHECK(refusal(peer, "bundle_policy", [&](configuration& c) {
          with_server(c);
          c.bundle_policy = bundle_policy::max_bundle;
        }) == modified);
  CHECK(refusal(peer, "timeouts", [](configuration& c) { c.timeouts.consent = 7s; }) == modified);
  CHECK(refusal(peer, "port_max", [](configuration& c) { c.port_max = 4000; }) == modified);
  CHECK(refusal(peer, "ice_tcp", [](configuration& c) { c.ice_tcp = true; }) == modified);
  CHECK(refusal(peer, "receive_budget", [](configuration& c) { c.receive_budget *= 2; }) ==
        modified);
  CHECK(refusal(peer, "stun:192.0.2.1:x", [](configuration& c) {
          c.ice_servers.emplace_back("stun:192.0.2.1:x");
        }) == errc::syntax_error);
  CHECK(refusal(peer, "turn:192.0.2.1", [](configuration& c) {
          c.ice_servers.emplace_back("turn:192.0.2.1");
        }) == errc::invalid_access);

  auto changed = peer.configuration();
  changed.ice_candidate_pool_size = 1;
  changed.certificates.clear();  // those of before
  peer.set_configuration(changed);
  CHECK(peer.configuration().certificates == given.certificates);
  run(context, [](peer_connection& one) -> asio::awaitable<void> {
    auto channel = one.create_data_channel("any");
    co_await one.async_set_local_description();
  }(peer));
  CHECK(refusal(peer, "ice_candidate_pool_size",
                [](configuration& c) { c.ice_candidate_pool_size = 0; }) == modified);
  peer.close();
  context.restart();
  context.run();
  CHECK(refusal(peer, "closed", [](configuration&) {}) == errc::invalid_state);
}

}  // namespace asiortc::test

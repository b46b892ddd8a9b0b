// STUN and TURN servers as seen by peers that share one port.
#include "net/mux_support.hpp"
#include "net/served_socket.hpp"

#include <doctest/doctest.h>

#include <deque>
#include <set>
#include <string>
#include <vector>

namespace asiortc::test {
namespace {

asio::awaitable<void> gather(peer_connection& peer, std::set<std::string>& reflexive) {
  auto candidates = peer.ice_candidates();
  auto channel = peer.create_data_channel("any");
  co_await peer.async_set_local_description();
  for (;;) {
    auto candidate = co_await candidates.async_next();
    REQUIRE(candidate.has_value());
    const std::string text = candidate->candidate;
    if (text.empty()) co_return;
    if (text.find("198.51.100.7") != std::string::npos) reflexive.insert(text);
  }
}

}  // namespace

TEST_CASE("peers on one port that ask one server at once each get their own answer") {
  asio::io_context context;
  stun_server server(context);
  const auto mux = make_mux(context.get_executor(), "127.0.0.1");
  auto config = through(mux);
  config.ice_servers.emplace_back(server.socket.url("stun"));
  constexpr std::size_t count = 10;
  server.batch = count;
  std::deque<peer_connection> peers;
  std::vector<std::set<std::string>> reflexive(count);
  std::size_t done = 0;
  for (std::size_t i = 0; i < count; ++i) {
    auto& peer = peers.emplace_back(context.get_executor(), config);
    asio::co_spawn(context, gather(peer, reflexive[i]), [&](std::exception_ptr thrown) {
      CHECK_FALSE(thrown);
      ++done;
    });
  }
  while (done < count && context.run_one() != 0) {
  }
  std::set<std::string> all;
  for (const auto& each : reflexive) {
    CHECK(each.size() == 1);
    all.insert(each.begin(), each.end());
  }
  CHECK(all.size() == count);
  CHECK(server.askers == std::set<std::uint16_t>{mux->port()});
  CHECK(mux->counters().unknown_dropped == 0);
  CHECK(mux->counters().remote_addresses == 0);  // a server is no peer
}

TEST_CASE("each peer asks a TURN server from a port of its own, and the data goes through it") {
  asio::io_context context;
  turn_internet internet;
  served_turn server(context, internet, "198.51.100.1");
  const auto mux = make_mux(context.get_executor(), "127.0.0.1");
  auto config = through(mux);
  config.ice_transport_policy = ice_transport_policy::relay;
  config.ice_servers.push_back(server.entry());
  peer_pair pair(context.get_executor(), config);
  asio::co_spawn(context, echo(pair.second), [](std::exception_ptr) {});
  run(context, exchange(pair.first, "relayed", 5));
  const auto selected = pair.first.selected_candidate_pair();
  REQUIRE(selected.has_value());
  CHECK(selected->local.type == candidate_type::relayed);
  CHECK(server.clients.size() >= 2);
  CHECK_FALSE(server.clients.contains(mux->port()));
  run(context, close_pair(pair));
}

}  // namespace asiortc::test

#include "check_sender.hpp"

using namespace asiortc;
using namespace asiortc::test;

namespace {

base::endpoint numbered(int i) {
  return {base::ip_address::v4(
              {10, 1, static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i)}),
          static_cast<std::uint16_t>(1 + i % 60000)};
}

}  // namespace

TEST_CASE("a hundred thousand signalled candidates make a hundred pairs") {
  check_sender peer;
  peer.host.add_socket(ep("10.0.0.1:1001"));
  peer.start();
  int refused = 0;
  for (int i = 0; i < 100000; ++i) {
    ice::candidate remote;
    remote.foundation = std::to_string(i % 7);
    remote.priority = static_cast<std::uint32_t>(i);
    remote.address = numbered(i);
    const auto added = peer.host.agent.add_remote_candidate(peer.net.now, remote);
    if (!added) {
      CHECK(added.error().code == errc::limit_reached);
      ++refused;
    }
  }
  CHECK(refused == 100000 - 100);
  CHECK(peer.host.agent.pairs().size() == 100);
  peer.run_for(300s);
  CHECK(peer.host.agent.state() == ice::agent_state::failed);
}

TEST_CASE("a hundred thousand checks from as many addresses are bounded, and answered") {
  check_sender peer;
  SUBCASE("after the credentials") { peer.start(); }
  SUBCASE("before the credentials") {}
  auto& host = peer.host;
  for (int i = 0; i < 100000; ++i) {
    auto message = peer.build(peer.request());
    base::datagram datagram;
    datagram.bytes = message;
    datagram.from = {base::socket_id{1}, numbered(i)};
    host.agent.handle_datagram(peer.net.now, datagram);
    if (i % 1000 == 0) host.pump();
  }
  peer.start();
  CHECK(host.agent.pairs().size() <= 100);
  CHECK(host.agent.pairs().size() >= 32);
  // Triggered checks run ahead of the pace only by a handful.
  CHECK(host.requests_sent() <= 12);
}

TEST_CASE("a better candidate takes the place of the worst waiting pair") {
  ice::agent_settings settings;
  settings.max_pairs = 3;
  check_sender peer(settings);
  for (std::uint32_t i = 1; i <= 5; ++i) {
    ice::candidate remote;
    remote.foundation = std::to_string(i);
    remote.priority = i;
    remote.address = numbered(static_cast<int>(i));
    CHECK(peer.host.agent.add_remote_candidate(peer.net.now, remote).has_value());
  }
  const auto rows = peer.host.agent.pairs();
  REQUIRE(rows.size() == 3);
  CHECK(rows[0].remote.priority == 5);
  CHECK(rows[2].remote.priority == 3);
  CHECK(rows[0].priority > rows[1].priority);
}

TEST_CASE("checks are paced at one in 50 ms") {
  check_sender peer;
  peer.start();
  for (int i = 0; i < 20; ++i) {
    ice::candidate remote;
    remote.foundation = std::to_string(i);
    remote.priority = 1;
    remote.address = numbered(i);
    CHECK(peer.host.agent.add_remote_candidate(peer.net.now, remote).has_value());
  }
  peer.host.pump();
  CHECK(peer.host.requests_sent() == 1);
  peer.run_for(449ms);
  CHECK(peer.host.requests_sent() == 9);
}

TEST_CASE("sockets and servers are bounded") {
  check_sender peer;
  for (int i = 0; i < 100; ++i) {
    peer.host.add_socket({*base::ip_address::parse("10.2.0.1"), static_cast<std::uint16_t>(1 + i)});
    peer.host.agent.add_stun_server(peer.net.now, numbered(i));
  }
  CHECK(peer.host.candidates.size() == 64);
}

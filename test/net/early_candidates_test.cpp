// Candidates that overtake the description they belong to.
#include "net/peer_pair.hpp"
#include "net/tapped_pipe.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <variant>

namespace asiortc::test {
namespace {

configuration on_loopback() {
  configuration config;
  config.interface_filter = [](const interface_address& each) {
    return each.address == "127.0.0.1";
  };
  return config;
}

bool ends_candidates(const peer_signal& signal) {
  const auto* candidate = std::get_if<ice_candidate>(&signal);
  return candidate != nullptr && candidate->candidate.empty();
}

asio::awaitable<void> open_and_close(peer_connection& first, peer_connection& second) {
  auto channel = first.create_data_channel("early");
  co_await channel.async_open();
  co_await close_both(first, second);
}

/// `pipe` leads to the negotiation of `peer`.
asio::awaitable<void> overtake_offer(peer_connection& peer, peer_connection& offerer,
                                     signaling_pipe& pipe) {
  for (int port = 1001; port <= 1070; ++port) {
    const std::string line = "candidate:1 1 udp 1 127.0.0.1 " + std::to_string(port) + " typ host";
    CHECK(pipe.send(ice_candidate(line, "0")));
  }
  auto channel = offerer.create_data_channel("early");
  auto offer = co_await offerer.async_create_offer();
  CHECK(pipe.send(offer));
  std::optional<peer_signal> answered;
  do {
    answered = co_await pipe.async_receive();
    REQUIRE(answered.has_value());
  } while (!ends_candidates(*answered));
  std::set<std::uint16_t> known;
  const auto pairs = co_await peer.async_candidate_pairs();
  for (const auto& pair : pairs) known.insert(pair.remote.port);
  REQUIRE(known.size() == 64);
  CHECK(*known.begin() == 1001);
  CHECK(*known.rbegin() == 1064);
  co_await close_both(peer, offerer);
}

}  // namespace

TEST_CASE("candidates that overtake their offer are used once it comes") {
  asio::io_context context;
  const auto ends = make_signaling_pipe_pair(context.get_executor());
  peer_connection first(context, on_loopback());
  peer_connection second(context, on_loopback());
  std::optional<peer_signal> offer;
  const auto offering = std::make_shared<tapped_pipe>(ends.first, [&](peer_signal& signal) {
    if (std::holds_alternative<session_description>(signal)) {
      offer = signal;
      return false;
    }
    if (!ends_candidates(signal)) return true;
    ends.first->send(signal);
    ends.first->send(*offer);
    return false;
  });
  // Of its own the answerer tells none, so that its checks alone can make a pair.
  const auto answering = std::make_shared<tapped_pipe>(ends.second, [](peer_signal& signal) {
    const auto* answer = std::get_if<session_description>(&signal);
    if (answer != nullptr) CHECK(answer->sdp.find("a=candidate:") == std::string::npos);
    return answer != nullptr;
  });
  const auto first_session = negotiate(first, offering);
  const auto second_session = negotiate(second, answering);
  run(context, open_and_close(first, second));
}

TEST_CASE("of the candidates that overtake an offer the first 64 are kept") {
  asio::io_context context;
  const auto ends = make_signaling_pipe_pair(context.get_executor());
  peer_connection peer(context, on_loopback());
  peer_connection offerer(context, on_loopback());
  const auto session = negotiate(peer, ends.second);
  run(context, overtake_offer(peer, offerer, *ends.first));
}

}  // namespace asiortc::test

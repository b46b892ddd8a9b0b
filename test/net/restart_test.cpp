// ICE restarts between real peers.
#include "net/peer_pair.hpp"
#include "net/tapped_pipe.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <variant>

namespace asiortc::test {
namespace {

/// Lets candidates through only where it is open.
std::shared_ptr<signaling_pipe> gate(const bool& open, std::shared_ptr<signaling_pipe> end) {
  return std::make_shared<tapped_pipe>(std::move(end), [&open](peer_signal& value) {
    if (open) return true;
    auto* description = std::get_if<session_description>(&value);
    if (description == nullptr) return false;
    std::string& sdp = description->sdp;
    for (auto at = sdp.find("a=candidate:"); at != std::string::npos;
         at = sdp.find("a=candidate:")) {
      sdp.erase(at, sdp.find('\n', at) + 1 - at);
    }
    return true;
  });
}

asio::awaitable<void> until(peer_connection& peer, connection_state wanted) {
  auto changes = peer.connection_states();
  while (peer.connection_state() != wanted) {
    auto change = co_await changes.async_next();
    REQUIRE(change.has_value());
  }
}

asio::awaitable<void> fail_and_recover(peer_connection& first, peer_connection& second,
                                       bool& open) {
  auto early = first.create_data_channel("early");
  co_await until(first, connection_state::failed);
  co_await until(second, connection_state::failed);
  CHECK(first.end_reason() == errc::no_remote_candidates);
  open = true;
  first.restart_ice();
  auto late = first.create_data_channel("late");
  co_await early.async_open();
  co_await late.async_open();
  CHECK(first.connection_state() == connection_state::connected);
  co_await close_both(first, second);
}

}  // namespace

TEST_CASE("a connection that failed can be saved by an ICE restart, and given channels before") {
  asio::io_context context;
  const auto [one_end, other_end] = make_signaling_pipe_pair(context.get_executor());
  bool open = false;
  configuration config;
  config.timeouts.ice_failed = std::chrono::milliseconds(1000);
  config.timeouts.no_candidates_grace = std::chrono::milliseconds(200);
  peer_connection first(context, config);
  peer_connection second(context, config);
  const auto first_session = negotiate(first, gate(open, one_end));
  const auto second_session = negotiate(second, gate(open, other_end));
  run(context, fail_and_recover(first, second, open));
}

}  // namespace asiortc::test

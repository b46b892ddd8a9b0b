// ICE restarts between real peers.
#include "net/peer_pair.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <memory>
#include <string>

namespace asiortc::test {
namespace {

/// One end of a signaling pipe, which lets candidates through only where it is open.
class gated_pipe final : public signaling_pipe {
 public:
  explicit gated_pipe(std::shared_ptr<signaling_pipe> end) : end_(std::move(end)) {}

  bool open = false;

  bool send(peer_signal value) override {
    if (open) return end_->send(std::move(value));
    if (std::holds_alternative<ice_candidate>(value)) return true;
    auto& description = std::get<session_description>(value);
    for (auto at = description.sdp.find("a=candidate:"); at != std::string::npos;
         at = description.sdp.find("a=candidate:")) {
      description.sdp.erase(at, description.sdp.find('\n', at) + 1 - at);
    }
    return end_->send(std::move(value));
  }
  void close() override { end_->close(); }
  [[nodiscard]] std::optional<bool> polite() const override { return end_->polite(); }

 protected:
  void start_receive(receive_handler handler) override { end_->async_receive(std::move(handler)); }

 private:
  std::shared_ptr<signaling_pipe> end_;
};

asio::awaitable<void> until(peer_connection& peer, connection_state wanted) {
  auto changes = peer.connection_states();
  while (peer.connection_state() != wanted) {
    auto change = co_await changes.async_next();
    REQUIRE(change.has_value());
  }
}

asio::awaitable<void> fail_and_recover(peer_connection& first, peer_connection& second,
                                       gated_pipe& to_second, gated_pipe& to_first) {
  auto early = first.create_data_channel("early");
  co_await until(first, connection_state::failed);
  co_await until(second, connection_state::failed);
  CHECK(first.end_reason() == errc::no_remote_candidates);
  to_first.open = to_second.open = true;
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
  const auto to_second = std::make_shared<gated_pipe>(one_end);
  const auto to_first = std::make_shared<gated_pipe>(other_end);
  configuration config;
  config.timeouts.ice_failed = std::chrono::milliseconds(1000);
  config.timeouts.no_candidates_grace = std::chrono::milliseconds(200);
  peer_connection first(context, config);
  peer_connection second(context, config);
  const auto first_session = negotiate(first, to_second);
  const auto second_session = negotiate(second, to_first);
  run(context, fail_and_recover(first, second, *to_second, *to_first));
}

}  // namespace asiortc::test

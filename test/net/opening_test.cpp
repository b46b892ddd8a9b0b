// What async_open tells where the channel ends before it is open.
#include "net/peer_pair.hpp"

#include <doctest/doctest.h>

#include <optional>
#include <string>

namespace asiortc::test {
namespace {

constexpr auto with_code = asio::as_tuple(asio::deferred);

/// One wait that began while the channel was connecting.
class early_wait {
 public:
  explicit early_wait(data_channel& channel) {
    channel.async_open([this](boost::system::error_code code) { told_ = code; });
  }
  early_wait(const early_wait&) = delete;
  early_wait& operator=(const early_wait&) = delete;

  [[nodiscard]] const std::optional<boost::system::error_code>& told() const { return told_; }

 private:
  std::optional<boost::system::error_code> told_;
};

/// What the state of the channel gives as the reason of its end.
asio::awaitable<boost::system::error_code> end_of(data_channel& channel) {
  const auto states = channel.states();
  for (;;) {
    auto [ended, change] = co_await states.async_next(with_code);
    if (!change) throw std::logic_error("the channel never closed");
    if (change->state == data_channel_state::closed) co_return change->reason;
  }
}

/// That a wait from before the end and one from after it give the same reason.
asio::awaitable<void> check_reason(data_channel& channel, const early_wait& early,
                                   boost::system::error_code expected) {
  auto [late] = co_await channel.async_open(with_code);
  CHECK(late == expected);
  REQUIRE(early.told().has_value());
  CHECK(*early.told() == expected);
}

std::string with_fingerprint_of(const certificate& other, std::string sdp) {
  constexpr std::string_view name = "a=fingerprint:sha-256 ";
  const auto at = sdp.find(name);
  REQUIRE(at != std::string::npos);
  const auto value = other.fingerprints().front().value;
  return sdp.replace(at + name.size(), value.size(), value);
}

/// Joins both, but that the first expects the certificate of a stranger.
asio::awaitable<void> join_with_a_stranger(peer_connection& first, peer_connection& second) {
  co_await first.async_set_local_description();
  auto offer = *first.local_description();
  co_await second.async_set_remote_description(offer);
  co_await second.async_set_local_description();
  auto answer = *second.local_description();
  const auto stranger =
      certificate::generate(certificate_options(std::chrono::system_clock::now()));
  answer.sdp = with_fingerprint_of(stranger, answer.sdp);
  co_await first.async_set_remote_description(answer);
}

asio::awaitable<void> pass_candidates(event_stream<ice_candidate> from, peer_connection& to) {
  for (;;) {
    auto [ended, candidate] = co_await from.async_next(with_code);
    if (!candidate) co_return;
    co_await to.async_add_ice_candidate(*candidate, with_code);
  }
}

asio::awaitable<void> fail_before_opening(peer_connection& first, peer_connection& second) {
  const auto executor = co_await asio::this_coro::executor;
  auto channel = first.create_data_channel("never");
  const early_wait early(channel);
  co_await join_with_a_stranger(first, second);
  asio::co_spawn(executor, pass_candidates(first.ice_candidates(), second), asio::detached);
  asio::co_spawn(executor, pass_candidates(second.ice_candidates(), first), asio::detached);
  const auto reason = co_await end_of(channel);
  CHECK(reason == errc::fingerprint_mismatch);
  co_await check_reason(channel, early, errc::fingerprint_mismatch);
  co_await close_both(first, second);
}

asio::awaitable<void> abort_before_opening(peer_connection& peer) {
  auto channel = peer.create_data_channel("never");
  const early_wait early(channel);
  peer.close();
  const auto reason = co_await end_of(channel);
  CHECK(reason == errc::closed);
  co_await check_reason(channel, early, errc::closed);
}

asio::awaitable<void> close_before_opening(peer_connection& peer) {
  auto channel = peer.create_data_channel("never");
  const early_wait early(channel);
  channel.close();
  const auto reason = co_await end_of(channel);
  CHECK_FALSE(reason);
  co_await check_reason(channel, early, errc::invalid_state);
  co_await peer.async_close();
}

data_channel_init negotiated(std::uint16_t id) {
  data_channel_init init;
  init.negotiated = true;
  init.id = id;
  return init;
}

asio::awaitable<void> use_ids_twice(peer_pair& pair) {
  auto in_band = pair.first.create_data_channel("in band");
  co_await in_band.async_open();
  const auto own = pair.first.create_data_channel("negotiated", negotiated(100));
  try {
    const auto again = pair.first.create_data_channel("again", negotiated(100));
    FAIL("accepted");
  } catch (const error& refused) {
    CHECK(refused.code() == errc::operation_error);
    CHECK(std::string(refused.what()).find("id 100 is in use") != std::string::npos);
  }
  const auto taken = in_band.id().value();
  auto second = pair.first.create_data_channel("second", negotiated(taken));
  const early_wait early(second);
  const auto reason = co_await end_of(second);
  CHECK(reason == errc::operation_error);
  co_await check_reason(second, early, errc::operation_error);
  CHECK(pair.first.last_error_detail() == "id " + std::to_string(taken) + " is in use");
  CHECK(in_band.state() == data_channel_state::open);
  co_await close_both(pair.first, pair.second);
}

}  // namespace

TEST_CASE("async_open gives the reason for which the connection failed") {
  asio::io_context context;
  peer_connection first(context);
  peer_connection second(context);
  run(context, fail_before_opening(first, second));
}

TEST_CASE("async_open gives the reason where the connection is aborted") {
  asio::io_context context;
  peer_connection peer(context);
  run(context, abort_before_opening(peer));
}

TEST_CASE("async_open gives invalid_state where the channel is closed in good order") {
  asio::io_context context;
  peer_connection peer(context);
  run(context, close_before_opening(peer));
}

TEST_CASE(
    "the id of a negotiated channel is refused at once, that of one in band by the channel's end") {
  asio::io_context context;
  peer_pair pair(context.get_executor());
  run(context, use_ids_twice(pair));
}

}  // namespace asiortc::test

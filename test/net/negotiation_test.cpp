// A negotiation after another: what was stopped or lost its pipe, over the next one.
#include "net/peer_pair.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <variant>

namespace asiortc::test {
namespace {

using pipe_ptr = std::shared_ptr<signaling_pipe>;

/// One side's pipe, whose far end is in the test's hands.
struct held_pipe {
  explicit held_pipe(const asio::any_io_executor& executor)
      : held_pipe(make_signaling_pipe_pair(executor)) {}
  explicit held_pipe(std::pair<pipe_ptr, pipe_ptr> ends)
      : near(std::move(ends.first)), far(std::move(ends.second)) {}

  pipe_ptr near;
  pipe_ptr far;
};

asio::awaitable<session_description> next_description(signaling_pipe& pipe) {
  for (;;) {
    auto value = co_await pipe.async_receive(asio::use_awaitable);
    if (!value) throw std::runtime_error("the pipe has ended");
    if (auto* const description = std::get_if<session_description>(&*value)) {
      co_return std::move(*description);
    }
  }
}

asio::awaitable<void> reach(peer_connection& peer, signaling_state wanted) {
  const auto states = peer.signaling_states();
  while (peer.signaling_state() != wanted) co_await states.async_next();
}

asio::awaitable<void> connect(peer_pair& pair) {
  auto channel = pair.first.create_data_channel("first");
  co_await channel.async_open();
  co_await reach(pair.first, signaling_state::stable);
  co_await reach(pair.second, signaling_state::stable);
}

std::string ufrag_of(const peer_connection& peer) {
  const std::string sdp = peer.current_local_description()->sdp;
  const auto begin = sdp.find("a=ice-ufrag:");
  return sdp.substr(begin, sdp.find('\r', begin) - begin);
}

/// The first restarts; its offer is lost with the pipe, or the answer is.
asio::awaitable<void> lose_a_restart(peer_pair& pair, bool answer_is_lost, negotiation_role role) {
  const auto executor = co_await asio::this_coro::executor;
  co_await connect(pair);
  pair.first_session.stop();
  pair.second_session.stop();
  const auto before = ufrag_of(pair.first);
  const held_pipe of_first(executor);
  const held_pipe of_second(executor);
  auto first_session = negotiate(pair.first, of_first.near, role);
  auto second_session = negotiate(pair.second, of_second.near, role);
  pair.first.restart_ice();
  auto offer = co_await next_description(*of_first.far);
  CHECK(offer.type == sdp_type::offer);
  if (answer_is_lost) {
    of_second.far->send(peer_signal(std::move(offer)));
    const auto answer = co_await next_description(*of_second.far);
    CHECK(answer.type == sdp_type::answer);
  }
  of_first.far->close();
  of_second.far->close();
  co_await first_session.async_wait(asio::as_tuple(asio::use_awaitable));
  co_await second_session.async_wait(asio::as_tuple(asio::use_awaitable));
  CHECK(pair.first.signaling_state() == signaling_state::have_local_offer);

  const bool impolite = role == negotiation_role::impolite;
  const auto [first_end, second_end] = make_signaling_pipe_pair(executor);
  first_session = negotiate(pair.first, first_end, role);
  second_session = negotiate(pair.second, second_end,
                             impolite ? negotiation_role::polite : negotiation_role::impolite);
  co_await reach(pair.first, signaling_state::stable);
  CHECK(ufrag_of(pair.first) != before);
  // The other side can restart, too.
  const auto taken = ufrag_of(pair.first);
  const auto answers = pair.first.signaling_states();
  pair.second.restart_ice();
  while (ufrag_of(pair.first) == taken) co_await answers.async_next();
  CHECK(pair.first.connection_state() == connection_state::connected);
  co_await close_both(pair.first, pair.second);
}

asio::awaitable<void> answer_what_is_there(peer_connection& first, peer_connection& second) {
  const auto executor = co_await asio::this_coro::executor;
  auto channel = first.create_data_channel("first");
  co_await first.async_set_local_description();
  const auto offer = first.local_description();
  REQUIRE(offer.has_value());
  co_await second.async_set_remote_description(*offer);
  const auto [first_end, second_end] = make_signaling_pipe_pair(executor);
  const auto second_session = negotiate(second, second_end);
  const auto answer = co_await next_description(*first_end);
  CHECK(answer.type == sdp_type::answer);
  CHECK(second.signaling_state() == signaling_state::stable);
  const auto first_session = negotiate(first, first_end);
  first_end->close();
  co_await close_both(first, second);
}

asio::awaitable<void> negotiate_again(peer_pair& pair) {
  co_await connect(pair);
  // The need of this may come to the negotiation while it is being stopped.
  pair.first.restart_ice();
  pair.first_session.stop();
  const auto [near, far] = make_signaling_pipe_pair(co_await asio::this_coro::executor);
  pair.first_session = negotiate(pair.first, near);
  const auto offer = co_await next_description(*far);
  CHECK(offer.type == sdp_type::offer);
  CHECK_THROWS_AS(static_cast<void>(negotiate(pair.first, near)), error);
  // The peers are connected, so the end of this pipe ends the negotiation alone.
  far->close();
  co_await pair.first_session.async_wait(asio::as_tuple(asio::use_awaitable));
  CHECK(pair.first.connection_state() == connection_state::connected);
  // And the streams are the user's again.
  pair.first.restart_ice();
  co_await pair.first.async_set_local_description();
  const session_description rollback(sdp_type::rollback, "");
  co_await pair.first.async_set_local_description(rollback);
  co_await pair.first.negotiation_needed().async_next();
  co_await close_both(pair.first, pair.second);
}

}  // namespace

TEST_CASE("negotiate: what was lost with a pipe is sent again over the next one") {
  asio::io_context context;
  peer_pair pair(context.get_executor());
  const auto role = negotiation_role::polite;
  SUBCASE("the offer of the polite side") { run(context, lose_a_restart(pair, false, role)); }
  SUBCASE("the answer to it") { run(context, lose_a_restart(pair, true, role)); }
}

TEST_CASE("negotiate: what the impolite side lost is sent again, too") {
  asio::io_context context;
  peer_pair pair(context.get_executor());
  const auto role = negotiation_role::impolite;
  SUBCASE("its offer") { run(context, lose_a_restart(pair, false, role)); }
  SUBCASE("the answer to it") { run(context, lose_a_restart(pair, true, role)); }
}

TEST_CASE("negotiate: an offer that was set before it began is answered") {
  asio::io_context context;
  peer_connection first(context);
  peer_connection second(context);
  run(context, answer_what_is_there(first, second));
}

TEST_CASE("negotiate: another begins as soon as one is stopped, and its end leaves a connection") {
  asio::io_context context;
  peer_pair pair(context.get_executor());
  run(context, negotiate_again(pair));
}

}  // namespace asiortc::test

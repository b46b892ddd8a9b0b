// What a negotiation does with descriptions that are refused, and who the other side proves to be.
#include "net/peer_pair.hpp"

#include <doctest/doctest.h>

#include <string>

namespace asiortc::test {
namespace {

session_description broken_offer() {
  return session_description(sdp_type::offer,
                             "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\nm=broken\r\n");
}

asio::awaitable<void> be_refused(peer_connection& peer, negotiation& session,
                                 signaling_pipe& other_end) {
  const auto states = peer.connection_states();
  CHECK(other_end.send(broken_offer()));
  auto [code] = co_await session.async_wait(asio::as_tuple(asio::use_awaitable));
  CHECK(code == errc::syntax_error);
  auto change = co_await states.async_next();
  REQUIRE(change.has_value());
  CHECK(change->state == connection_state::closed);
  CHECK(change->reason == errc::syntax_error);
  CHECK(change->detail.find("m=broken") != std::string::npos);
  co_await peer.async_close();
}

asio::awaitable<void> refuse_later(peer_connection& first, peer_connection& second,
                                   signaling_pipe& first_end) {
  auto ours = first.create_data_channel("later");
  auto channels = second.data_channels();
  auto theirs = co_await channels.async_next();
  REQUIRE(theirs.has_value());
  // The other side's negotiation reads this amid what ours sends.
  CHECK(first_end.send(broken_offer()));
  co_await ours.async_send("still here");
  auto heard = co_await theirs->async_receive();
  REQUIRE(heard.has_value());
  CHECK(heard->text() == "still here");
  second.restart_ice();  // the negotiation goes on
  auto pairs = second.selected_candidate_pairs();
  co_await pairs.async_next();
  co_await pairs.async_next();
  CHECK(second.connection_state() == connection_state::connected);
  co_await close_both(first, second);
}

asio::awaitable<void> know_each_other(peer_connection& first, peer_connection& second,
                                      certificate_fingerprint expected) {
  CHECK_FALSE(first.remote_certificate().has_value());
  auto channel = first.create_data_channel("who");
  co_await channel.async_open();
  const auto seen = first.remote_certificate();
  REQUIRE(seen.has_value());
  CHECK(*seen == expected);
  co_await close_both(first, second);
  CHECK(first.remote_certificate() == seen);
}

}  // namespace

TEST_CASE("a description that is refused ends a negotiation that has not connected, and says why") {
  asio::io_context context;
  const auto [own_end, other_end] = make_signaling_pipe_pair(context.get_executor());
  peer_connection peer(context);
  auto session = negotiate(peer, own_end);
  run(context, be_refused(peer, session, *other_end));
}

TEST_CASE("a description that is refused later is left out") {
  asio::io_context context;
  const auto [first_end, second_end] = make_signaling_pipe_pair(context.get_executor());
  peer_connection first(context);
  peer_connection second(context);
  const auto first_session = negotiate(first, first_end);
  const auto second_session = negotiate(second, second_end);
  run(context, refuse_later(first, second, *first_end));
}

TEST_CASE("the certificate that the other side has proved is told") {
  asio::io_context context;
  configuration config;
  config.certificates = {
      certificate::generate(certificate_options(std::chrono::system_clock::now()))};
  peer_pair peers(context.get_executor(), config);
  run(context, know_each_other(peers.first, peers.second,
                               config.certificates.front().fingerprints().front()));
}

}  // namespace asiortc::test

// Promises of the peer connection itself: how it starts, what it tells, how it ends.
#include "net/peer_pair.hpp"
#include "support/foreign_pem.hpp"
#include "support/process_counts.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace asiortc::test {
namespace {

using namespace std::chrono_literals;

constexpr auto with_code = asio::as_tuple(asio::deferred);

certificate make_certificate(certificate_key key = certificate_key::ecdsa_p256) {
  certificate_options options(std::chrono::system_clock::now());
  options.key = key;
  return certificate::generate(options);
}

asio::awaitable<void> connect(peer_pair& pair) {
  auto channel = pair.first.create_data_channel("any");
  co_await channel.async_open();
  auto other = co_await pair.second.data_channels().async_next();
  REQUIRE(other.has_value());
}

template <class State>
std::vector<State> taken(event_stream<state_change<State>> stream) {
  std::vector<State> all;
  while (auto change = stream.try_next()) all.push_back(change->state);
  return all;
}

asio::awaitable<void> see_every_state(peer_pair& pair) {
  co_await connect(pair);
  co_await close_both(pair.first, pair.second);
  const auto connection = taken(pair.first.connection_states());
  CHECK(connection == std::vector{connection_state::connecting, connection_state::connected,
                                  connection_state::closed});
  CHECK(connection.back() == pair.first.connection_state());
  const auto gathering = taken(pair.first.ice_gathering_states());
  CHECK(gathering == std::vector{ice_gathering_state::gathering, ice_gathering_state::complete});
  const auto signaling = taken(pair.first.signaling_states());
  CHECK(signaling == std::vector{signaling_state::have_local_offer, signaling_state::stable,
                                 signaling_state::closed});
  const auto ice = taken(pair.first.ice_connection_states());
  REQUIRE(ice.size() >= 3);
  CHECK(ice.front() == ice_connection_state::checking);
  CHECK(ice.back() == ice_connection_state::closed);
}

asio::awaitable<void> end_every_stream(peer_pair& pair) {
  co_await connect(pair);
  co_await close_both(pair.first, pair.second);
  const auto ends = [](auto stream) {
    while (stream.try_next()) {
    }
    return stream.ended();
  };
  CHECK(ends(pair.first.ice_candidate_errors()));
  CHECK(ends(pair.first.data_channels()));
  CHECK(ends(pair.first.connection_states()));
  CHECK(ends(pair.first.ice_connection_states()));
  CHECK(ends(pair.first.ice_gathering_states()));
  CHECK(ends(pair.first.signaling_states()));
  CHECK(ends(pair.first.selected_candidate_pairs()));
}

asio::awaitable<void> follow_sctp(peer_pair& pair) {
  co_await connect(pair);
  for (const auto* peer : {&pair.first, &pair.second}) {
    const auto sctp = peer->sctp();
    REQUIRE(sctp.has_value());
    CHECK(sctp->state == sctp_transport_state::connected);
    CHECK(sctp->max_channels == std::uint16_t{65535});
    CHECK(sctp->max_message_size == 262144);
  }
  co_await close_both(pair.first, pair.second);
  CHECK(pair.first.sctp()->state == sctp_transport_state::closed);
  CHECK(pair.second.sctp()->state == sctp_transport_state::closed);
}

asio::awaitable<void> candidates_only_after_a_description(peer_connection& peer) {
  auto channel = peer.create_data_channel("any");
  auto candidates = peer.ice_candidates();
  auto wrong = session_description(sdp_type::offer, "v=0\r\n");
  auto [refused] = co_await peer.async_set_local_description(wrong, with_code);
  CHECK(refused == errc::invalid_modification);
  co_await peer.async_create_offer();
  CHECK_FALSE(candidates.try_next());
  CHECK(peer.ice_gathering_state() == ice_gathering_state::new_);
  co_await peer.async_set_local_description();
  auto first = co_await candidates.async_next();
  REQUIRE(first.has_value());
  CHECK(first->sdp_mid == "0");
  CHECK(first->sdp_m_line_index == std::uint16_t{0});
  auto last = first;
  while (!last->candidate.empty()) last = co_await candidates.async_next();
  CHECK(last->sdp_mid == "0");
  CHECK(last->username_fragment == first->username_fragment);
  co_await peer.async_close();
  auto end = co_await candidates.async_next();
  CHECK_FALSE(end.has_value());
}

asio::awaitable<void> close_twice(peer_pair& pair) {
  co_await connect(pair);
  int done = 0;
  const auto count = [&done](boost::system::error_code code) {
    CHECK_FALSE(code);
    ++done;
  };
  pair.first.async_close(count);
  pair.first.async_close(count);
  co_await pair.first.async_close();
  co_await asio::post(co_await asio::this_coro::executor, asio::deferred);
  CHECK(done == 2);
  pair.first.close();
  co_await pair.first.async_close();
  co_await pair.second.async_close();
}

asio::awaitable<void> pin(const certificate& own, const certificate& of_other) {
  const auto executor = co_await asio::this_coro::executor;
  configuration first;
  first.certificates = {own};
  configuration second;
  second.certificates = {of_other};
  for (int round = 0; round < 2; ++round) {
    peer_pair pair(executor, first, second);
    co_await connect(pair);
    const auto proved = pair.first.remote_certificate();
    REQUIRE(proved.has_value());
    CHECK(*proved == of_other.fingerprints().front());
    CHECK(pair.second.remote_certificate() == own.fingerprints().front());
    co_await close_both(pair.first, pair.second);
  }
}

asio::awaitable<void> accept_one_of_several_fingerprints() {
  const auto executor = co_await asio::this_coro::executor;
  peer_connection first(executor);
  peer_connection second(executor);
  auto channel = first.create_data_channel("any");
  co_await first.async_set_local_description();
  auto offer = first.local_description()->sdp;
  const auto at = offer.find("a=fingerprint:");
  REQUIRE(at != std::string::npos);
  const auto stranger = make_certificate().fingerprints();
  offer.insert(at, "a=fingerprint:" + stranger[2].algorithm + " " + stranger[2].value + "\r\n");
  offer.insert(at, "a=fingerprint:" + stranger[0].algorithm + " " + stranger[0].value + "\r\n");
  auto given = session_description(sdp_type::offer, offer);
  co_await second.async_set_remote_description(given);
  co_await second.async_set_local_description();
  auto answer = *second.local_description();
  co_await first.async_set_remote_description(answer);
  auto candidates = first.ice_candidates();
  for (;;) {
    auto candidate = co_await candidates.async_next();
    REQUIRE(candidate.has_value());
    auto value = *candidate;
    co_await second.async_add_ice_candidate(value);
    if (candidate->candidate.empty()) break;
  }
  co_await channel.async_open();
  CHECK(second.remote_certificate().has_value());
  co_await close_both(first, second);
}

}  // namespace

TEST_CASE("a new connection is in its first states, and has no descriptor, timer or thread") {
  asio::io_context context;
  warm_up(context);
  const auto descriptors = open_descriptors();
  peer_connection peer(context);
  CHECK(peer.connection_state() == connection_state::new_);
  CHECK(peer.ice_connection_state() == ice_connection_state::new_);
  CHECK(peer.ice_gathering_state() == ice_gathering_state::new_);
  CHECK(peer.signaling_state() == signaling_state::stable);
  CHECK_FALSE(peer.local_description());
  CHECK_FALSE(peer.remote_description());
  CHECK_FALSE(peer.sctp());
  CHECK_FALSE(peer.selected_candidate_pair());
  CHECK_FALSE(peer.can_trickle_ice_candidates());
  CHECK(open_descriptors() == descriptors);
  CHECK(running_threads() == 1);
  context.poll();  // what was to be told, and then nothing is pending
  CHECK(context.stopped());
}

TEST_CASE("the numbers of the states are Godot's") {
  CHECK(static_cast<int>(connection_state::new_) == 0);
  CHECK(static_cast<int>(connection_state::connecting) == 1);
  CHECK(static_cast<int>(connection_state::connected) == 2);
  CHECK(static_cast<int>(connection_state::disconnected) == 3);
  CHECK(static_cast<int>(connection_state::failed) == 4);
  CHECK(static_cast<int>(connection_state::closed) == 5);
  CHECK(static_cast<int>(ice_gathering_state::new_) == 0);
  CHECK(static_cast<int>(ice_gathering_state::gathering) == 1);
  CHECK(static_cast<int>(ice_gathering_state::complete) == 2);
  CHECK(static_cast<int>(signaling_state::stable) == 0);
  CHECK(static_cast<int>(signaling_state::have_local_offer) == 1);
  CHECK(static_cast<int>(signaling_state::have_remote_offer) == 2);
  CHECK(static_cast<int>(signaling_state::have_local_pranswer) == 3);
  CHECK(static_cast<int>(signaling_state::have_remote_pranswer) == 4);
  CHECK(static_cast<int>(signaling_state::closed) == 5);
}

TEST_CASE("an id is 128 random bits, and stays") {
  asio::io_context context;
  std::set<std::string> ids;
  for (int i = 0; i < 100; ++i) {
    peer_connection peer(context);
    const std::string id = peer.id();
    CHECK(id.size() == 32);
    CHECK(id.find_first_not_of("0123456789abcdef") == std::string::npos);
    peer.close();
    CHECK(peer.id() == id);
    ids.insert(id);
  }
  CHECK(ids.size() == 100);
}

TEST_CASE("an expired certificate is refused, wherever it stands") {
  asio::io_context context;
  certificate_options old(std::chrono::system_clock::now() - 48h);
  old.validity = 1h;
  configuration config;
  config.certificates = {make_certificate(), certificate::generate(old)};
  try {
    peer_connection peer(context, config);
    FAIL("accepted");
  } catch (const error& thrown) {
    CHECK(thrown.code() == errc::invalid_access);
    CHECK(std::string(thrown.what()).find("expired") != std::string::npos);
  }
}

TEST_CASE("a certificate that was kept as PEM is the same identity on every connection") {
  asio::io_context context;
  const auto kept = certificate::from_pem(make_certificate().to_pem());
  run(context, pin(kept, make_certificate(certificate_key::rsa_2048)));
}

TEST_CASE(
    "certificates of other programs that from_pem takes connect, also one that never expires") {
  foreign_pem never_expires;
  foreign_pem p384;
  p384.curve = "P-384";
  p384.key_usage = "digitalSignature";
  foreign_pem rsa;
  rsa.rsa_bits = 1024;
  for (const auto* own : {&never_expires, &p384, &rsa}) {
    asio::io_context context;
    run(context, pin(certificate::from_pem(own->make()), make_certificate()));
    run(context, pin(make_certificate(), certificate::from_pem(own->make())));
  }
}

TEST_CASE("one of several fingerprints of a description is enough") {
  asio::io_context context;
  run(context, accept_one_of_several_fingerprints());
}

TEST_CASE("every state is told in order, and the getter has the last") {
  asio::io_context context;
  peer_pair pair(context.get_executor());
  run(context, see_every_state(pair));
}

TEST_CASE("the SCTP transport tells its state, and its channels once it is connected") {
  asio::io_context context;
  peer_pair pair(context.get_executor());
  run(context, follow_sctp(pair));
}

TEST_CASE("every stream ends with the connection") {
  asio::io_context context;
  peer_pair pair(context.get_executor());
  run(context, end_every_stream(pair));
}

TEST_CASE("candidates come after a local description, with mid and index, and end with an item") {
  asio::io_context context;
  peer_connection peer(context);
  run(context, candidates_only_after_a_description(peer));
}

TEST_CASE("async_close may be started any number of times, and all complete") {
  asio::io_context context;
  peer_pair pair(context.get_executor());
  run(context, close_twice(pair));
}

TEST_CASE("a connection may be closed and dropped inside any of its handlers") {
  asio::io_context context;
  auto peer = std::make_unique<peer_connection>(context);
  auto channel = peer->create_data_channel("any");
  bool dropped = false;
  peer->async_set_local_description(std::nullopt, [&](boost::system::error_code code) {
    CHECK_FALSE(code);
    peer->close();
    peer.reset();
    dropped = true;
  });
  std::optional<boost::system::error_code> opened;
  channel.async_open([&](boost::system::error_code code) { opened = code; });
  context.run();
  CHECK(dropped);
  REQUIRE(opened.has_value());
  CHECK(*opened);
  CHECK(channel.state() == data_channel_state::closed);
}

TEST_CASE("a context with peers may be destroyed while peers of another one go on") {
  asio::io_context staying;
  peer_pair kept(staying.get_executor());
  {
    asio::io_context going;
    peer_pair lost(going.get_executor());
    run(going, connect(lost));
    run(staying, connect(kept));
  }
  auto late = kept.second.create_data_channel("late");
  run(staying, [](peer_pair& pair, data_channel& channel) -> asio::awaitable<void> {
    auto other = co_await pair.first.data_channels().async_next();
    REQUIRE(other.has_value());
    co_await channel.async_send("on");
    auto received = co_await other->async_receive();
    REQUIRE(received.has_value());
    CHECK(received->text() == "on");
    co_await close_both(pair.first, pair.second);
  }(kept, late));
}

TEST_CASE("peers run on an executor with many threads") {
  asio::thread_pool pool(4);
  constexpr int count = 16;
  std::atomic<int> done = 0;
  for (int i = 0; i < count; ++i) {
    asio::co_spawn(
        asio::make_strand(pool),
        [](asio::thread_pool& threads) -> asio::awaitable<void> {
          peer_pair pair(threads.get_executor());
          co_await connect(pair);
          co_await close_both(pair.first, pair.second);
        }(pool),
        [&](std::exception_ptr thrown) {
          if (!thrown) ++done;
        });
  }
  pool.join();
  CHECK(done == count);
}

}  // namespace asiortc::test

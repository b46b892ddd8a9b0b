// Statistics of real connections.
#include "net/peer_pair.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <chrono>
#include <cmath>
#include <cstdint>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace asiortc::test {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t message_size = 10000;

/// Sends so many messages and waits until each has been read.
asio::awaitable<void> transfer(data_channel& from, data_channel& to, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    co_await from.async_send(std::string(message_size, 'x'));
    auto taken = co_await to.async_receive();
    REQUIRE(taken.has_value());
  }
  co_await from.async_flush();
}

struct channel_pair {
  data_channel ours;
  data_channel theirs;
};

asio::awaitable<void> open(peer_pair& peers, std::string label, channel_pair& channels) {
  channels.ours = peers.first.create_data_channel(std::move(label));
  auto arrivals = peers.second.data_channels();
  auto arrived = co_await arrivals.async_next();
  REQUIRE(arrived.has_value());
  channels.theirs = std::move(*arrived);
  co_await channels.ours.async_open();
}

void check_monotonic(const stats_report& before, const stats_report& after) {
  const transport_stats& old = before.transports.at(0);
  const transport_stats& now = after.transports.at(0);
  CHECK(now.id == old.id);
  CHECK(now.timestamp >= old.timestamp);
  CHECK(now.packets_sent >= old.packets_sent);
  CHECK(now.packets_received >= old.packets_received);
  CHECK(now.bytes_sent >= old.bytes_sent);
  CHECK(now.bytes_received >= old.bytes_received);
  CHECK(now.selected_candidate_pair_changes >= old.selected_candidate_pair_changes);
  CHECK(after.peer_connection->data_channels_opened >=
        before.peer_connection->data_channels_opened);
  for (const auto& known : before.data_channels) {
    const data_channel_stats* const later = find_stats(after.data_channels, known.id);
    REQUIRE(later != nullptr);
    CHECK(later->messages_sent >= known.messages_sent);
    CHECK(later->bytes_received >= known.bytes_received);
  }
  for (const auto& known : before.candidate_pairs) {
    const candidate_pair_stats* const later = find_stats(after.candidate_pairs, known.id);
    if (later == nullptr) continue;
    CHECK(later->bytes_sent >= known.bytes_sent);
    CHECK(later->requests_sent >= known.requests_sent);
    CHECK(later->responses_sent >= known.responses_sent);
    CHECK(later->total_round_trip_time >= known.total_round_trip_time);
  }
}

asio::awaitable<void> compare_sides(peer_pair& peers) {
  channel_pair channels;
  co_await open(peers, "compared", channels);
  co_await transfer(channels.ours, channels.theirs, 50);
  // Who received is asked first: what is on its way counts for the sender alone.
  const auto theirs = co_await peers.second.async_get_stats();
  const auto ours = co_await peers.first.async_get_stats();
  REQUIRE(ours.data_channels.size() == 1);
  REQUIRE(theirs.data_channels.size() == 1);
  CHECK(ours.data_channels[0].label == "compared");
  CHECK(ours.data_channels[0].messages_sent == 50);
  CHECK(ours.data_channels[0].bytes_sent == 50 * message_size);
  CHECK(theirs.data_channels[0].messages_received == 50);
  CHECK(theirs.data_channels[0].bytes_received == 50 * message_size);
  CHECK(ours.data_channels[0].data_channel_identifier == channels.theirs.id());
  CHECK(ours.transports.at(0).bytes_sent >= theirs.transports.at(0).bytes_received);
  CHECK(theirs.transports[0].bytes_received > 50 * message_size);
  CHECK(ours.peer_connection->data_channels_opened == 1);
  const candidate_pair_stats* const in_use =
      find_stats(ours.candidate_pairs, ours.transports[0].selected_candidate_pair_id.value());
  REQUIRE(in_use != nullptr);
  CHECK(in_use->state == candidate_pair_state::succeeded);
  CHECK(in_use->bytes_sent > 0);
  // It may have taken the place of another during the transfer.
  std::uint64_t over_all_pairs = 0;
  for (const auto& pair : ours.candidate_pairs) over_all_pairs += pair.bytes_sent;
  CHECK(over_all_pairs == ours.transports[0].bytes_sent);
  CHECK(find_stats(ours.local_candidates, in_use->local_candidate_id) != nullptr);
  CHECK(find_stats(ours.remote_candidates, in_use->remote_candidate_id) != nullptr);
  const std::chrono::duration<double, std::milli> wall =
      std::chrono::system_clock::now().time_since_epoch();
  CHECK(std::abs(ours.transports[0].timestamp - wall.count()) < 60000);
  CHECK(std::abs(in_use->last_packet_sent_timestamp.value() - wall.count()) < 60000);
  const auto* const certificate =
      find_stats(ours.certificates, ours.transports[0].remote_certificate_id.value());
  REQUIRE(certificate != nullptr);
  CHECK(certificate->fingerprint == peers.first.remote_certificate()->value);
  co_await close_both(peers.first, peers.second);
}

asio::awaitable<void> look_after_end(peer_pair& peers, bool graceful) {
  auto channels = std::make_unique<channel_pair>();
  co_await open(peers, "kept", *channels);
  co_await transfer(channels->ours, channels->theirs, 5);
  const auto before = co_await peers.first.async_get_stats();
  if (graceful) {
    co_await peers.first.async_close();
  } else {
    peers.first.close();
  }
  const auto after = co_await peers.first.async_get_stats();
  check_monotonic(before, after);
  CHECK(after.transports.at(0).dtls_state == dtls_transport_state::closed);
  CHECK(after.transports[0].ice_state == ice_connection_state::closed);
  CHECK(find_stats(after.candidate_pairs, after.transports[0].selected_candidate_pair_id.value()) !=
        nullptr);
  CHECK(after.peer_connection->data_channels_closed == 1);
  REQUIRE(after.data_channels.size() == 1);
  CHECK(after.data_channels[0].state == data_channel_state::closed);
  CHECK(after.data_channels[0].bytes_sent == 5 * message_size);
  const auto again = co_await peers.first.async_get_stats();
  CHECK(again == after);
  const auto selected = co_await peers.first.async_get_stats(channels->ours);
  CHECK(selected.data_channels == after.data_channels);
  channels.reset();
  const auto without = co_await peers.first.async_get_stats();
  CHECK(without.data_channels.empty());
  CHECK(without.transports == after.transports);
  co_await peers.second.async_close();
}

asio::awaitable<void> select_one(peer_pair& peers) {
  channel_pair first;
  co_await open(peers, "first", first);
  channel_pair second;
  co_await open(peers, "second", second);
  co_await transfer(second.ours, second.theirs, 2);
  const auto one = co_await peers.first.async_get_stats(second.ours);
  REQUIRE(one.data_channels.size() == 1);
  CHECK(one.data_channels[0].label == "second");
  CHECK(one.data_channels[0].messages_sent == 2);
  CHECK_FALSE(one.peer_connection);
  REQUIRE(one.transports.size() == 1);
  REQUIRE(one.candidate_pairs.size() == 1);
  CHECK(one.candidate_pairs[0].id == one.transports[0].selected_candidate_pair_id);
  REQUIRE(one.local_candidates.size() == 1);
  CHECK(one.local_candidates[0].id == one.candidate_pairs[0].local_candidate_id);
  REQUIRE(one.remote_candidates.size() == 1);
  CHECK(one.remote_candidates[0].id == one.candidate_pairs[0].remote_candidate_id);
  CHECK(one.certificates.size() == 2);
  const auto all = co_await peers.first.async_get_stats(data_channel());
  REQUIRE(all.data_channels.size() == 2);
  CHECK(all.data_channels[0].label == "first");
  CHECK(all.data_channels[1].id == one.data_channels[0].id);
  auto [refused, nothing] =
      co_await peers.first.async_get_stats(first.theirs, asio::as_tuple(asio::use_awaitable));
  CHECK(refused == errc::invalid_access);
  CHECK(nothing.transports.empty());
  // A closed one is told of as long as there is a handle.
  co_await second.ours.async_close();
  const auto closed = co_await peers.first.async_get_stats(second.ours);
  REQUIRE(closed.data_channels.size() == 1);
  CHECK(closed.data_channels[0].state == data_channel_state::closed);
  CHECK(closed.data_channels[0].id == one.data_channels[0].id);
  CHECK(closed.data_channels[0].messages_sent == 2);
  second.ours = data_channel();
  const auto left = co_await peers.first.async_get_stats();
  REQUIRE(left.data_channels.size() == 1);
  CHECK(left.data_channels[0].label == "first");
  CHECK(left.peer_connection->data_channels_opened == 2);
  CHECK(left.peer_connection->data_channels_closed == 1);
  co_await close_both(peers.first, peers.second);
}

asio::awaitable<void> restart(peer_pair& peers) {
  channel_pair channels;
  co_await open(peers, "restarted", channels);
  co_await transfer(channels.ours, channels.theirs, 5);
  const auto before = co_await peers.first.async_get_stats();
  auto selections = peers.first.selected_candidate_pairs();
  while (selections.try_next()) {
  }
  peers.first.restart_ice();
  auto selected = co_await selections.async_next();
  REQUIRE(selected.has_value());
  co_await transfer(channels.ours, channels.theirs, 5);
  const auto after = co_await peers.first.async_get_stats();
  check_monotonic(before, after);
  CHECK(after.transports.at(0).selected_candidate_pair_id !=
        before.transports.at(0).selected_candidate_pair_id);
  CHECK(after.transports[0].ice_local_username_fragment !=
        before.transports[0].ice_local_username_fragment);
  CHECK(after.transports[0].bytes_sent > before.transports[0].bytes_sent + 5 * message_size);
  CHECK(after.data_channels.at(0).bytes_sent == 10 * message_size);
  co_await close_both(peers.first, peers.second);
}

asio::awaitable<void> send_without_end(peer_pair& peers, channel_pair& channels) {
  co_await open(peers, "endless", channels);
  while (true) {
    auto [refused] = co_await channels.ours.async_send(std::string(message_size, 'x'),
                                                       asio::as_tuple(asio::use_awaitable));
    if (refused) co_return;
    auto [ended, taken] =
        co_await channels.theirs.async_receive(asio::as_tuple(asio::use_awaitable));
    if (ended || !taken) co_return;
  }
}

asio::awaitable<void> look_at_json(peer_pair& peers) {
  channel_pair channels;
  co_await open(peers, "json", channels);
  co_await transfer(channels.ours, channels.theirs, 1);
  const auto report = co_await peers.first.async_get_stats();
  const auto all = nlohmann::json::parse(report.to_json());
  const auto& transport = all.at(report.transports.at(0).id);
  CHECK(transport.at("type") == "transport");
  CHECK(transport.at("tlsVersion") == "FEFD");
  const auto& pair = all.at(transport.at("selectedCandidatePairId").get<std::string>());
  CHECK(all.at(pair.at("localCandidateId").get<std::string>()).at("type") == "local-candidate");
  CHECK(all.at(pair.at("remoteCandidateId").get<std::string>()).at("type") == "remote-candidate");
  CHECK(all.at(transport.at("localCertificateId").get<std::string>()).at("fingerprintAlgorithm") ==
        "sha-256");
  co_await close_both(peers.first, peers.second);
}

}  // namespace

TEST_CASE("async_get_stats: both sides agree on what was sent and received") {
  asio::io_context context;
  peer_pair peers(context.get_executor());
  run(context, compare_sides(peers));
}

TEST_CASE("async_get_stats: counters never fall, whatever thread asks during a transfer") {
  asio::io_context context;
  peer_pair peers(context.get_executor());
  channel_pair channels;
  // The streams and channels of the transfer are used on one thread at a time by a strand.
  asio::co_spawn(asio::make_strand(context), send_without_end(peers, channels), asio::detached);
  std::vector<std::jthread> threads;
  // Once both sides have ended nothing else keeps the threads, and there is one more to be asked.
  const auto work = asio::make_work_guard(context);
  for (int i = 0; i < 2; ++i) threads.emplace_back([&context] { context.run(); });
  auto before = std::make_unique<stats_report>(peers.first.async_get_stats(asio::use_future).get());
  for (int i = 0; i < 100; ++i) {
    auto after =
        std::make_unique<stats_report>(peers.first.async_get_stats(asio::use_future).get());
    check_monotonic(*before, *after);
    before = std::move(after);
  }
  // It was a transfer: reports follow it to its first megabyte.
  while (before->transports.at(0).bytes_sent < 1'000'000) {
    *before = peers.first.async_get_stats(asio::use_future).get();
  }
  peers.first.async_close(asio::use_future).get();
  peers.second.async_close(asio::use_future).get();
}

TEST_CASE("async_get_stats: after the end the report is what was last") {
  for (const bool graceful : {true, false}) {
    asio::io_context context;
    peer_pair peers(context.get_executor());
    run(context, look_after_end(peers, graceful));
  }
}

TEST_CASE("async_get_stats: a channel selects its entry and the way that it takes") {
  asio::io_context context;
  peer_pair peers(context.get_executor());
  run(context, select_one(peers));
}

TEST_CASE("async_get_stats: an ICE restart takes nothing from the transport's counters") {
  asio::io_context context;
  peer_pair peers(context.get_executor());
  run(context, restart(peers));
}

TEST_CASE("async_get_stats: the JSON form leads from entry to entry") {
  asio::io_context context;
  peer_pair peers(context.get_executor());
  run(context, look_at_json(peers));
}

TEST_CASE("async_get_stats: a connection that has done nothing has a report") {
  asio::io_context context;
  peer_connection lone(context);
  auto waiting = lone.async_get_stats(asio::use_future);
  context.run();
  const auto report = std::make_unique<stats_report>(waiting.get());
  CHECK(report->transports.at(0).dtls_state == dtls_transport_state::new_);
  CHECK(report->data_channels.empty());
  CHECK(report->certificates.size() == 1);
}

}  // namespace asiortc::test

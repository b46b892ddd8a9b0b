// What the statistics of two peers say of each other.
#include "sim/sim.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <memory>

namespace asiortc::test {
namespace {

using namespace std::chrono_literals;

std::unique_ptr<stats_report> report_of(virtual_pair& pair, virtual_peer& peer) {
  return std::make_unique<stats_report>(peer.core().stats(pair.now()));
}

const candidate_pair_stats& selected_in(const stats_report& report) {
  const auto& id = report.transports.at(0).selected_candidate_pair_id;
  REQUIRE(id);
  const auto* const found = find_stats(report.candidate_pairs, *id);
  REQUIRE(found != nullptr);
  return *found;
}

double milliseconds(base::time_point at) {
  return std::chrono::duration<double, std::milli>(at.time_since_epoch()).count();
}

/// Sends so many messages over a new channel, until all are there and all is quiet.
datachannel::channel_key transfer(virtual_pair& pair, std::size_t count, std::size_t size) {
  const auto channel = pair.a.create_channel("data");
  const std::size_t before = pair.b.received.size();
  for (std::size_t i = 0; i < count; ++i) pair.a.send(channel, make_message(size, i));
  REQUIRE(pair.run_until([&] { return pair.b.received.size() == before + count; }, 60s));
  pair.run_for(2s);
  return channel;
}

void check_agreement(const stats_report& a, const stats_report& b) {
  const transport_stats& ours = a.transports.at(0);
  const transport_stats& theirs = b.transports.at(0);
  CHECK(ours.packets_sent == theirs.packets_received);
  CHECK(ours.bytes_sent == theirs.bytes_received);
  CHECK(theirs.packets_sent == ours.packets_received);
  CHECK(theirs.bytes_sent == ours.bytes_received);
}

}  // namespace

TEST_CASE("statistics need no timer, and asking for them changes nothing that is sent") {
  const auto packets_of_a_transfer = [](bool asks) {
    virtual_pair pair(pair_options{});
    const auto channel = transfer(pair, 1, 10);
    const std::uint64_t before = pair.network.sent();
    for (std::size_t i = 0; i < 50; ++i) pair.a.send(channel, make_message(4000, i));
    for (int i = 0; i < 200; ++i) {
      pair.run_for(1ms);
      if (!asks) continue;
      const base::time_point due = pair.a.core().next_deadline();
      const auto report = report_of(pair, pair.a);
      CHECK(pair.a.core().next_deadline() == due);
      CHECK(report->transports.size() == 1);
    }
    REQUIRE(pair.run_until([&] { return pair.b.received.size() == 51; }, 10s));
    return pair.network.sent() - before;
  };
  CHECK(packets_of_a_transfer(true) == packets_of_a_transfer(false));
}

TEST_CASE("what one peer has sent is what the other has received") {
  virtual_pair pair(pair_options{});
  const auto channel = transfer(pair, 50, 4000);
  const auto a = report_of(pair, pair.a);
  const auto b = report_of(pair, pair.b);
  check_agreement(*a, *b);
  CHECK(a->transports[0].bytes_sent >= 50 * 4000);
  const candidate_pair_stats& in_use = selected_in(*a);
  CHECK(in_use.bytes_sent == a->transports[0].bytes_sent);
  CHECK(in_use.packets_received == a->transports[0].packets_received);
  CHECK(in_use.nominated);
  CHECK(in_use.state == candidate_pair_state::succeeded);
  CHECK(in_use.requests_sent >= 1);
  CHECK(in_use.responses_received >= 1);
  REQUIRE(in_use.current_round_trip_time);
  CHECK(*in_use.current_round_trip_time == doctest::Approx(0.040).epsilon(0.1));
  CHECK(in_use.total_round_trip_time >= *in_use.current_round_trip_time);
  const auto sent = pair.a.core().channel_stats(pair.now(), channel);
  const auto received = pair.b.core().channel_stats(pair.now(), pair.b.opened_by_peer.at(0));
  REQUIRE(sent);
  REQUIRE(received);
  CHECK(sent->messages_sent == 50);
  CHECK(sent->bytes_sent == 50 * 4000);
  CHECK(received->messages_received == 50);
  CHECK(received->bytes_received == 50 * 4000);
  CHECK(sent->data_channel_identifier == received->data_channel_identifier);
  CHECK(a->peer_connection->data_channels_opened == 1);
  CHECK(b->peer_connection->data_channels_opened == 1);
}

TEST_CASE("the two sides' statistics name the same certificates, roles and cipher") {
  virtual_pair pair(pair_options{});
  transfer(pair, 1, 10);
  const auto a = report_of(pair, pair.a);
  const auto b = report_of(pair, pair.b);
  const transport_stats& ours = a->transports.at(0);
  const transport_stats& theirs = b->transports.at(0);
  CHECK(ours.dtls_state == dtls_transport_state::connected);
  CHECK(ours.tls_version == "FEFD");
  REQUIRE(ours.dtls_cipher);
  CHECK(ours.dtls_cipher->starts_with("TLS_ECDHE_"));
  CHECK(ours.dtls_cipher == theirs.dtls_cipher);
  CHECK(ours.dtls_role == dtls_role::server);
  CHECK(theirs.dtls_role == dtls_role::client);
  CHECK(ours.ice_role == ice_role::controlling);
  CHECK(theirs.ice_role == ice_role::controlled);
  CHECK(ours.selected_candidate_pair_changes >= 1);
  REQUIRE(ours.remote_certificate_id);
  const auto* const seen = find_stats(a->certificates, *ours.remote_certificate_id);
  const auto* const own = find_stats(b->certificates, theirs.local_certificate_id.value_or(""));
  REQUIRE(seen != nullptr);
  REQUIRE(own != nullptr);
  CHECK(seen->fingerprint == own->fingerprint);
  CHECK(seen->base64_certificate == own->base64_certificate);
}

TEST_CASE("packets have the time at which they went and came") {
  virtual_pair pair(pair_options{});
  const auto channel = transfer(pair, 1, 10);
  pair.run_for(60s);  // nothing but consent
  const auto quiet = report_of(pair, pair.a);
  const double last_sent = selected_in(*quiet).last_packet_sent_timestamp.value();
  CHECK(last_sent < milliseconds(pair.now() - 50s));
  CHECK(selected_in(*quiet).consent_requests_sent >= 9);
  pair.a.send(channel, make_message(10, 1));
  const auto then = pair.now();
  pair.run_for(5s);
  const auto later = report_of(pair, pair.a);
  const candidate_pair_stats& in_use = selected_in(*later);
  CHECK(in_use.last_packet_sent_timestamp.value() >= milliseconds(then));
  CHECK(in_use.last_packet_received_timestamp.value() >= milliseconds(then + 40ms));
  CHECK(later->transports[0].timestamp == milliseconds(pair.now()));
}

TEST_CASE("an ICE restart ends entries of pairs, and no counter of the transport falls") {
  virtual_pair pair(pair_options{});
  transfer(pair, 20, 4000);
  const auto before = report_of(pair, pair.a);
  const std::size_t selections = pair.a.selected_pairs.size();
  pair.a.core().restart_ice(pair.now());
  REQUIRE(pair.run_until([&] { return pair.a.selected_pairs.size() > selections; }, 30s));
  transfer(pair, 1, 10);
  const auto after = report_of(pair, pair.a);
  const transport_stats& old = before->transports.at(0);
  const transport_stats& now = after->transports.at(0);
  CHECK(now.id == old.id);
  CHECK(now.bytes_sent > old.bytes_sent);
  CHECK(now.packets_received > old.packets_received);
  CHECK(now.ice_local_username_fragment != old.ice_local_username_fragment);
  CHECK(now.selected_candidate_pair_id != old.selected_candidate_pair_id);
  CHECK(now.selected_candidate_pair_changes > old.selected_candidate_pair_changes);
  CHECK(selected_in(*after).bytes_sent < old.bytes_sent);
  for (const auto& pair_before : before->candidate_pairs) {
    CHECK(find_stats(after->candidate_pairs, pair_before.id) == nullptr);
  }
  for (const auto& candidate : before->local_candidates) {
    CHECK(find_stats(after->local_candidates, candidate.id) == nullptr);
  }
  check_agreement(*after, *report_of(pair, pair.b));
}

TEST_CASE("statistics stay after the end as they were last, the farewell counted") {
  virtual_pair pair(pair_options{});
  transfer(pair, 5, 1000);
  const auto before = report_of(pair, pair.a);
  pair.a.core().close(pair.now(), errc::closed);
  const auto end = pair.now();
  pair.run_for(10s);
  const auto after = report_of(pair, pair.a);
  const transport_stats& last = after->transports.at(0);
  CHECK(last.timestamp == milliseconds(end));
  CHECK(last.packets_sent > before->transports[0].packets_sent);
  CHECK(last.dtls_state == dtls_transport_state::closed);
  CHECK(last.ice_state == ice_connection_state::closed);
  CHECK(last.remote_certificate_id == before->transports[0].remote_certificate_id);
  CHECK(selected_in(*after).id == selected_in(*before).id);
  CHECK(after->peer_connection->data_channels_closed == 1);
  CHECK(*report_of(pair, pair.a) == *after);
  const auto other = report_of(pair, pair.b);
  CHECK(other->transports[0].packets_received == last.packets_sent);
  CHECK(other->transports[0].bytes_received == last.bytes_sent);
}

}  // namespace asiortc::test

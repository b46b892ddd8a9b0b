// What the statistics of a peer say before and without a connection.
#include "unit/peer/served_peer.hpp"

#include <doctest/doctest.h>

#include <memory>

using namespace asiortc;
using namespace asiortc::test;
using namespace std::chrono_literals;

namespace {

const std::string named_host = "candidate:1 1 udp 2122260223 4a7f.local 5000 typ host";
const std::string plain_host = "candidate:2 1 udp 2122260223 192.0.2.7 5000 typ host";
const std::string reflexive =
    "candidate:3 1 udp 1686052607 198.51.100.7 6000 typ srflx raddr 192.0.2.7 rport 5000";

const ice_candidate_stats& only_of(const std::vector<ice_candidate_stats>& entries,
                                   candidate_type type) {
  const ice_candidate_stats* found = nullptr;
  for (const auto& entry : entries) {
    if (entry.candidate_type != type) continue;
    REQUIRE(found == nullptr);
    found = &entry;
  }
  REQUIRE(found != nullptr);
  return *found;
}

}  // namespace

TEST_CASE("statistics of a peer that has done nothing have what is known and no more") {
  auto settings = std::make_unique<peer::settings>();
  settings->wall_clock_offset = 1000h;
  lone_peer peer(1, *settings);
  const auto report = std::make_unique<stats_report>(peer->stats(start));
  REQUIRE(report->peer_connection);
  CHECK(report->peer_connection->data_channels_opened == 0);
  CHECK(report->peer_connection->timestamp == 1001.0 * 3600 * 1000);
  REQUIRE(report->transports.size() == 1);
  const transport_stats& transport = report->transports[0];
  CHECK(transport.ice_role == ice_role::unknown);
  CHECK(transport.dtls_role == dtls_role::unknown);
  CHECK(transport.dtls_state == dtls_transport_state::new_);
  CHECK(transport.ice_state == ice_connection_state::new_);
  CHECK_FALSE(transport.selected_candidate_pair_id);
  CHECK_FALSE(transport.tls_version);
  CHECK_FALSE(transport.dtls_cipher);
  CHECK_FALSE(transport.remote_certificate_id);
  REQUIRE(report->certificates.size() == 1);
  CHECK(transport.local_certificate_id == report->certificates[0].id);
  CHECK(report->certificates[0].fingerprint_algorithm == "sha-256");
  CHECK(report->certificates[0].base64_certificate.starts_with("MII"));
  CHECK(report->candidate_pairs.empty());
  CHECK(report->local_candidates.empty());
  CHECK(report->remote_candidates.empty());
}

TEST_CASE("the certificate in the statistics is the one that the description announces") {
  lone_peer peer;
  peer.create_channel();
  const std::string line = line_of(peer.offer(), "a=fingerprint:sha-256 ");
  CHECK(line == "a=fingerprint:sha-256 " + peer->stats(start).certificates.at(0).fingerprint);
}

TEST_CASE("local candidates name their server and how it is reached") {
  served_peer lone;
  lone.seen_as = *base::endpoint::parse("198.51.100.4:4001");
  lone.gather("secret");
  lone.run_until(start + 1s);
  const auto report = std::make_unique<stats_report>(lone.peer->stats(lone.now));
  CHECK(report->local_candidates.size() == 3);
  const auto& own_host = only_of(report->local_candidates, candidate_type::host);
  CHECK(own_host.address == "192.0.2.1");
  CHECK(own_host.port == 4000);
  CHECK(own_host.protocol == "udp");
  CHECK(own_host.priority > 0);
  CHECK_FALSE(own_host.foundation.empty());
  CHECK_FALSE(own_host.url);
  CHECK_FALSE(own_host.related_address);
  CHECK_FALSE(own_host.tcp_type);
  CHECK(own_host.transport_id == report->transports[0].id);
  CHECK(own_host.username_fragment == report->transports[0].ice_local_username_fragment);
  const auto& seen = only_of(report->local_candidates, candidate_type::server_reflexive);
  CHECK(seen.address == "198.51.100.4");
  CHECK(seen.port == 4001);
  CHECK(seen.url == "turn:relay.test");
  CHECK_FALSE(seen.relay_protocol);
  CHECK(seen.related_address == "192.0.2.1");
  CHECK(seen.related_port == 4000);
  const auto& relayed = only_of(report->local_candidates, candidate_type::relayed);
  CHECK(relayed.url == "turn:relay.test");
  CHECK(relayed.relay_protocol == "udp");
  CHECK(relayed.related_address == seen.address);
  CHECK(report->transports[0].ice_role == ice_role::controlling);
}

TEST_CASE("the way to a TURN server is that of its carrier") {
  for (const bool secure : {false, true}) {
    served_peer lone;
    peer::turn_carrier carrier;
    carrier.id = base::socket_id{1};
    carrier.reliable = true;
    carrier.secure = secure;
    lone.gather_over(carrier);
    lone.run_until(start + 1s);
    const auto candidates = lone.peer->stats(lone.now).local_candidates;
    CHECK(only_of(candidates, candidate_type::relayed).relay_protocol == (secure ? "tls" : "tcp"));
  }
}

TEST_CASE("an address that a name hides is not in the statistics") {
  auto settings = std::make_unique<peer::settings>();
  settings->ice.hide_addresses = true;
  served_peer lone(*settings);
  lone.gather("secret", "0a1b.local");
  lone.run_until(start + 1s);
  REQUIRE(lone.peer.set_remote(sdp_type::answer, data_sdp("active")));
  REQUIRE(lone.peer.add(named_host, "0"));
  REQUIRE(lone.peer.add(reflexive, "0"));
  const auto found = *base::ip_address::parse("192.0.2.9");
  lone.peer->name_resolved(lone.now, lone.peer.lookups().at(0).token, {&found, 1});
  lone.run_until(lone.now + 1s);
  const auto report = std::make_unique<stats_report>(lone.peer->stats(lone.now));
  const auto& own_host = only_of(report->local_candidates, candidate_type::host);
  CHECK_FALSE(own_host.address);
  CHECK(own_host.port == 4000);
  const auto& seen = only_of(report->local_candidates, candidate_type::server_reflexive);
  CHECK(seen.address);
  CHECK_FALSE(seen.related_address);
  const auto& theirs = only_of(report->remote_candidates, candidate_type::host);
  CHECK_FALSE(theirs.address);
  CHECK(theirs.port == 5000);
  CHECK(theirs.username_fragment == "Zx4k");
  const auto& outside = only_of(report->remote_candidates, candidate_type::server_reflexive);
  CHECK(outside.address == "198.51.100.7");
  CHECK(outside.related_address == "192.0.2.7");
  CHECK_FALSE(outside.url);
}

TEST_CASE("ids are unique in a report, stay over reports, and lead from pairs to candidates") {
  served_peer lone;
  lone.gather("secret");
  REQUIRE(lone.peer.set_remote(sdp_type::answer, data_sdp("active")));
  REQUIRE(lone.peer.add(plain_host, "0"));
  lone.run_until(start + 1s);
  const auto first = std::make_unique<stats_report>(lone.peer->stats(lone.now));
  lone.run_until(start + 5s);
  const auto second = std::make_unique<stats_report>(lone.peer->stats(lone.now));
  REQUIRE(first->candidate_pairs.size() == 2);  // from the socket and from the relay
  CHECK(first->candidate_pairs[0].id != first->candidate_pairs[1].id);
  for (const auto& pair : first->candidate_pairs) {
    CHECK(pair.transport_id == first->transports[0].id);
    CHECK(find_stats(first->local_candidates, pair.local_candidate_id) != nullptr);
    CHECK(find_stats(first->remote_candidates, pair.remote_candidate_id) != nullptr);
    const auto* const later = find_stats(second->candidate_pairs, pair.id);
    REQUIRE(later != nullptr);
    CHECK(later->local_candidate_id == pair.local_candidate_id);
    CHECK(later->remote_candidate_id == pair.remote_candidate_id);
    CHECK(later->timestamp == pair.timestamp + 4000);
    CHECK_FALSE(pair.last_packet_sent_timestamp);
    CHECK_FALSE(pair.current_round_trip_time);
  }
}

TEST_CASE("the statistics of a channel are told by its key") {
  lone_peer peer;
  data_channel_init init;
  init.protocol = "chess";
  init.negotiated = true;
  init.id = 7;
  const auto key = peer->create_data_channel(start, "game", init).value();
  const auto entry = peer->channel_stats(start, key);
  REQUIRE(entry);
  CHECK(entry->label == "game");
  CHECK(entry->protocol == "chess");
  CHECK(entry->data_channel_identifier == 7);
  CHECK(entry->state == data_channel_state::connecting);
  CHECK_FALSE(peer->channel_stats(start, datachannel::channel_key{99}));
}

// A report's JSON form against the names of the W3C's text (commit 39fe2f9 of w3c/webrtc-stats),
// which are in test/support/webrtc_stats_names.json; members that must not be there left out.
#include <asiortc/stats.hpp>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <fstream>
#include <memory>
#include <set>
#include <string>

using namespace asiortc;
using nlohmann::json;

namespace {

/// What of the W3C's is never known here.
const std::set<std::string> never_told{"srtpCipher",
                                       "ccfbMessagesSent",
                                       "ccfbMessagesReceived",
                                       "availableOutgoingBitrate",
                                       "packetsDiscardedOnSend",
                                       "bytesDiscardedOnSend",
                                       "availableIncomingBitrate",
                                       "issuerCertificateId"};

json names_of_w3c() {
  std::ifstream file(ASIORTC_STATS_NAMES);
  REQUIRE(file.good());
  return json::parse(file);
}

template <class Entry>
Entry named(std::string id) {
  Entry entry;
  entry.id = std::move(id);
  entry.timestamp = 1735689600123.5;
  return entry;
}

void fill_transport(stats_report& report) {
  report.peer_connection = named<peer_connection_stats>("PC");
  report.peer_connection->data_channels_opened = 3;
  report.peer_connection->data_channels_closed = 1;
  auto transport = named<transport_stats>("T1");
  transport.bytes_sent = 9007199254740993;  // not a double
  transport.ice_role = ice_role::controlling;
  transport.ice_local_username_fragment = "Zx4k";
  transport.dtls_state = dtls_transport_state::connected;
  transport.ice_state = ice_connection_state::completed;
  transport.selected_candidate_pair_id = "P1-1";
  transport.local_certificate_id = transport.remote_certificate_id = "CAB";
  transport.tls_version = "FEFD";
  transport.dtls_cipher = "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256";
  transport.dtls_role = dtls_role::client;
  report.transports.push_back(transport);
  report.certificates.push_back(named<certificate_stats>("CAB"));
}

/// Every member of every entry has a value.
std::unique_ptr<stats_report> full_report() {
  auto report = std::make_unique<stats_report>();
  fill_transport(*report);
  auto pair = named<candidate_pair_stats>("P1-1");
  pair.state = candidate_pair_state::in_progress;
  pair.nominated = true;
  pair.last_packet_sent_timestamp = pair.last_packet_received_timestamp = 1735689600000;
  pair.current_round_trip_time = 0.0125;
  report->candidate_pairs.push_back(pair);
  auto remote = named<ice_candidate_stats>("R1-1");
  remote.address = "192.0.2.1";
  remote.port = 9;
  remote.protocol = "tcp";
  remote.candidate_type = candidate_type::server_reflexive;
  remote.related_address = "10.0.0.1";
  remote.related_port = 5000;
  remote.username_fragment = "Zx4k";
  remote.tcp_type = "active";
  report->remote_candidates.push_back(remote);
  remote.id = "L1-1";
  remote.url = "turns:relay.test";
  remote.relay_protocol = "tls";
  report->local_candidates.push_back(remote);
  auto channel = named<data_channel_stats>("D1");
  channel.label = "gr\u00fc\u00dfe \"\n";
  channel.data_channel_identifier = std::uint16_t{65534};
  channel.state = data_channel_state::closing;
  report->data_channels.push_back(channel);
  return report;
}

}  // namespace

TEST_CASE("a full report has the W3C's names, and all of them but what is never known") {
  const json names = names_of_w3c();
  const json all = json::parse(full_report()->to_json());
  std::set<std::string> types;
  for (const auto& [id, entry] : all.items()) {
    const std::string type = entry.at("type");
    CHECK(entry.at("id") == id);
    CHECK(entry.at("timestamp") == 1735689600123.5);
    types.insert(type);
    std::set<std::string> wanted = names.at(type).get<std::set<std::string>>();
    for (const auto& name : never_told) wanted.erase(name);
    std::set<std::string> told;
    for (const auto& [name, value] : entry.items()) told.insert(name);
    CHECK_MESSAGE(told == wanted, type);
  }
  CHECK(types.size() == names.size());
}

TEST_CASE("values are spelled as the W3C spells them") {
  const json all = json::parse(full_report()->to_json());
  CHECK(all["PC"]["dataChannelsOpened"] == 3);
  CHECK(all["T1"]["bytesSent"] == 9007199254740993);
  CHECK(all["T1"]["iceRole"] == "controlling");
  CHECK(all["T1"]["iceState"] == "completed");
  CHECK(all["T1"]["dtlsState"] == "connected");
  CHECK(all["T1"]["dtlsRole"] == "client");
  CHECK(all["P1-1"]["state"] == "in-progress");
  CHECK(all["P1-1"]["nominated"] == true);
  CHECK(all["P1-1"]["currentRoundTripTime"] == 0.0125);
  CHECK(all["L1-1"]["type"] == "local-candidate");
  CHECK(all["L1-1"]["candidateType"] == "srflx");
  CHECK(all["R1-1"]["type"] == "remote-candidate");
  CHECK(all["R1-1"]["port"] == 9);
  CHECK(all["D1"]["label"] == "gr\u00fc\u00dfe \"\n");
  CHECK(all["D1"]["state"] == "closing");
}

TEST_CASE("what is not known is absent, and an empty report is an empty object") {
  CHECK(stats_report().to_json() == "{}");
  stats_report report;
  report.local_candidates.push_back(named<ice_candidate_stats>("L1-1"));
  report.candidate_pairs.push_back(named<candidate_pair_stats>("P1-1"));
  report.transports.push_back(named<transport_stats>("T1"));
  const json all = json::parse(report.to_json());
  for (const char* name : {"address", "url", "relayProtocol", "relatedAddress", "tcpType"}) {
    CHECK_FALSE(all["L1-1"].contains(name));
  }
  CHECK_FALSE(all["P1-1"].contains("currentRoundTripTime"));
  CHECK_FALSE(all["P1-1"].contains("lastPacketSentTimestamp"));
  CHECK(all["P1-1"]["bytesSent"] == 0);
  CHECK_FALSE(all["T1"].contains("selectedCandidatePairId"));
  CHECK(all["T1"]["iceRole"] == "unknown");
}

TEST_CASE("text that is no UTF-8 does not keep a report from being written") {
  stats_report report;
  report.data_channels.push_back(named<data_channel_stats>("D1"));
  report.data_channels.back().label = "\xff";
  CHECK(json::parse(report.to_json())["D1"]["label"] == "\ufffd");
}

TEST_CASE("an entry is found by its id") {
  const auto report = full_report();
  CHECK(find_stats(report->candidate_pairs, "P1-1") == &report->candidate_pairs[0]);
  CHECK(find_stats(report->candidate_pairs, "P1-2") == nullptr);
}

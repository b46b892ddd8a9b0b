// A report as a browser's JSON has it.
#include <asiortc/stats.hpp>

#include <nlohmann/json.hpp>

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace asiortc::inline ASIORTC_ABI {
namespace {

using nlohmann::ordered_json;

template <class Value>
void put(ordered_json& object, const char* name, const Value& value) {
  object[name] = value;
}

template <class Value>
void put(ordered_json& object, const char* name, const std::optional<Value>& value) {
  if (value) object[name] = *value;
}

ordered_json start(const stats_entry& entry, const char* type) {
  ordered_json object = ordered_json::object();
  put(object, "id", entry.id);
  put(object, "timestamp", entry.timestamp);
  put(object, "type", type);
  return object;
}

ordered_json write(const peer_connection_stats& entry) {
  ordered_json object = start(entry, "peer-connection");
  put(object, "dataChannelsOpened", entry.data_channels_opened);
  put(object, "dataChannelsClosed", entry.data_channels_closed);
  return object;
}

ordered_json write(const transport_stats& entry) {
  ordered_json object = start(entry, "transport");
  put(object, "packetsSent", entry.packets_sent);
  put(object, "packetsReceived", entry.packets_received);
  put(object, "bytesSent", entry.bytes_sent);
  put(object, "bytesReceived", entry.bytes_received);
  put(object, "iceRole", to_string(entry.ice_role));
  put(object, "iceLocalUsernameFragment", entry.ice_local_username_fragment);
  put(object, "dtlsState", to_string(entry.dtls_state));
  put(object, "iceState", to_string(entry.ice_state));
  put(object, "selectedCandidatePairId", entry.selected_candidate_pair_id);
  put(object, "localCertificateId", entry.local_certificate_id);
  put(object, "remoteCertificateId", entry.remote_certificate_id);
  put(object, "tlsVersion", entry.tls_version);
  put(object, "dtlsCipher", entry.dtls_cipher);
  put(object, "dtlsRole", to_string(entry.dtls_role));
  put(object, "selectedCandidatePairChanges", entry.selected_candidate_pair_changes);
  return object;
}

ordered_json write(const candidate_pair_stats& entry) {
  ordered_json object = start(entry, "candidate-pair");
  put(object, "transportId", entry.transport_id);
  put(object, "localCandidateId", entry.local_candidate_id);
  put(object, "remoteCandidateId", entry.remote_candidate_id);
  put(object, "state", to_string(entry.state));
  put(object, "nominated", entry.nominated);
  put(object, "packetsSent", entry.packets_sent);
  put(object, "packetsReceived", entry.packets_received);
  put(object, "bytesSent", entry.bytes_sent);
  put(object, "bytesReceived", entry.bytes_received);
  put(object, "lastPacketSentTimestamp", entry.last_packet_sent_timestamp);
  put(object, "lastPacketReceivedTimestamp", entry.last_packet_received_timestamp);
  put(object, "totalRoundTripTime", entry.total_round_trip_time);
  put(object, "currentRoundTripTime", entry.current_round_trip_time);
  put(object, "requestsReceived", entry.requests_received);
  put(object, "requestsSent", entry.requests_sent);
  put(object, "responsesReceived", entry.responses_received);
  put(object, "responsesSent", entry.responses_sent);
  put(object, "consentRequestsSent", entry.consent_requests_sent);
  return object;
}

ordered_json write(const ice_candidate_stats& entry, const char* type) {
  ordered_json object = start(entry, type);
  put(object, "transportId", entry.transport_id);
  put(object, "address", entry.address);
  put(object, "port", entry.port);
  put(object, "protocol", entry.protocol);
  put(object, "candidateType", to_string(entry.candidate_type));
  put(object, "priority", entry.priority);
  put(object, "url", entry.url);
  put(object, "relayProtocol", entry.relay_protocol);
  put(object, "foundation", entry.foundation);
  put(object, "relatedAddress", entry.related_address);
  put(object, "relatedPort", entry.related_port);
  put(object, "usernameFragment", entry.username_fragment);
  put(object, "tcpType", entry.tcp_type);
  return object;
}

ordered_json write(const certificate_stats& entry) {
  ordered_json object = start(entry, "certificate");
  put(object, "fingerprint", entry.fingerprint);
  put(object, "fingerprintAlgorithm", entry.fingerprint_algorithm);
  put(object, "base64Certificate", entry.base64_certificate);
  return object;
}

ordered_json write(const data_channel_stats& entry) {
  ordered_json object = start(entry, "data-channel");
  put(object, "label", entry.label);
  put(object, "protocol", entry.protocol);
  put(object, "dataChannelIdentifier", entry.data_channel_identifier);
  put(object, "state", to_string(entry.state));
  put(object, "messagesSent", entry.messages_sent);
  put(object, "bytesSent", entry.bytes_sent);
  put(object, "messagesReceived", entry.messages_received);
  put(object, "bytesReceived", entry.bytes_received);
  return object;
}

std::string to_text(const ordered_json& value) {
  // What is not UTF-8 can come only from who wrote into the report.
  return value.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

}  // namespace

std::string stats_report::to_json() const {
  std::string text = "{";
  const auto add = [&text](const auto& entries, auto... type) {
    for (const auto& entry : entries) {
      if (text.size() > 1) text += ',';
      text += to_text(entry.id) + ':' + to_text(write(entry, type...));
    }
  };
  if (peer_connection) add(std::span(&*peer_connection, 1));
  add(transports);
  add(candidate_pairs);
  add(local_candidates, "local-candidate");
  add(remote_candidates, "remote-candidate");
  add(certificates);
  add(data_channels);
  return text + '}';
}

}  // namespace asiortc::inline ASIORTC_ABI

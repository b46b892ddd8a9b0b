// The W3C's statistics (webrtc-stats), made of what the layers have counted when they are asked
// for.
#include "crypto/base64.hpp"
#include "crypto/published_fingerprint.hpp"
#include "peer/connection_states.hpp"
#include "peer/peer_impl.hpp"

#include <array>
#include <chrono>
#include <utility>

namespace asiortc::peer {
namespace {

/// There is one transport as yet.
constexpr const char* transport_id = "T1";

/// A number of the agent as text, its generation before the dash.
std::string name_of(const char* kind, std::uint64_t number) {
  std::string name(kind);
  name += std::to_string(number >> 32);
  name += '-';
  name += std::to_string(number & UINT32_MAX);
  return name;
}

std::string name_of_local(const ice::candidate& own) { return name_of("L", own.number); }
std::string name_of_remote(const ice::candidate& theirs) { return name_of("R", theirs.number); }

double in_seconds(base::duration time) { return std::chrono::duration<double>(time).count(); }

std::string hexadecimal(std::uint16_t value) {
  static constexpr std::string_view digits = "0123456789ABCDEF";
  std::string text;
  for (int shift = 12; shift >= 0; shift -= 4) text.push_back(digits[(value >> shift) & 15U]);
  return text;
}

dtls_transport_state to_public(dtls::state state) {
  switch (state) {
    case dtls::state::new_:
      return dtls_transport_state::new_;
    case dtls::state::connecting:
      return dtls_transport_state::connecting;
    case dtls::state::connected:
      return dtls_transport_state::connected;
    case dtls::state::closed:
      return dtls_transport_state::closed;
    case dtls::state::failed:
      break;
  }
  return dtls_transport_state::failed;
}

double unix_time(base::time_point when, base::duration wall_clock_offset) {
  return std::chrono::duration<double, std::milli>(when.time_since_epoch() + wall_clock_offset)
      .count();
}

template <class Entry>
Entry make_entry(std::string id, double timestamp) {
  Entry entry;
  entry.id = std::move(id);
  entry.timestamp = timestamp;
  return entry;
}

/// Fills a report for one moment.
class stats_maker {
 public:
  stats_maker(stats_report& report, base::time_point now, base::duration wall_clock_offset)
      : report_(report), offset_(wall_clock_offset), timestamp_(unix_time(now, offset_)) {}

  template <class Entry>
  [[nodiscard]] Entry make(std::string id) const {
    return make_entry<Entry>(std::move(id), timestamp_);
  }

  /// Returns its id.
  std::string add_certificate(base::byte_span der) {
    const auto shown =
        crypto::published(crypto::fingerprint_of(der, crypto::hash_algorithm::sha256));
    auto entry = make<certificate_stats>(std::string("C") + shown.value);
    entry.fingerprint = shown.value;
    entry.fingerprint_algorithm = shown.algorithm;
    entry.base64_certificate = crypto::base64(der);
    std::string id = entry.id;
    // Both sides may have the same.
    if (find_stats(report_.certificates, id) == nullptr) {
      report_.certificates.push_back(std::move(entry));
    }
    return id;
  }

  void add_pair(const ice::pair_report& row) {
    auto entry = make<candidate_pair_stats>(name_of("P", row.number));
    entry.transport_id = transport_id;
    entry.local_candidate_id = name_of_local(row.local);
    entry.remote_candidate_id = name_of_remote(row.remote);
    entry.state = row.state;
    entry.nominated = row.nominated;
    entry.packets_sent = row.data_sent.packets;
    entry.packets_received = row.data_received.packets;
    entry.bytes_sent = row.data_sent.bytes;
    entry.bytes_received = row.data_received.bytes;
    if (row.data_sent.packets > 0) {
      entry.last_packet_sent_timestamp = unix_time(row.data_sent.last, offset_);
    }
    if (row.data_received.packets > 0) {
      entry.last_packet_received_timestamp = unix_time(row.data_received.last, offset_);
    }
    entry.total_round_trip_time = in_seconds(row.total_round_trip_time);
    if (row.round_trip_time) entry.current_round_trip_time = in_seconds(*row.round_trip_time);
    entry.requests_received = row.requests_received;
    entry.requests_sent = row.requests_sent - row.requests_repeated - row.consent_requests_sent;
    entry.responses_received = row.responses_received;
    entry.responses_sent = row.responses_sent;
    entry.consent_requests_sent = row.consent_requests_sent;
    report_.candidate_pairs.push_back(std::move(entry));
  }

  void add_local(const ice::candidate& own, bool addresses_are_hidden) {
    if (find_stats(report_.local_candidates, name_of_local(own)) != nullptr) return;
    auto entry = describe(own, name_of_local(own));
    if (own.host_name.empty()) entry.address = own.address.address.to_string();
    if (!own.url.empty()) entry.url = own.url;
    if (!own.relay_protocol.empty()) entry.relay_protocol = own.relay_protocol;
    // What our checks made known is related to a socket, whose address is told in no other way.
    if (addresses_are_hidden) {
      entry.related_address.reset();
      entry.related_port.reset();
    }
    report_.local_candidates.push_back(std::move(entry));
  }

  void add_remote(const ice::candidate& theirs) {
    if (find_stats(report_.remote_candidates, name_of_remote(theirs)) != nullptr) return;
    auto entry = describe(theirs, name_of_remote(theirs));
    // webrtc-stats RTCIceCandidateStats.address: none but what was signalled is shown.
    if (!theirs.is_hidden && theirs.type != candidate_type::peer_reflexive) {
      entry.address = theirs.address.address.to_string();
    }
    report_.remote_candidates.push_back(std::move(entry));
  }

 private:
  ice_candidate_stats describe(const ice::candidate& candidate, std::string id) const {
    auto entry = make<ice_candidate_stats>(std::move(id));
    entry.transport_id = transport_id;
    entry.port = candidate.address.port;
    const bool tcp = candidate.protocol == ice::transport_protocol::tcp;
    entry.protocol = tcp ? "tcp" : "udp";
    if (tcp) entry.tcp_type = ice::to_string(candidate.tcp);
    entry.candidate_type = candidate.type;
    entry.priority = candidate.priority;
    entry.foundation = candidate.foundation;
    if (!candidate.ufrag.empty()) entry.username_fragment = candidate.ufrag;
    // RFC 8839 5.1: the unspecified address stands for one that is not told.
    if (candidate.type != candidate_type::host && candidate.related &&
        !candidate.related->address.is_unspecified()) {
      entry.related_address = candidate.related->address.to_string();
      entry.related_port = candidate.related->port;
    }
    return entry;
  }

  stats_report& report_;
  base::duration offset_;
  double timestamp_;
};

void add_dtls(transport_stats& entry, stats_maker& maker, const transport& over) {
  const dtls::endpoint* const dtls = over.dtls_endpoint();
  if (over.dtls_role()) {
    const bool client = *over.dtls_role() == dtls::role::client;
    entry.dtls_role = client ? dtls_role::client : dtls_role::server;
  }
  // Before there is a version, nobody has proved anything.
  if (dtls == nullptr || dtls->version() == 0) return;
  entry.tls_version = hexadecimal(dtls->version());
  entry.dtls_cipher = dtls->cipher();
  entry.remote_certificate_id = maker.add_certificate(dtls->remote_certificate());
}

}  // namespace

stats_report peer::impl::make_stats(base::time_point now) const {
  stats_report report;
  stats_maker maker(report, now, settings_.wall_clock_offset);
  auto own = maker.make<peer_connection_stats>("PC");
  const auto& counted = data_.channels().statistics();
  own.data_channels_opened = counted.channels_opened;
  own.data_channels_closed = counted.channels_closed;
  report.peer_connection = std::move(own);

  auto entry = maker.make<transport_stats>(transport_id);
  const ice::agent& agent = transport_->agent();
  const bool addresses_are_hidden = settings_.ice.hide_addresses;
  for (const auto& each : agent.local_candidates()) maker.add_local(each, addresses_are_hidden);
  for (const auto& each : agent.remote_candidates()) maker.add_remote(each);
  for (const auto& row : transport_->pairs()) {
    // webrtc-stats 6 candidate-pair: a restart deletes all but the one in use.
    if (row.is_of_old_generation && !row.selected) continue;
    maker.add_pair(row);
    maker.add_local(row.local, addresses_are_hidden);
    maker.add_remote(row.remote);
    if (row.selected) entry.selected_candidate_pair_id = report.candidate_pairs.back().id;
  }
  entry.packets_sent = transport_->sent().packets;
  entry.packets_received = transport_->received().packets;
  entry.bytes_sent = transport_->sent().bytes;
  entry.bytes_received = transport_->received().bytes;
  const local_session* const described = jsep_.effective_local();
  if (described != nullptr && described->data) {
    const bool controls = agent.current_role() == ice::role::controlling;
    entry.ice_role = controls ? ice_role::controlling : ice_role::controlled;
  }
  entry.ice_local_username_fragment = agent.local_credentials().ufrag;
  entry.ice_state = ice_state_;
  entry.dtls_state = to_public(transport_->dtls_state());
  entry.selected_candidate_pair_changes = agent.selected_pair_changes();
  entry.local_certificate_id = maker.add_certificate(settings_.identity->to_der());
  add_dtls(entry, maker, *transport_);
  report.transports.push_back(std::move(entry));
  return report;
}

std::optional<data_channel_stats> peer::impl::make_channel_stats(
    base::time_point now, datachannel::channel_key key) const {
  auto info = data_.channels().info(key);
  if (!info) return std::nullopt;
  std::string id = "D";
  id += std::to_string(static_cast<std::uint64_t>(key));
  auto entry =
      make_entry<data_channel_stats>(std::move(id), unix_time(now, settings_.wall_clock_offset));
  entry.label = std::move(info->label);
  entry.protocol = std::move(info->init.protocol);
  entry.data_channel_identifier = info->id;
  entry.state = info->state;
  entry.messages_sent = info->messages_sent;
  entry.bytes_sent = info->bytes_sent;
  entry.messages_received = info->messages_received;
  entry.bytes_received = info->bytes_received;
  return entry;
}

}  // namespace asiortc::peer

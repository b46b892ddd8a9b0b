// What people are shown of pairs, and of servers that gave nothing.
#include "peer/peer_impl.hpp"

#include <chrono>
#include <utility>

namespace asiortc::peer {
namespace {

using std::chrono::duration_cast;
using std::chrono::microseconds;
using std::chrono::milliseconds;

candidate_pair_info describe_row(const ice::pair_report& row, base::time_point now) {
  candidate_pair_info shown;
  shown.state = row.state;
  shown.nominated = row.nominated;
  shown.selected = row.selected;
  shown.priority = row.priority;
  shown.checks_sent = row.requests_sent;
  shown.checks_answered = row.responses_received;
  shown.checks_received = row.requests_received;
  if (row.round_trip_time)
    shown.round_trip_time = duration_cast<microseconds>(*row.round_trip_time);
  shown.total_round_trip_time = duration_cast<microseconds>(row.total_round_trip_time);
  shown.round_trips = row.round_trips;
  shown.packets_sent = row.data_sent.packets;
  shown.packets_received = row.data_received.packets;
  shown.bytes_sent = row.data_sent.bytes;
  shown.bytes_received = row.data_received.bytes;
  if (row.last_received) shown.heard_ago = duration_cast<milliseconds>(now - *row.last_received);
  shown.failure = row.failure;
  return shown;
}

}  // namespace

candidate_info peer::impl::describe(const ice::candidate& candidate) {
  candidate_info info;
  info.type = candidate.type;
  if (candidate.protocol == ice::transport_protocol::tcp) {
    info.protocol = "tcp";
    info.tcp_type = ice::to_string(candidate.tcp);
  }
  info.address =
      candidate.host_name.empty() ? candidate.address.address.to_string() : candidate.host_name;
  info.port = candidate.address.port;
  return info;
}

candidate_info peer::impl::describe_remote(const ice::candidate& candidate) const {
  candidate_info info = describe(candidate);
  // The other side hid its address behind a name, so it is not shown either.
  if (auto name = transport_->candidates().name_of(candidate.address)) {
    info.address = std::move(*name);
  }
  return info;
}

std::vector<candidate_pair_info> peer::impl::describe_pairs(base::time_point now) const {
  std::vector<candidate_pair_info> table;
  for (const auto& row : transport_->pairs()) {
    table.push_back(describe_row(row, now));
    table.back().local = describe(row.local);
    table.back().remote = describe_remote(row.remote);
  }
  return table;
}

void peer::impl::refresh_round_trip() {
  if (!selected_ || closed()) return;
  for (const auto& pair : transport_->agent().pairs()) {
    if (pair.selected) selected_->round_trip_time = pair.round_trip_time;
  }
}

void peer::impl::tell_candidate_error(std::string url, base::socket_id from, std::uint16_t code,
                                      std::string text) {
  ice_candidate_error error;
  error.url = std::move(url);
  if (const auto local = transport_->address_of(from)) {
    error.address = local->address.to_string();
    error.port = local->port;
  }
  error.code = code == 0 ? ice_candidate_error::not_reached : code;
  error.text = std::move(text);
  push(ice_candidate_error_event{std::move(error)});
}

}  // namespace asiortc::peer

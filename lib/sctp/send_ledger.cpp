#include "sctp/send_ledger.hpp"

#include "sctp/wire.hpp"

#include <algorithm>
#include <utility>

namespace asiortc::sctp {
namespace {

// RFC 9260 3.3.1: TSN, stream, SSN and PPID come before the user data (the header not counted).
constexpr std::size_t data_fields = 12;
// Settled flights are thrown out when there are so many.
constexpr std::size_t compact_after = 1024;

// RFC 9260 1.6: TSNs are compared by serial number arithmetic (RFC 1982).
bool is_after(std::uint32_t a, std::uint32_t b) { return static_cast<std::int32_t>(a - b) > 0; }

}  // namespace

void send_ledger::queued(stream_id stream, std::size_t bytes) {
  owed_[stream] += bytes;
  total_ += bytes;
}

void send_ledger::packet_out(base::byte_span packet) {
  for_each_chunk(packet, [this](const chunk& next) {
    if (next.type == chunk_type::data) note_data(next.body);
  });
}

void send_ledger::note_data(base::byte_span body) {
  base::byte_reader reader(body);
  flight next;
  next.tsn = reader.u32();
  next.stream = reader.u16();
  if (body.size() < data_fields) return;
  if (any_sent_ && !is_after(next.tsn, newest_tsn_)) return;
  any_sent_ = true;
  newest_tsn_ = next.tsn;
  next.bytes = static_cast<std::uint16_t>(body.size() - data_fields);
  flights_.push_back(next);
}

void send_ledger::packet_in(base::byte_span packet) {
  for_each_chunk(packet, [this](const chunk& next) {
    if (next.type != chunk_type::sack) return;
    base::byte_reader reader(next.body);
    const std::uint32_t cumulative_tsn = reader.u32();
    if (reader.ok()) settle_up_to(cumulative_tsn);
  });
}

void send_ledger::settle_up_to(std::uint32_t cumulative_tsn) {
  while (first_ < flights_.size() && !is_after(flights_[first_].tsn, cumulative_tsn)) {
    const flight& done = flights_[first_++];
    settle(stream_id{done.stream}, done.bytes);
  }
  if (first_ == flights_.size()) {
    flights_.clear();
    first_ = 0;
  } else if (first_ >= compact_after) {
    flights_.erase(flights_.begin(), flights_.begin() + static_cast<std::ptrdiff_t>(first_));
    first_ = 0;
  }
}

void send_ledger::never_sent(stream_id stream, std::size_t bytes) { settle(stream, bytes); }

void send_ledger::settle(stream_id stream, std::size_t bytes) {
  const auto found = owed_.find(stream);
  if (found == owed_.end()) return;
  bytes = std::min(bytes, found->second);
  if (bytes == 0) return;
  found->second -= bytes;
  total_ -= bytes;
  if (!settled_.empty() && settled_.back().stream == stream) {
    settled_.back().bytes += bytes;
  } else {
    settled_.push_back({stream, bytes});
  }
}

void send_ledger::settle_all() {
  for (const auto& [stream, bytes] : owed_) settle(stream, bytes);
  flights_ = {};
  first_ = 0;
}

void send_ledger::forget(stream_id stream) {
  settle(stream, unacknowledged(stream));
  owed_.erase(stream);
}

std::size_t send_ledger::unacknowledged(stream_id stream) const {
  const auto found = owed_.find(stream);
  return found == owed_.end() ? 0 : found->second;
}

std::vector<acknowledged> send_ledger::take_settled() { return std::exchange(settled_, {}); }

}  // namespace asiortc::sctp

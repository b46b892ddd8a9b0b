// How much of what was sent on each stream is not acknowledged yet. An engine that does not tell
// is watched: DATA chunks on their way out, SACKs on their way in.
#pragma once

#include "sctp/association.hpp"

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <vector>

namespace asiortc::sctp {

class send_ledger {
 public:
  /// The engine took a message.
  void queued(stream_id stream, std::size_t bytes);

  /// Looks at a packet that leaves: new DATA chunks are noted (retransmissions are known by TSN).
  void packet_out(base::byte_span packet);

  /// Looks at a packet that came: what a SACK acknowledges cumulatively is settled. A chunk that
  /// was abandoned (RFC 3758) is settled so too, once the peer acknowledges the FORWARD TSN.
  void packet_in(base::byte_span packet);

  /// Bytes that were given up before they were ever sent.
  void never_sent(stream_id stream, std::size_t bytes);

  /// The engine has nothing left to send or to be acknowledged.
  void settle_all();

  /// Forgets a stream that was reset; what it still owes is settled.
  void forget(stream_id stream);

  [[nodiscard]] std::size_t unacknowledged(stream_id stream) const;
  [[nodiscard]] std::size_t unacknowledged() const { return total_; }

  /// What was settled since the last call.
  std::vector<acknowledged> take_settled();

 private:
  struct flight {
    std::uint32_t tsn = 0;
    std::uint16_t stream = 0;
    std::uint16_t bytes = 0;
  };

  void note_data(base::byte_span body);
  void settle_up_to(std::uint32_t cumulative_tsn);
  void settle(stream_id stream, std::size_t bytes);

  std::vector<flight> flights_;  ///< by TSN; those before `first_` are settled
  std::size_t first_ = 0;
  bool any_sent_ = false;
  std::uint32_t newest_tsn_ = 0;
  std::unordered_map<stream_id, std::size_t> owed_;
  std::size_t total_ = 0;
  std::vector<acknowledged> settled_;
};

}  // namespace asiortc::sctp

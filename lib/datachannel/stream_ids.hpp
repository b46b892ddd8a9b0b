// Which stream each channel has, and what becomes of a stream before, between and after channels.
#pragma once

#include "base/bytes.hpp"
#include "datachannel/fifo.hpp"
#include "sctp/association.hpp"

#include <cstdint>
#include <optional>
#include <set>
#include <unordered_map>
#include <vector>

namespace asiortc::datachannel {

struct channel;

/// Something that came on a stream before the channel it belongs to existed here.
struct early_item {
  bool is_reset = false;  ///< not a message: the peer reset its side
  sctp::ppid ppid{};
  base::bytes payload;
};

/// A stream that is not at rest. A stream has no owner while it only holds early messages, and
/// while one that nobody here wanted is being reset.
struct stream_slot {
  channel* owner = nullptr;
  bool resetting = false;      ///< we asked for the reset of our side
  bool outgoing_done = false;  ///< … and it was performed
  bool incoming_done = false;  ///< the peer reset its side; what comes now is for the next channel
  bool refuse_next = false;    ///< the next channel sent more than may wait
  fifo<early_item> early;
};

class stream_ids {
 public:
  /// RFC 8832 6: "the side that is acting as the DTLS client MUST use … even identifiers".
  void set_parity(bool even) { next_ = even ? 0 : 1; }
  [[nodiscard]] bool has_parity() const { return next_.has_value(); }
  /// Whether the id is one that we may open in band.
  [[nodiscard]] bool is_ours(std::uint16_t id) const { return next_ && id % 2 == *next_ % 2; }

  /// The lowest free id of our parity below `limit`.
  std::optional<std::uint16_t> allocate(std::uint32_t limit);

  stream_slot* find(std::uint16_t id);
  [[nodiscard]] const stream_slot* find(std::uint16_t id) const;
  /// Finds or makes.
  stream_slot& slot(std::uint16_t id) { return slots_[id]; }
  /// The stream has a channel now.
  void take(std::uint16_t id, channel& owner);
  /// Whether a reset of a stream that is at rest is to be answered by ours: once, until the stream
  /// is used again. Otherwise two sides that both answer would never end.
  bool may_answer_reset(std::uint16_t id);
  void mark_used(std::uint16_t id);
  /// The stream is at rest again.
  void release(std::uint16_t id);
  void clear() { slots_.clear(); }

  [[nodiscard]] const std::unordered_map<std::uint16_t, stream_slot>& slots() const {
    return slots_;
  }

 private:
  std::unordered_map<std::uint16_t, stream_slot> slots_;
  std::optional<std::uint32_t> next_;  ///< none of our parity was given out from here on
  std::vector<bool> answered_;         ///< by id, as long as it has to be
  std::set<std::uint16_t> returned_;   ///< of our parity, below `next_`, perhaps free
};

}  // namespace asiortc::datachannel

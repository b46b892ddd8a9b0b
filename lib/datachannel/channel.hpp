// One data channel as the table keeps it.
#pragma once

#include "base/result.hpp"
#include "datachannel/fifo.hpp"
#include "datachannel/outgoing.hpp"
#include "datachannel/table.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace asiortc::datachannel {

/// Sizes of the messages that were given out and not consumed, so that the empty ones count too.
class unread_messages {
 public:
  /// What keeping a message costs besides its bytes; the price keeps endless empty ones bounded.
  static constexpr std::size_t overhead = 64;

  std::size_t add(std::size_t bytes) {
    sizes_.push_back(bytes);
    cost_ += bytes + overhead;
    return bytes + overhead;
  }

  /// Returns how much less is held.
  std::size_t consume(std::size_t bytes) {
    const std::size_t before = cost_;
    while (!sizes_.empty() && sizes_.front() <= bytes) {
      bytes -= sizes_.front();
      cost_ -= sizes_.pop_front() + overhead;
    }
    if (!sizes_.empty()) {
      sizes_.front() -= bytes;
      cost_ -= bytes;
    }
    return before - cost_;
  }

  std::size_t clear() {
    sizes_.clear();
    return std::exchange(cost_, 0);
  }

 private:
  fifo<std::size_t> sizes_;
  std::size_t cost_ = 0;
};

struct channel {
  channel_key key{};
  channel_info info;  ///< `buffered_amount` is kept up to date by `table::impl::settle`
  outgoing out;
  unread_messages unread;
  base::bytes partial;  ///< the pieces so far of a message in pieces (PPID 52 and 54)
  base::failure end_reason = boost::system::error_code{};  ///< what `closed` will tell
  std::size_t low_threshold = 0;
  std::size_t text_of_peer = 0;  ///< bytes of label and protocol, if the peer opened it
  /// Bytes that the channel may send before it is the next one's turn; below 0 it owes turns.
  std::int64_t credit = 0;
  bool announced = false;     ///< the peer may know of it, so that its end needs resets
  bool awaiting_ack = false;  ///< our OPEN is not acknowledged yet
  bool scheduled = false;     ///< stands in the ring of those that have something to send
  bool busy = false;          ///< counted among those that keep the table from being idle
  bool discarding = false;    ///< nobody reads from it any more
  bool forgotten = false;     ///< nobody holds it any more: gone once it is closed

  [[nodiscard]] bool is_live() const {
    return info.state == data_channel_state::connecting || info.state == data_channel_state::open;
  }
  [[nodiscard]] bool is_closed() const { return info.state == data_channel_state::closed; }
};

}  // namespace asiortc::datachannel

// What a channel has to send and has sent: the queue, the amounts, and who waits for a flush.
#pragma once

#include "base/bytes.hpp"
#include "base/time.hpp"
#include "datachannel/fifo.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace asiortc::datachannel {

enum class outgoing_kind : std::uint8_t { open, ack, text, binary };

struct outgoing_message {
  outgoing_kind kind = outgoing_kind::binary;
  std::uint64_t ticket = 0;  ///< 0 for DCEP
  base::time_point queued_at;
  base::bytes payload;

  [[nodiscard]] bool is_user_data() const { return ticket != 0; }
};

class outgoing {
 public:
  void push(outgoing_message message);
  [[nodiscard]] bool empty() const { return queue_.empty(); }
  [[nodiscard]] const outgoing_message& front() const { return queue_.front(); }
  [[nodiscard]] bool holds_user_data() const;

  /// Life times are counted from here: nothing could be sent before.
  void restart_clock(base::time_point now);

  /// The front was handed to SCTP as so many bytes.
  void front_sent(std::size_t wire_bytes);
  /// The front is given up.
  void front_dropped();
  /// Takes a message back; false if it is not queued any more.
  bool cancel(std::uint64_t ticket);
  /// Gives up all that is queued, and returns the tickets.
  std::vector<std::uint64_t> drop_queued();

  /// The peer's SCTP has so many bytes more.
  void acknowledge(std::size_t wire_bytes);
  /// Nothing that was sent is in flight any more.
  void acknowledge_all();

  /// Asks to be told when all that is queued now is acknowledged.
  void add_flush(std::uint64_t ticket);
  /// Flushes that are done, in order.
  std::vector<std::uint64_t> take_flushed();
  /// Flushes that wait for a message which is still queued and never will be sent; or all.
  std::vector<std::uint64_t> take_hopeless_flushes(bool all);

  /// User data queued or in flight.
  [[nodiscard]] std::size_t buffered_amount() const { return buffered_; }
  /// Nothing queued, nothing in flight.
  [[nodiscard]] bool idle() const { return queue_.empty() && acknowledged_ == sent_; }

 private:
  // DCEP, and the dummy byte of an empty message, are sent but are no user data.
  struct flight {
    std::size_t bytes = 0;
    bool user_data = false;
  };
  struct flush_waiter {
    std::uint64_t ticket = 0;
    std::uint64_t last_message = 0;         ///< waits until this one left the queue …
    std::optional<std::uint64_t> position;  ///< … and then for so many bytes to be acknowledged
  };

  void place_flushes();

  fifo<outgoing_message> queue_;
  fifo<flight> in_flight_;
  fifo<flush_waiter> flushes_;
  std::size_t buffered_ = 0;
  std::uint64_t sent_ = 0;          ///< bytes on the wire, all told
  std::uint64_t acknowledged_ = 0;  ///< of `sent_`
};

}  // namespace asiortc::datachannel

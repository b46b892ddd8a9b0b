// What OpenSSL has written in a handshake, so that we can go on where it stopped.
#pragma once

#include "dtls/record.hpp"

#include <array>

namespace asiortc::dtls {

class written_records {
 public:
  void note(base::byte_span datagram) {
    while (const auto found = take_record(datagram)) {
      if (found->epoch >= next_.size()) continue;
      next_[found->epoch] = found->sequence + 1;
      if (found->epoch == 1 && found->type == content_type::handshake) {
        finished_.assign(found->whole.begin(), found->whole.end());
      }
    }
  }

  /// The sequence number after the last one written in the epoch, 0 or 1.
  [[nodiscard]] std::uint64_t next(std::uint16_t epoch) const { return next_.at(epoch); }

  /// The record of our Finished, the only handshake message of epoch 1; empty before.
  [[nodiscard]] base::byte_span finished() const { return finished_; }

 private:
  std::array<std::uint64_t, 2> next_{};
  base::bytes finished_;
};

}  // namespace asiortc::dtls

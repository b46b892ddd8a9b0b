// Sends the packets of a batch with as few system calls as the kernel allows.
#pragma once

#include "base/packet.hpp"

#include <cstddef>
#include <vector>

namespace asiortc::io {

/// Runs of packets of one size to one destination go as one message that the kernel (or the card)
/// cuts into datagrams (UDP_SEGMENT), and up to 32 such messages in one sendmmsg.
class datagram_sender {
 public:
  /// False sends each packet as a message of its own.
  explicit datagram_sender(bool segmentation = true) : segmentation_(segmentation) {}

  /// Sends entries [first, last) and gives the index of the first that waits for writability,
  /// or `last`. Packets that cannot be sent are dropped, and their routes appended to `failed`.
  std::size_t send(int fd, const base::packet_batch& batch, std::size_t first, std::size_t last,
                   std::vector<base::route>& failed);

  /// Turned off for good when the kernel refuses a run whose packets it takes one by one.
  [[nodiscard]] bool segmentation() const { return segmentation_; }

 private:
  bool segmentation_;
};

}  // namespace asiortc::io

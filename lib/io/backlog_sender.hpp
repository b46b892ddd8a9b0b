// Sends over a descriptor, and keeps what the kernel has no room for.
#pragma once

#include "base/packet.hpp"
#include "io/datagram_sender.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace asiortc::io {

class backlog_sender {
 public:
  /// What is kept while the kernel's buffer is full; packets beyond it are lost, as on a network.
  static constexpr std::size_t max_bytes = 4 * 1024 * 1024;

  explicit backlog_sender(datagram_sender sender = datagram_sender()) : sender_(sender) {}

  /// Sends entries [first, last) behind what is kept.
  void send(int fd, const base::packet_batch& batch, std::size_t first, std::size_t last,
            std::vector<base::route>& failed);
  /// The descriptor has become writable.
  void send_kept(int fd, std::vector<base::route>& failed);
  [[nodiscard]] bool blocked() const { return sent_ < kept_.size(); }
  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }
  /// Forgets what is kept.
  void clear();

 private:
  void keep(const base::packet_batch& batch, std::size_t first, std::size_t last);

  datagram_sender sender_;
  base::packet_batch kept_;
  std::size_t sent_ = 0;
  std::uint64_t dropped_ = 0;
};

}  // namespace asiortc::io

// Memory for one receive call of many datagrams; it belongs to a context and is lent to its peers.
#pragma once

#include "base/packet.hpp"
#include "io/socket_address.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <sys/socket.h>
#include <vector>

namespace asiortc::io {

/// Receive calls a turn: a flood on one socket must not keep the thread.
inline constexpr int max_receives_a_turn = 4;

class receive_buffers {
 public:
  /// Messages a call. With GRO (generic receive offload) each may hold up to 64 datagrams.
  static constexpr std::size_t slots = 32;
  static constexpr std::size_t slot_size = 65536;

  struct outcome {
    std::size_t messages = 0;
    int error = 0;  ///< errno; EAGAIN when there was nothing
  };

  /// One recvmmsg. What it replaces was valid until now.
  outcome receive(int fd, base::socket_id local, base::time_point now);
  /// What the last call brought, GRO's merged messages split into their datagrams.
  [[nodiscard]] std::span<const base::datagram> datagrams() const { return datagrams_; }

 private:
  struct alignas(8) control_space {
    std::array<std::uint8_t, CMSG_SPACE(sizeof(int))> bytes;
  };

  void prepare();
  void split(const mmsghdr& received, std::size_t slot, base::datagram pattern);

  // Pages of it are real only once the kernel has written there.
  std::unique_ptr<std::uint8_t[]> memory_;
  std::array<mmsghdr, slots> headers_{};
  std::array<iovec, slots> vectors_{};
  std::array<socket_address, slots> senders_;
  std::array<control_space, slots> controls_;
  std::vector<base::datagram> datagrams_;
};

}  // namespace asiortc::io

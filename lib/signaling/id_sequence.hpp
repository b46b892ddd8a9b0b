// Peer ids of a room: random to look at, never the same twice, without a memory of those given.
#pragma once

#include "base/random.hpp"
#include "signaling/messages.hpp"

#include <array>
#include <cstddef>
#include <cstdint>

namespace asiortc::signaling {

/// A counter sent through a permutation of the 32-bit numbers that the room's keys choose (a
/// Feistel network is a permutation whatever its round function). Ids are no secrets, so the round
/// function need not be strong.
class id_sequence {
 public:
  explicit id_sequence(base::random_source& random) {
    for (auto& key : keys_) key = random.u32();
  }

  /// 1 to 2147483647; repeats only after all of them.
  peer_id next() {
    for (;;) {
      const std::uint32_t value = permute(counter_++);
      if (value != 0 && value <= static_cast<std::uint32_t>(max_peer_id)) {
        return static_cast<peer_id>(value);
      }
    }
  }

 private:
  [[nodiscard]] std::uint32_t permute(std::uint32_t value) const {
    std::uint32_t left = value >> 16;
    std::uint32_t right = value & 0xffff;
    for (const std::uint32_t key : keys_) {
      std::uint32_t mixed = (right + key) * 0x9e3779b1U;
      mixed = (mixed ^ (mixed >> 15) ^ key) * 0x85ebca6bU;
      const std::uint32_t next = left ^ (mixed >> 16);
      left = right;
      right = next;
    }
    return left << 16 | right;
  }

  std::array<std::uint32_t, 6> keys_{};
  std::uint32_t counter_ = 0;
};

}  // namespace asiortc::signaling

// A peer that sends what no engine of ours would: it takes over from one side once both are
// connected.
#pragma once

#include "pair.hpp"

#include <cstdint>

namespace asiortc::test {

/// RFC 9260 3.3.1, the flags of a DATA chunk.
struct fragment {
  std::uint16_t stream = 0;
  bool unordered = false;
  bool begins = false;
  bool ends = false;
  std::size_t size = 0;
};

/// Speaks for `a`, to which nothing that `b` answers is given.
class forged_sender {
 public:
  /// Before the ends connect.
  explicit forged_sender(pair& ends);

  /// In a packet of its own.
  void send(const fragment& piece);

  /// As the last SACK has them.
  [[nodiscard]] std::uint32_t window() const { return window_; }
  [[nodiscard]] std::uint32_t acknowledged_chunks() const { return cumulative_ + 1 - first_tsn_; }

 private:
  void learn(base::byte_span packet);

  pair& ends_;
  base::bytes header_;
  std::uint32_t first_tsn_ = 0;
  std::uint32_t sent_ = 0;
  std::uint32_t window_ = UINT32_MAX;
  std::uint32_t cumulative_ = 0;
};

}  // namespace asiortc::test

// A bounded store for datagrams that came before they could be read.
#pragma once

#include "base/bytes.hpp"

#include <utility>
#include <vector>

namespace asiortc::dtls {

class early_datagrams {
 public:
  early_datagrams(std::size_t most_datagrams, std::size_t most_bytes)
      : most_datagrams_(most_datagrams), most_bytes_(most_bytes) {}

  /// False when it is full; the datagram is lost then, as on a full wire.
  bool keep(base::byte_span datagram) {
    if (kept_.size() >= most_datagrams_ || bytes_ + datagram.size() > most_bytes_) return false;
    kept_.emplace_back(datagram.begin(), datagram.end());
    bytes_ += datagram.size();
    return true;
  }

  /// All that was kept, in order; the store is empty afterwards.
  [[nodiscard]] std::vector<base::bytes> take() {
    bytes_ = 0;
    return std::exchange(kept_, {});
  }

 private:
  std::size_t most_datagrams_;
  std::size_t most_bytes_;
  std::size_t bytes_ = 0;
  std::vector<base::bytes> kept_;
};

}  // namespace asiortc::dtls

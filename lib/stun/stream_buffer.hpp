// Bytes of a stream that have arrived and are not taken yet.
#pragma once

#include "base/bytes.hpp"

#include <algorithm>
#include <cstddef>

namespace asiortc::stun {

/// The owner reads from its socket into `prepare` and says with `commit` how much came. A piece
/// that was taken stays valid until the next `prepare`. The memory is reused, and grows no further
/// than the largest frame and what one `prepare` asks for.
class stream_buffer {
 public:
  base::mutable_byte_span prepare(std::size_t size) {
    std::copy(storage_.begin() + static_cast<std::ptrdiff_t>(begin_),
              storage_.begin() + static_cast<std::ptrdiff_t>(end_), storage_.begin());
    end_ -= begin_;
    begin_ = 0;
    if (storage_.size() < end_ + size) storage_.resize(end_ + size);
    return base::mutable_byte_span(storage_).subspan(end_, size);
  }

  void commit(std::size_t size) { end_ += size; }

  [[nodiscard]] base::byte_span waiting() const {
    return base::byte_span(storage_).subspan(begin_, end_ - begin_);
  }

  /// The next `size` bytes, which must have arrived.
  base::mutable_byte_span take(std::size_t size) {
    const auto piece = base::mutable_byte_span(storage_).subspan(begin_, size);
    begin_ += size;
    return piece;
  }

 private:
  base::bytes storage_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace asiortc::stun

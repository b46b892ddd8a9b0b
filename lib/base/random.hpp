// Where a core's random numbers come from: OpenSSL in production, a seed in tests.
#pragma once

#include "base/bytes.hpp"

#include <cstdint>
#include <string>

namespace asiortc::base {

class random_source {
 public:
  virtual ~random_source() = default;
  virtual void fill(mutable_byte_span out) = 0;

  std::uint64_t u64();
  std::uint32_t u32() { return static_cast<std::uint32_t>(u64()); }
  /// Uniform in [0, bound); `bound` > 0.
  std::uint64_t below(std::uint64_t bound);
  /// `length` characters of ice-char (RFC 8839 5.4: ALPHA / DIGIT / "+" / "/"), 6 bits each.
  std::string ice_chars(std::size_t length);
};

}  // namespace asiortc::base

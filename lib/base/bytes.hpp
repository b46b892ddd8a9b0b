// Reading and writing network byte order within bounds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace asiortc::base {

using bytes = std::vector<std::uint8_t>;
using byte_span = std::span<const std::uint8_t>;
using mutable_byte_span = std::span<std::uint8_t>;

inline byte_span as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

inline std::string_view as_text(byte_span data) {
  return {reinterpret_cast<const char*>(data.data()), data.size()};
}

/// Takes integers and pieces from the front of a span. A read past the end returns nothing or
/// zero and makes `ok()` false for good, so that a parser may check once at its end.
class byte_reader {
 public:
  explicit byte_reader(byte_span data) : data_(data) {}

  std::uint8_t u8() { return static_cast<std::uint8_t>(integer(1)); }
  std::uint16_t u16() { return static_cast<std::uint16_t>(integer(2)); }
  std::uint32_t u32() { return static_cast<std::uint32_t>(integer(4)); }
  std::uint64_t u64() { return integer(8); }

  byte_span take(std::size_t count) {
    if (count > data_.size()) {
      fail();
      return {};
    }
    const byte_span piece = data_.first(count);
    data_ = data_.subspan(count);
    return piece;
  }

  [[nodiscard]] std::size_t remaining() const { return data_.size(); }
  [[nodiscard]] byte_span rest() const { return data_; }
  [[nodiscard]] bool ok() const { return ok_; }

 private:
  void fail() {
    ok_ = false;
    data_ = {};
  }

  std::uint64_t integer(std::size_t width) {
    std::uint64_t value = 0;
    for (const std::uint8_t byte : take(width)) value = value << 8 | byte;
    return value;
  }

  byte_span data_;
  bool ok_ = true;
};

/// Appends integers and pieces to a vector.
class byte_writer {
 public:
  explicit byte_writer(bytes& out) : out_(out) {}

  void u8(std::uint8_t value) { out_.push_back(value); }
  void u16(std::uint16_t value) { integer(value, 2); }
  void u32(std::uint32_t value) { integer(value, 4); }
  void u64(std::uint64_t value) { integer(value, 8); }
  void append(byte_span data) { out_.insert(out_.end(), data.begin(), data.end()); }
  void zeros(std::size_t count) { out_.resize(out_.size() + count); }

  /// Overwrites two bytes written before, e.g. a length that is known only at the end.
  void patch_u16(std::size_t position, std::uint16_t value) {
    out_[position] = static_cast<std::uint8_t>(value >> 8);
    out_[position + 1] = static_cast<std::uint8_t>(value);
  }

  [[nodiscard]] std::size_t size() const { return out_.size(); }

 private:
  void integer(std::uint64_t value, std::size_t width) {
    while (width-- > 0) out_.push_back(static_cast<std::uint8_t>(value >> (8 * width)));
  }

  bytes& out_;
};

}  // namespace asiortc::base

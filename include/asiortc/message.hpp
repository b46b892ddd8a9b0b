// A message of a data channel.
#pragma once

#include <asiortc/config.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace asiortc::inline ASIORTC_ABI {

/// Text (valid UTF-8 when it was sent by a conforming peer) or bytes (RFC 8831 6.6). Move it: the
/// bytes are owned. One that was moved from is empty. Thread safety: that of a `std::vector`.
class ASIORTC_EXPORT message {
 public:
  message() = default;
  /// Takes `content` over; `text` says of which kind it is. UTF-8 is checked by `async_send`.
  message(std::vector<std::uint8_t> content, bool text)
      : bytes_(std::move(content)), is_text_(text) {}

  /// Whether it is text; false for bytes.
  [[nodiscard]] bool is_text() const noexcept { return is_text_; }
  /// Whether it has no content; such a message can be sent, too.
  [[nodiscard]] bool empty() const noexcept { return bytes_.empty(); }
  /// The content's length in bytes, whatever its kind.
  [[nodiscard]] std::size_t size() const noexcept { return bytes_.size(); }
  /// The content as characters, whatever its kind; valid while the message lives.
  [[nodiscard]] std::string_view text() const noexcept {
    return {reinterpret_cast<const char*>(bytes_.data()), bytes_.size()};
  }
  /// The content as bytes, whatever its kind; valid while the message lives.
  [[nodiscard]] std::span<const std::uint8_t> bytes() const noexcept { return bytes_; }
  /// Takes the bytes out without a copy.
  [[nodiscard]] std::vector<std::uint8_t> take() && noexcept { return std::move(bytes_); }

  /// Whether kind and content are equal.
  bool operator==(const message&) const = default;

 private:
  std::vector<std::uint8_t> bytes_;
  bool is_text_ = false;
};

}  // namespace asiortc::inline ASIORTC_ABI

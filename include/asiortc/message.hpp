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

/// Text (valid UTF-8 when it was sent by a conforming peer) or bytes. Move it: the bytes are owned.
class ASIORTC_EXPORT message {
 public:
  message() = default;
  message(std::vector<std::uint8_t> content, bool text)
      : bytes_(std::move(content)), is_text_(text) {}

  [[nodiscard]] bool is_text() const noexcept { return is_text_; }
  [[nodiscard]] bool empty() const noexcept { return bytes_.empty(); }
  [[nodiscard]] std::size_t size() const noexcept { return bytes_.size(); }
  /// The content as characters, whatever its kind; valid while the message lives.
  [[nodiscard]] std::string_view text() const noexcept {
    return {reinterpret_cast<const char*>(bytes_.data()), bytes_.size()};
  }
  /// The content as bytes, whatever its kind; valid while the message lives.
  [[nodiscard]] std::span<const std::uint8_t> bytes() const noexcept { return bytes_; }
  /// Takes the bytes out without a copy.
  [[nodiscard]] std::vector<std::uint8_t> take() && noexcept { return std::move(bytes_); }

  bool operator==(const message&) const = default;

 private:
  std::vector<std::uint8_t> bytes_;
  bool is_text_ = false;
};

}  // namespace asiortc::inline ASIORTC_ABI

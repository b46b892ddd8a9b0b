// Which records were seen already (RFC 6347 4.1.2.6).
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

namespace asiortc::dtls {

/// A bit for each of the last numbers. RFC 6347 asks for 32 and prefers 64; batches of segmented
/// datagrams at a gigabit overtake each other by more, and a refused record counts as lost to SCTP.
class replay_window {
 public:
  /// Numbers this far behind the highest are too old.
  static constexpr std::uint64_t size = 1024;

  [[nodiscard]] bool is_fresh(std::uint64_t number) const {
    if (number > highest_) return true;
    return highest_ - number < size && (word_of(number) & bit_of(number)) == 0;
  }

  /// Only for a number whose record was authenticated: "The receive window is updated only if the
  /// MAC verification succeeds."
  void accept(std::uint64_t number) {
    // Nothing shifts: the words between the highest number and the new one begin again.
    const std::uint64_t ahead = number > highest_ ? number / 64 - highest_ / 64 : 0;
    for (std::uint64_t i = 1; i <= std::min<std::uint64_t>(ahead, words); ++i) {
      words_[(highest_ / 64 + i) % words] = 0;
    }
    highest_ = std::max(highest_, number);
    words_[number / 64 % words] |= bit_of(number);
  }

 private:
  // One more than the size needs, since the newest word is partly ahead of the highest number.
  static constexpr std::size_t words = size / 64 + 1;

  static std::uint64_t bit_of(std::uint64_t number) { return std::uint64_t{1} << number % 64; }
  [[nodiscard]] std::uint64_t word_of(std::uint64_t number) const {
    return words_[number / 64 % words];
  }

  std::uint64_t highest_ = 0;
  std::array<std::uint64_t, words> words_{};
};

}  // namespace asiortc::dtls

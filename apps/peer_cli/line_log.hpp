// The lines that were read, and how far each of the others has got in them.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>

namespace peer_cli {

/// One log for all; who is owed lines has a place in it. Time is told, not asked.
class line_log {
 public:
  using time_point = std::chrono::steady_clock::time_point;
  /// Of a line, counted from the first that was ever read.
  using place = std::uint64_t;

  /// Somebody who comes so soon after a line was said gets it too: of several that start together,
  /// none knows who else is on the way.
  static constexpr std::chrono::seconds recent{2};
  /// Lines that were said are kept for newcomers no further than this.
  static constexpr std::size_t max_recent_bytes = 1048576;
  /// Past it nothing more should be read, and nothing is lost.
  static constexpr std::size_t max_bytes = 16777216;

  void add(std::string text);
  /// The line at the place, which counts as said to somebody from now on.
  std::string say(place which, time_point now);
  /// Drops what neither those who are at `needed` or further nor a newcomer would get.
  void trim(place needed, time_point now);

  /// Behind the last line.
  [[nodiscard]] place end() const { return first_ + lines_.size(); }
  /// Behind the last line that was said to anybody.
  [[nodiscard]] place said() const { return said_; }
  [[nodiscard]] bool all_said() const { return said_ == end(); }
  /// Where somebody who comes now begins: with the recent lines, and with those that nobody has
  /// heard yet.
  [[nodiscard]] place for_newcomer(time_point now) const;
  [[nodiscard]] bool full() const { return bytes_ >= max_bytes; }

 private:
  struct line {
    std::string text;
    time_point said_at;
  };

  [[nodiscard]] static std::size_t size_of(const line& which);

  std::deque<line> lines_;
  place first_ = 0;  // of the lines
  place said_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace peer_cli

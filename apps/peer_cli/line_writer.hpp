// Standard output, line by line, without blocking: a terminal, a pipe, a socket or a file.
#pragma once

#include "readiness.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace peer_cli {

/// A pager that nobody scrolls, or a terminal that was stopped, holds up those who write lines and
/// nothing else of this thread.
class line_writer {
 public:
  explicit line_writer(const boost::asio::any_io_executor& executor);

  /// Completes once the line and all before it are written, or never will be. Lines are written
  /// whole, in the order of the calls.
  boost::asio::awaitable<void> write(std::string line);
  /// What is not written yet never will be.
  void abandon();
  /// Whether the output refused to be written; then all writes complete at once.
  [[nodiscard]] bool failed() const { return failed_; }

 private:
  enum class way { non_blocking, socket, blocking };

  static way open_own_output(int& descriptor);
  [[nodiscard]] std::ptrdiff_t put(std::string_view bytes) const;
  boost::asio::awaitable<void> write_some();
  void fail();

  int descriptor_ = -1;
  way way_;
  readiness room_;
  boost::asio::steady_timer progress_;  // cancelled when some of it was written
  std::string pending_;
  std::uint64_t queued_ = 0;   // bytes, ever
  std::uint64_t written_ = 0;  // bytes, ever
  bool writing_ = false;       // by one of those who wait, for all
  bool ended_ = false;
  bool failed_ = false;
};

}  // namespace peer_cli

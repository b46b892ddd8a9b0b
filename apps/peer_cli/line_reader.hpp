// Standard input, line by line, without blocking: a terminal, a pipe, a socket or a file.
#pragma once

#include "readiness.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/system/error_code.hpp>

#include <cstddef>
#include <optional>
#include <string>

namespace peer_cli {

class line_reader {
 public:
  /// What browsers and asiortc accept as one message. A longer line is dropped whole, and told.
  static constexpr std::size_t max_line_bytes = 262144;

  explicit line_reader(const boost::asio::any_io_executor& executor);

  struct line {
    std::string text;
    std::size_t dropped_bytes = 0;  ///< the size of a line that was too long
  };

  /// The next line without its end, LF or CR LF; nothing at the end of input. The last line may
  /// lack its end.
  boost::asio::awaitable<std::optional<line>> next();
  /// Why the input ended, where it could not be read any further.
  [[nodiscard]] boost::system::error_code error() const { return error_; }

 private:
  boost::asio::awaitable<bool> fill();
  std::optional<line> take_line();

  int descriptor_ = -1;
  readiness input_;
  bool at_end_ = false;
  boost::system::error_code error_;
  std::string buffer_;
  std::size_t start_ = 0;    // of the line that is being read
  std::size_t scanned_ = 0;  // no line end before here
  std::size_t dropping_ = 0;
};

}  // namespace peer_cli

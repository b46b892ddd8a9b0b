// Standard input, line by line, without blocking: a terminal, a pipe, a socket or a file.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

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

  /// The next line without its end; nothing at the end of input. The last line may lack its end.
  boost::asio::awaitable<std::optional<line>> next();

 private:
  boost::asio::awaitable<bool> fill();
  std::optional<line> take_line();

  boost::asio::posix::stream_descriptor input_;
  int descriptor_ = -1;
  bool can_wait_ = false;  // a regular file cannot be waited for, and never blocks
  bool at_end_ = false;
  std::string buffer_;
  std::size_t start_ = 0;    // of the line that is being read
  std::size_t scanned_ = 0;  // no line end before here
  std::size_t dropping_ = 0;
};

}  // namespace peer_cli

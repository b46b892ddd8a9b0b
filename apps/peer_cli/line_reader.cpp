#include "line_reader.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace peer_cli {
namespace {

/// A description of our own: making standard input itself non-blocking would make it so for the
/// shell, and for standard output where both are one terminal. A socket, or a terminal of another
/// user, cannot be opened anew; a duplicate blocks, and is read only when there is something. A
/// file must not be: it would start over.
int open_own_input() {
  struct stat status {};
  const bool is_file = ::fstat(STDIN_FILENO, &status) == 0 && S_ISREG(status.st_mode);
  if (is_file) return ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
  const int own = ::open("/proc/self/fd/0", O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  return own >= 0 ? own : ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
}

}  // namespace

line_reader::line_reader(const boost::asio::any_io_executor& executor)
    : descriptor_(open_own_input()), input_(executor, descriptor_, EPOLLIN) {}

boost::asio::awaitable<std::optional<line_reader::line>> line_reader::next() {
  for (;;) {
    auto found = take_line();
    if (found) co_return found;
    const bool more = co_await fill();
    if (!more) co_return std::nullopt;
  }
}

boost::asio::awaitable<bool> line_reader::fill() {
  if (at_end_) co_return false;
  std::array<char, 65536> chunk;
  for (;;) {
    if (input_.can_wait()) {
      co_await input_.wait();
    } else {
      // Input without an end must not keep the others of this thread.
      co_await boost::asio::post(boost::asio::use_awaitable);
    }
    const ssize_t count = ::read(descriptor_, chunk.data(), chunk.size());
    if (count > 0) {
      buffer_.append(chunk.data(), static_cast<std::size_t>(count));
      co_return true;
    }
    const bool again = count < 0 && (errno == EINTR || (errno == EAGAIN && input_.can_wait()));
    if (again) continue;
    if (count < 0) error_.assign(errno, boost::system::system_category());
    break;
  }
  at_end_ = true;
  if (buffer_.empty() && dropping_ == 0) co_return false;
  buffer_.push_back('\n');  // the last line lacked its end
  co_return true;
}

std::optional<line_reader::line> line_reader::take_line() {
  const auto end = buffer_.find('\n', scanned_);
  if (end == std::string::npos) {
    buffer_.erase(0, std::exchange(start_, 0));
    if (buffer_.size() > max_line_bytes + 1) {  // the last may be the CR of a line's end
      dropping_ += buffer_.size();
      buffer_.clear();
    }
    scanned_ = buffer_.size();
    return std::nullopt;
  }
  line found;
  found.text = buffer_.substr(start_, end - start_);
  start_ = scanned_ = end + 1;
  if (found.text.ends_with('\r')) found.text.pop_back();
  if (dropping_ != 0 || found.text.size() > max_line_bytes) {
    found.dropped_bytes = std::exchange(dropping_, 0) + found.text.size();
    found.text.clear();
  }
  return found;
}

}  // namespace peer_cli

#include "line_writer.hpp"

#include "tuple_token.hpp"

#include <climits>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace peer_cli {

/// A description of our own that does not block, where one can be had: making standard output
/// itself non-blocking would make it so for every process that shares it. A file must be shared:
/// it would else be written from its start. Neither can a socket be opened anew, nor a terminal or
/// a pipe of another user.
line_writer::way line_writer::open_own_output(int& descriptor) {
  struct stat status {};
  const bool known = ::fstat(STDOUT_FILENO, &status) == 0;
  if (!known || !S_ISREG(status.st_mode)) {
    descriptor = ::open("/proc/self/fd/1", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (descriptor >= 0) return way::non_blocking;
  }
  descriptor = ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
  return known && S_ISSOCK(status.st_mode) ? way::socket : way::blocking;
}

line_writer::line_writer(const boost::asio::any_io_executor& executor)
    : way_(open_own_output(descriptor_)),
      room_(executor, descriptor_, EPOLLOUT),
      progress_(executor, boost::asio::steady_timer::time_point::max()) {}

// Whoever waits first writes, for all that wait, until its own line is done.
boost::asio::awaitable<void> line_writer::write(std::string line) {
  if (ended_) co_return;
  queued_ += line.size();
  const std::uint64_t end = queued_;
  pending_ += line;
  while (written_ < end && !ended_) {
    if (writing_) {
      const auto [cancelled] = co_await progress_.async_wait(tuple_token);
      static_cast<void>(cancelled);
      continue;
    }
    writing_ = true;
    co_await write_some();
    writing_ = false;
    progress_.cancel();
  }
}

boost::asio::awaitable<void> line_writer::write_some() {
  bool full = way_ == way::blocking;
  for (;;) {
    if (full && room_.can_wait()) co_await room_.wait();
    if (ended_) co_return;
    const std::ptrdiff_t count = put(pending_);
    if (count >= 0) {
      written_ += static_cast<std::uint64_t>(count);
      pending_.erase(0, static_cast<std::size_t>(count));
      co_return;
    }
    const bool again = errno == EINTR || (errno == EAGAIN && room_.can_wait());
    if (!again) co_return fail();
    full = full || errno == EAGAIN;
  }
}

std::ptrdiff_t line_writer::put(std::string_view bytes) const {
  if (way_ == way::socket) {
    return ::send(descriptor_, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  }
  // What is said to have room takes this much of a pipe without blocking (POSIX, PIPE_BUF).
  const bool may_block = way_ == way::blocking && room_.can_wait();
  return ::write(descriptor_, bytes.data(),
                 may_block ? std::min(bytes.size(), std::size_t(PIPE_BUF)) : bytes.size());
}

void line_writer::fail() {
  failed_ = true;
  abandon();
}

void line_writer::abandon() {
  ended_ = true;
  pending_.clear();
  room_.cancel();
  progress_.cancel();
}

}  // namespace peer_cli

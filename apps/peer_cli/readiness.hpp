// Waiting for a descriptor that other processes share.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <cstdint>

namespace peer_cli {

/// Asio makes each descriptor that it waits for non-blocking, and so it would be for the shell and
/// everybody else who has the same description open. An epoll instance between the two keeps it as
/// it is.
class readiness {
 public:
  /// Takes the descriptor over, and waits for `EPOLLIN` or `EPOLLOUT` of it.
  readiness(const boost::asio::any_io_executor& executor, int descriptor, std::uint32_t event);
  readiness(const readiness&) = delete;
  readiness& operator=(const readiness&) = delete;
  ~readiness();

  /// A regular file and a device like `/dev/null` cannot be waited for, and are always ready.
  [[nodiscard]] bool can_wait() const { return can_wait_; }
  /// Until it is ready, has failed, or `cancel` is called.
  boost::asio::awaitable<void> wait();
  void cancel();

 private:
  const int descriptor_;
  boost::asio::posix::stream_descriptor epoll_;
  bool can_wait_ = false;
};

}  // namespace peer_cli

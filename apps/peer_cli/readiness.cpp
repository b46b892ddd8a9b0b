#include "readiness.hpp"

#include "tuple_token.hpp"

#include <boost/system/system_error.hpp>

#include <cerrno>
#include <sys/epoll.h>
#include <unistd.h>

namespace peer_cli {
namespace {

int open_epoll() {
  const int opened = ::epoll_create1(EPOLL_CLOEXEC);
  if (opened >= 0) return opened;
  const boost::system::error_code why(errno, boost::system::system_category());
  throw boost::system::system_error(why, "waiting is not possible");
}

}  // namespace

readiness::readiness(const boost::asio::any_io_executor& executor, int descriptor,
                     std::uint32_t event)
    : descriptor_(descriptor), epoll_(executor, open_epoll()) {
  epoll_event wanted{};
  wanted.events = event;
  can_wait_ = ::epoll_ctl(epoll_.native_handle(), EPOLL_CTL_ADD, descriptor, &wanted) == 0;
}

readiness::~readiness() { ::close(descriptor_); }

boost::asio::awaitable<void> readiness::wait() {
  const auto [cancelled] =
      co_await epoll_.async_wait(boost::asio::posix::stream_descriptor::wait_read, tuple_token);
  static_cast<void>(cancelled);
}

void readiness::cancel() { epoll_.cancel(); }

}  // namespace peer_cli

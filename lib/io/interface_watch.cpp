#include "io/interface_watch.hpp"

#include "io/clock.hpp"
#include "io/unique_fd.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <utility>

namespace asiortc::io {
namespace {

// An interface that comes up tells its link, then each address, then that the address is usable.
constexpr base::duration settling_time = std::chrono::milliseconds(100);
// Thousands of peers look at each change: where they do not end, each pause is twice the last.
constexpr base::duration longest_pause = 16 * settling_time;

unique_fd open_netlink() {
  unique_fd fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE));
  if (!fd.valid()) return fd;
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR;
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return unique_fd();
  }
  return fd;
}

/// What changed is looked up afresh, so the messages only say that something did; also when there
/// were too many for the socket (ENOBUFS).
void drain(int fd) {
  std::array<char, 8192> ignored;
  while (::recv(fd, ignored.data(), ignored.size(), MSG_DONTWAIT) > 0) {
  }
}

}  // namespace

struct interface_watch::channel {
  channel(const guarded_strand::strand_type& strand, unique_fd fd)
      : descriptor(strand, fd.release()), timer(strand) {}

  descriptor_type descriptor;
  boost::asio::steady_timer timer;
};

std::shared_ptr<interface_watch> interface_watch::create(
    const boost::asio::any_io_executor& executor) {
  std::shared_ptr<interface_watch> made(new interface_watch(executor));
  made->watch_context(executor);
  return made;
}

interface_watch::interface_watch(const boost::asio::any_io_executor& executor)
    : strand_(executor), pause_(settling_time) {}

interface_watch::~interface_watch() = default;

std::shared_ptr<interface_watch> interface_watch::self() {
  return std::static_pointer_cast<interface_watch>(shared_from_this());
}

std::uint64_t interface_watch::subscribe(callback changed) {
  const std::uint64_t token = ++last_token_;
  strand_.post([self = self(), token, changed = std::move(changed)]() mutable {
    self->subscribers_.emplace(token, std::move(changed));
    self->open();
  });
  return token;
}

void interface_watch::unsubscribe(std::uint64_t token) {
  strand_.post([self = self(), token] {
    self->subscribers_.erase(token);
    if (self->subscribers_.empty()) self->close();
  });
}

void interface_watch::open() {
  if (channel_) return;
  auto fd = open_netlink();
  if (!fd.valid()) return;  // without it, the next gathering finds what changed
  channel_ = std::make_shared<channel>(strand_.get(), std::move(fd));
  listen(channel_);
}

void interface_watch::close() noexcept {
  const auto closing = std::exchange(channel_, nullptr);
  if (!closing) return;
  boost::system::error_code ignored;
  closing->descriptor.close(ignored);
  closing->timer.cancel();
  settling_ = false;
  last_.reset();
}

void interface_watch::listen(const std::shared_ptr<channel>& from) {
  from->descriptor.async_wait(boost::asio::posix::descriptor_base::wait_read,
                              [self = self(), from](boost::system::error_code error) {
                                if (error || self->channel_ != from) return;
                                drain(from->descriptor.native_handle());
                                self->settle();
                                self->listen(from);
                              });
}

void interface_watch::settle() {
  if (std::exchange(settling_, true)) return;
  if (clock_now() > told_ + pause_) pause_ = settling_time;
  channel_->timer.expires_after(pause_);
  channel_->timer.async_wait([self = self(), from = channel_](boost::system::error_code error) {
    if (error || self->channel_ != from) return;
    self->settling_ = false;
    self->tell();
  });
}

void interface_watch::tell() {
  auto now = look_at_addresses();
  if (!now) return settle();  // it may tell later
  if (!last_ || *last_ != *now) last_ = std::make_shared<const system_addresses>(std::move(*now));
  told_ = clock_now();
  pause_ = std::min(2 * pause_, longest_pause);
  const auto subscribers = subscribers_;  // a callback may unsubscribe
  for (const auto& [token, changed] : subscribers) changed(last_);
}

void interface_watch::on_context_shutdown() noexcept {
  const auto dropped = std::exchange(subscribers_, {});
  close();
  strand_.drop();
}

}  // namespace asiortc::io

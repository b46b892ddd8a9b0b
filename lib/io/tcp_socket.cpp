#include "io/tcp_socket.hpp"

#include "io/socket_address.hpp"
#include "io/socket_options.hpp"

#include <cerrno>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace asiortc::io {
namespace {

constexpr int max_waiting_connections = 16;
constexpr std::size_t read_size = 16 * 1024;
// What the kernel takes beyond what is under way; the rest waits with us, where it can be dropped.
constexpr int unsent_in_kernel = 128 * 1024;

unique_fd make_socket(const base::ip_address& address) {
  const int family = address.is_v6() ? AF_INET6 : AF_INET;
  return unique_fd(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
}

/// Both are improvements: without them the connection works as well.
void configure(int fd) {
  set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  set_option(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, unsent_in_kernel);
}

}  // namespace

base::result<bound_socket> listen_tcp(const base::ip_address& address, port_range ports,
                                      std::uint32_t start) {
  bound_socket made;
  made.fd = make_socket(address);
  if (!made.fd.valid()) return base::failure(last_error(), "could not open a TCP socket");
  if (address.is_v6()) set_option(made.fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, 1);
  // Connections of before may be in TIME_WAIT; two listeners never get one port.
  set_option(made.fd.get(), SOL_SOCKET, SO_REUSEADDR, 1);
  if (!bind_in_range(made.fd.get(), address, ports, start) ||
      ::listen(made.fd.get(), max_waiting_connections) != 0) {
    return base::failure(last_error(),
                         "could not listen on TCP at " + address.to_string() + describe(ports));
  }
  socket_address bound;
  socklen_t size = socket_address::capacity();
  if (::getsockname(made.fd.get(), bound.data(), &size) != 0) return base::failure(last_error());
  made.local = bound.to_endpoint();
  return made;
}

base::result<unique_fd> connect_tcp(const base::ip_address& from, const base::endpoint& to) {
  unique_fd fd = make_socket(from);
  if (!fd.valid()) return base::failure(last_error(), "could not open a TCP socket");
  configure(fd.get());
  const socket_address local(base::endpoint(from, 0));
  const socket_address remote(to);
  if (::bind(fd.get(), local.data(), local.size()) != 0 ||
      (::connect(fd.get(), remote.data(), remote.size()) != 0 && errno != EINPROGRESS)) {
    return base::failure(last_error(), "could not connect to " + to.to_string());
  }
  return fd;
}

base::result<std::pair<unique_fd, base::endpoint>> tcp_end::accept() {
  socket_address remote;
  socklen_t size = socket_address::capacity();
  unique_fd fd(
      ::accept4(listener_->native_handle(), remote.data(), &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (!fd.valid()) return base::failure(last_error());
  configure(fd.get());
  return std::pair(std::move(fd), remote.to_endpoint());
}

void tcp_end::close() {
  boost::system::error_code ignored;
  if (listener_) listener_->close(ignored);
  open_ = false;
}

boost::system::error_code tcp_connection::connect_error() {
  int error = 0;
  socklen_t size = sizeof error;
  if (::getsockopt(descriptor_.native_handle(), SOL_SOCKET, SO_ERROR, &error, &size) != 0) {
    return last_error();
  }
  return {error, boost::system::system_category()};
}

tcp_connection::progress tcp_connection::receive() {
  const auto room = framer_.prepare(read_size);
  const auto got = ::recv(descriptor_.native_handle(), room.data(), room.size(), 0);
  if (got < 0) {
    const bool later = errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
    return later ? progress::drained : progress::ended;
  }
  if (got == 0) return progress::ended;
  const auto size = static_cast<std::size_t>(got);
  framer_.commit(size);
  return size < room.size() ? progress::drained : progress::more;
}

void tcp_connection::append(base::byte_span packet) {
  const std::size_t size = stun::rfc4571_framer::header_size + packet.size();
  if (queue_.size() - sent_ + size > max_backlog_bytes) {
    ++dropped_;
    return;
  }
  stun::rfc4571_framer::write(queue_, packet);
}

void tcp_connection::write() {
  while (blocked()) {
    const auto rest = base::byte_span(queue_).subspan(sent_);
    const auto put = ::send(descriptor_.native_handle(), rest.data(), rest.size(), MSG_NOSIGNAL);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) break;
    sent_ = put < 0 ? queue_.size() : sent_ + static_cast<std::size_t>(put);
  }
  queue_.erase(queue_.begin(), queue_.begin() + static_cast<std::ptrdiff_t>(sent_));
  sent_ = 0;
}

void tcp_connection::close() {
  boost::system::error_code ignored;
  descriptor_.close(ignored);
  queue_ = {};
  sent_ = 0;
}

}  // namespace asiortc::io

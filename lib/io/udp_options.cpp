#include "io/udp_options.hpp"

#include "io/socket_address.hpp"
#include "io/socket_options.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <linux/errqueue.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>

namespace asiortc::io {
namespace {

// What a burst of a whole congestion window needs; the kernel grants what rmem_max allows.
constexpr int receive_buffer = 4 * 1024 * 1024;
constexpr int send_buffer = 1024 * 1024;
constexpr int max_icmp_errors_a_turn = 64;

/// All of these are improvements: where the kernel has one not, the socket works without.
void configure(int fd, bool v6) {
  set_option(fd, SOL_SOCKET, SO_RCVBUF, receive_buffer);
  set_option(fd, SOL_SOCKET, SO_SNDBUF, send_buffer);
  set_receive_offload(fd, true);
  // Packets stay below 1280 bytes with their headers, and nothing here discovers a path's MTU; so
  // a narrow tunnel on the way had better fragment them than drop them: no DF, no cached MTU.
  if (v6) {
    set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
    set_option(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_DONT);
    set_option(fd, IPPROTO_IPV6, IPV6_RECVERR, 1);
  } else {
    set_option(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT);
    set_option(fd, IPPROTO_IP, IP_RECVERR, 1);
  }
}

bool bind_to(int fd, const base::endpoint& endpoint) {
  const socket_address address(endpoint);
  return ::bind(fd, address.data(), address.size()) == 0;
}

bool names_unreachable_target(const msghdr& header) {
  auto& message = const_cast<msghdr&>(header);
  for (auto* control = CMSG_FIRSTHDR(&message); control != nullptr;
       control = CMSG_NXTHDR(&message, control)) {
    const bool v4 = control->cmsg_level == IPPROTO_IP && control->cmsg_type == IP_RECVERR;
    const bool v6 = control->cmsg_level == IPPROTO_IPV6 && control->cmsg_type == IPV6_RECVERR;
    if (!v4 && !v6) continue;
    sock_extended_err error{};
    std::memcpy(&error, CMSG_DATA(control), sizeof error);
    return error.ee_errno != 0 && error.ee_errno != EMSGSIZE;
  }
  return false;
}

}  // namespace

std::string describe(port_range ports) {
  if (ports.min == 0) return "";
  const std::string first = std::to_string(ports.min);
  if (ports.max <= ports.min) return " port " + first;
  return " ports " + first + " to " + std::to_string(ports.max);
}

bool bind_in_range(int fd, const base::ip_address& address, port_range ports, std::uint32_t start) {
  if (ports.min == 0) return bind_to(fd, {address, 0});
  const std::uint32_t count = ports.max >= ports.min ? ports.max - ports.min + 1u : 1u;
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto port = static_cast<std::uint16_t>(ports.min + (start % count + i) % count);
    if (bind_to(fd, {address, port})) return true;
    if (errno != EADDRINUSE && errno != EACCES) return false;
  }
  return false;
}

base::result<bound_socket> open_udp(const base::ip_address& address, port_range ports,
                                    std::uint32_t start) {
  bound_socket made;
  const int family = address.is_v6() ? AF_INET6 : AF_INET;
  made.fd = unique_fd(::socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!made.fd.valid()) return base::failure(last_error(), "could not open a UDP socket");
  configure(made.fd.get(), address.is_v6());
  if (!bind_in_range(made.fd.get(), address, ports, start)) {
    return base::failure(last_error(),
                         "could not bind a UDP socket to " + address.to_string() + describe(ports));
  }
  socket_address bound;
  socklen_t size = socket_address::capacity();
  if (::getsockname(made.fd.get(), bound.data(), &size) != 0) return base::failure(last_error());
  made.local = bound.to_endpoint();
  return made;
}

void read_icmp_errors(int fd, base::socket_id local, std::vector<base::route>& failed) {
  int pending = 0;
  socklen_t size = sizeof pending;
  ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &pending, &size);
  for (int i = 0; i < max_icmp_errors_a_turn; ++i) {
    socket_address target;
    alignas(8) std::array<std::uint8_t, 256> control;
    msghdr message{};
    message.msg_name = target.data();
    message.msg_namelen = socket_address::capacity();
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    if (::recvmsg(fd, &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0) return;
    if (!names_unreachable_target(message) || target.family() == AF_UNSPEC) continue;
    failed.push_back({local, target.to_endpoint()});
  }
}

bool set_receive_offload(int fd, bool on) { return set_option(fd, SOL_UDP, UDP_GRO, on ? 1 : 0); }

}  // namespace asiortc::io

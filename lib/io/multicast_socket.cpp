#include "io/multicast_socket.hpp"

#include "io/socket_address.hpp"
#include "io/socket_options.hpp"
#include "mdns/message.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <net/if.h>

namespace asiortc::io {
namespace {

// RFC 6762 3: "the mDNS link-local multicast address 224.0.0.251 (or its IPv6 equivalent FF02::FB)"
const base::ip_address group_v4 = base::ip_address::v4({224, 0, 0, 251});
const base::ip_address group_v6 =
    base::ip_address::v6({0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xfb});
constexpr int hops = 255;  // RFC 6762 11: sent "with IP TTL set to 255"
constexpr std::size_t max_interfaces = 32;

/// Every interface is tried, since the flags do not tell: `lo` has no MULTICAST, but works.
std::vector<unsigned> join_all(int fd, ip_family family) {
  std::vector<unsigned> joined;
  const std::unique_ptr<struct if_nameindex, decltype(&::if_freenameindex)> list(
      ::if_nameindex(), &::if_freenameindex);
  for (auto* entry = list.get(); entry != nullptr && entry->if_index != 0; ++entry) {
    if (joined.size() < max_interfaces && join_group(fd, family, entry->if_index)) {
      joined.push_back(entry->if_index);
    }
  }
  return joined;
}

bool bind_any(int fd, ip_family family, std::uint16_t port) {
  const auto any = family == ip_family::v6 ? base::ip_address::v6({}) : base::ip_address();
  const socket_address address(base::endpoint(any, port));
  return ::bind(fd, address.data(), address.size()) == 0;
}

/// Where the kernel says that a datagram was sent to, and over which interface it came.
void read_destination(msghdr& message, group_datagram& into) {
  for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr;
       part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_level == IPPROTO_IP && part->cmsg_type == IP_PKTINFO) {
      in_pktinfo info{};
      std::memcpy(&info, CMSG_DATA(part), sizeof info);
      into.interface = static_cast<unsigned>(info.ipi_ifindex);
      into.to_group = std::memcmp(&info.ipi_addr, group_v4.octets().data(), 4) == 0;
    } else if (part->cmsg_level == IPPROTO_IPV6 && part->cmsg_type == IPV6_PKTINFO) {
      in6_pktinfo info{};
      std::memcpy(&info, CMSG_DATA(part), sizeof info);
      into.interface = info.ipi6_ifindex;
      into.to_group = std::memcmp(&info.ipi6_addr, group_v6.octets().data(), 16) == 0;
    }
  }
}

}  // namespace

bool join_group(int fd, ip_family family, unsigned interface) {
  if (family == ip_family::v6) {
    ipv6_mreq request{};
    std::memcpy(&request.ipv6mr_multiaddr, group_v6.octets().data(), 16);
    request.ipv6mr_interface = interface;
    return set_option(fd, IPPROTO_IPV6, IPV6_ADD_MEMBERSHIP, request);
  }
  ip_mreqn request{};
  std::memcpy(&request.imr_multiaddr, group_v4.octets().data(), 4);
  request.imr_ifindex = static_cast<int>(interface);
  return set_option(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, request);
}

std::optional<multicast_socket> open_multicast_socket(ip_family family) {
  const int domain = family == ip_family::v6 ? AF_INET6 : AF_INET;
  unique_fd fd(::socket(domain, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return std::nullopt;
  set_option(fd.get(), SOL_SOCKET, SO_REUSEADDR, 1);
  set_option(fd.get(), SOL_SOCKET, SO_REUSEPORT, 1);
  if (family == ip_family::v6) {
    set_option(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, 1);
    set_option(fd.get(), IPPROTO_IPV6, IPV6_MULTICAST_HOPS, hops);
    set_option(fd.get(), IPPROTO_IPV6, IPV6_UNICAST_HOPS, hops);
    set_option(fd.get(), IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
  } else {
    set_option(fd.get(), IPPROTO_IP, IP_MULTICAST_TTL, hops);
    set_option(fd.get(), IPPROTO_IP, IP_TTL, hops);
    set_option(fd.get(), IPPROTO_IP, IP_PKTINFO, 1);
  }
  if (!bind_any(fd.get(), family, mdns::port) && !bind_any(fd.get(), family, 0)) {
    return std::nullopt;
  }
  auto interfaces = join_all(fd.get(), family);
  if (interfaces.empty()) return std::nullopt;
  return multicast_socket{std::move(fd), family, std::move(interfaces)};
}

void send_to_group(int fd, ip_family family, std::span<const unsigned> interfaces,
                   base::byte_span data) {
  for (const unsigned index : interfaces) {
    const auto& group = family == ip_family::v6 ? group_v6 : group_v4;
    if (family == ip_family::v6) {
      set_option(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, static_cast<int>(index));
    } else {
      ip_mreqn request{};
      request.imr_ifindex = static_cast<int>(index);
      set_option(fd, IPPROTO_IP, IP_MULTICAST_IF, request);
    }
    send_to_host(fd, {group, mdns::port}, data);
  }
}

void send_to_host(int fd, const base::endpoint& to, base::byte_span data) {
  const socket_address target(to);
  [[maybe_unused]] const auto sent = ::sendto(
      fd, data.data(), data.size(), MSG_DONTWAIT | MSG_NOSIGNAL, target.data(), target.size());
}

std::optional<group_datagram> receive_from_group(int fd, base::mutable_byte_span buffer) {
  socket_address sender;
  iovec piece{buffer.data(), buffer.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(in6_pktinfo))> control{};  // the larger one
  msghdr message{};
  message.msg_name = sender.data();
  message.msg_namelen = socket_address::capacity();
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  const auto length = ::recvmsg(fd, &message, MSG_DONTWAIT);
  if (length < 0) return std::nullopt;
  group_datagram datagram;
  datagram.bytes = buffer.first(static_cast<std::size_t>(length));
  datagram.from = sender.to_endpoint();
  read_destination(message, datagram);
  return datagram;
}

}  // namespace asiortc::io

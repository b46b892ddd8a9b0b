// A socket in the mDNS group on every interface (RFC 6762 3).
#pragma once

#include "base/bytes.hpp"
#include "base/endpoint.hpp"
#include "io/unique_fd.hpp"

#include <optional>
#include <span>
#include <vector>

namespace asiortc::io {

enum class ip_family { v4, v6 };

/// Shares port 5353 with other programs of the machine; where one does not share, it takes any
/// port, and responders then answer it directly (RFC 6762 6.7).
struct multicast_socket {
  unique_fd fd;
  ip_family family = ip_family::v4;
  std::vector<unsigned> interfaces;  ///< indices of those where the group was joined
};

std::optional<multicast_socket> open_multicast_socket(ip_family family);

/// For an interface that came after the socket was opened.
bool join_group(int fd, ip_family family, unsigned interface);

/// Sends to the group on each of these interfaces; errors of single ones do not matter.
void send_to_group(int fd, ip_family family, std::span<const unsigned> interfaces,
                   base::byte_span data);
/// Sends to one host; an error does not matter.
void send_to_host(int fd, const base::endpoint& to, base::byte_span data);

struct group_datagram {
  base::byte_span bytes;
  base::endpoint from;
  unsigned interface = 0;  ///< index of the one that it came over
  bool to_group = false;   ///< it was sent to the mDNS group, which no router forwards
};

/// The next datagram, into the buffer; nothing when none waits.
std::optional<group_datagram> receive_from_group(int fd, base::mutable_byte_span buffer);

}  // namespace asiortc::io

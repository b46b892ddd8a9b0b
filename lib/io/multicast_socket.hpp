// A socket in the mDNS group on every interface (RFC 6762 3).
#pragma once

#include "base/bytes.hpp"
#include "base/endpoint.hpp"
#include "io/unique_fd.hpp"

#include <optional>
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

/// Sends to the group on every interface; errors of single interfaces do not matter.
void send_to_group(int fd, ip_family family, const std::vector<unsigned>& interfaces,
                   base::byte_span data);

}  // namespace asiortc::io

// Makes UDP sockets as peers need them, and reads what ICMP told them.
#pragma once

#include "base/packet.hpp"
#include "base/result.hpp"
#include "io/unique_fd.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace asiortc::io {

struct port_range {
  std::uint16_t min = 0;  ///< 0: the kernel chooses
  std::uint16_t max = 0;
};

/// " port 5000" or " ports 5000 to 5010", to be appended to an address; nothing for any port.
std::string describe(port_range ports);

struct bound_socket {
  unique_fd fd;
  base::endpoint local;
};

/// A non-blocking socket bound to the address. `start` says where in the range the search for a
/// free port begins, so that many peers do not all try the same ports.
base::result<bound_socket> open_udp(const base::ip_address& address, port_range ports,
                                    std::uint32_t start);

/// Whether a port of the range was free; else `errno` says why not.
bool bind_in_range(int fd, const base::ip_address& address, port_range ports, std::uint32_t start);

/// Appends the route of each packet that an ICMP error came back for, and clears the socket's
/// error state, without which it would stay readable for ever.
void read_icmp_errors(int fd, base::socket_id local, std::vector<base::route>& failed);

/// Merged datagrams on receive; tests turn it off. False where the kernel has none.
bool set_receive_offload(int fd, bool on);

}  // namespace asiortc::io

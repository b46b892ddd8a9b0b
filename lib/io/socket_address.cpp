#include "io/socket_address.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cstring>

namespace asiortc::io {

std::optional<socket_address> socket_address::from(const sockaddr* address) {
  socket_address result;
  if (address == nullptr) return std::nullopt;
  if (address->sa_family == AF_INET) {
    std::memcpy(&result.v4_, address, sizeof result.v4_);
  } else if (address->sa_family == AF_INET6) {
    std::memcpy(&result.v6_, address, sizeof result.v6_);
  } else {
    return std::nullopt;
  }
  return result;
}

void socket_address::assign(const base::endpoint& endpoint) {
  const base::byte_span octets = endpoint.address.octets();
  if (endpoint.address.is_v6()) {
    v6_ = sockaddr_in6{};
    v6_.sin6_family = AF_INET6;
    v6_.sin6_port = htons(endpoint.port);
    v6_.sin6_scope_id = endpoint.address.scope_id();
    std::copy(octets.begin(), octets.end(), v6_.sin6_addr.s6_addr);
  } else {
    v4_ = sockaddr_in{};
    v4_.sin_family = AF_INET;
    v4_.sin_port = htons(endpoint.port);
    std::memcpy(&v4_.sin_addr, octets.data(), octets.size());
  }
}

base::endpoint socket_address::to_endpoint() const {
  if (family() == AF_INET6) {
    std::array<std::uint8_t, 16> octets{};
    std::copy_n(v6_.sin6_addr.s6_addr, octets.size(), octets.begin());
    return {base::ip_address::v6(octets, v6_.sin6_scope_id), ntohs(v6_.sin6_port)};
  }
  if (family() == AF_INET) {
    std::array<std::uint8_t, 4> octets{};
    std::memcpy(octets.data(), &v4_.sin_addr, octets.size());
    return {base::ip_address::v4(octets), ntohs(v4_.sin_port)};
  }
  return {};
}

}  // namespace asiortc::io

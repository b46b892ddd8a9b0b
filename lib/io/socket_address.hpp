// Between our endpoints and the kernel's.
#pragma once

#include "base/endpoint.hpp"

#include <netinet/in.h>
#include <optional>
#include <sys/socket.h>

namespace asiortc::io {

/// An IPv4 or IPv6 socket address, in 28 bytes instead of sockaddr_storage's 128.
class socket_address {
 public:
  /// Unspecified family: what a call of the kernel is to fill.
  socket_address() { base_.sa_family = AF_UNSPEC; }
  explicit socket_address(const base::endpoint& endpoint) { assign(endpoint); }
  /// An address that is neither IPv4 nor IPv6 gives nothing.
  static std::optional<socket_address> from(const sockaddr* address);

  void assign(const base::endpoint& endpoint);
  /// 0.0.0.0:0 for an unspecified family.
  [[nodiscard]] base::endpoint to_endpoint() const;

  [[nodiscard]] sockaddr* data() { return &base_; }
  [[nodiscard]] const sockaddr* data() const { return &base_; }
  [[nodiscard]] socklen_t size() const {
    return base_.sa_family == AF_INET6 ? sizeof v6_ : sizeof v4_;
  }
  [[nodiscard]] static constexpr socklen_t capacity() { return sizeof(sockaddr_in6); }
  [[nodiscard]] int family() const { return base_.sa_family; }

 private:
  union {
    sockaddr base_;
    sockaddr_in v4_;
    sockaddr_in6 v6_;
  };
};

}  // namespace asiortc::io

// IP addresses and transport addresses, without any socket library.
#pragma once

#include "base/bytes.hpp"

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace asiortc::base {

/// An IPv4 or IPv6 address. An IPv4-mapped IPv6 address is a different address than the IPv4 one;
/// `unmapped()` turns one into the other. The default is 0.0.0.0.
class ip_address {
 public:
  ip_address() = default;
  static ip_address v4(const std::array<std::uint8_t, 4>& octets);
  static ip_address v6(const std::array<std::uint8_t, 16>& octets, std::uint32_t scope_id = 0);
  /// A dotted quad or RFC 4291 text, a numeric `%scope` allowed. Names give nothing.
  static std::optional<ip_address> parse(std::string_view text);

  [[nodiscard]] bool is_v4() const { return !is_v6_; }
  [[nodiscard]] bool is_v6() const { return is_v6_; }
  /// 4 or 16 bytes in network order; valid while the address lives.
  [[nodiscard]] byte_span octets() const {
    return byte_span(octets_).first(is_v6_ ? std::size_t{16} : std::size_t{4});
  }
  [[nodiscard]] std::uint32_t scope_id() const { return scope_id_; }

  [[nodiscard]] bool is_loopback() const;
  [[nodiscard]] bool is_link_local() const;
  [[nodiscard]] bool is_unspecified() const;
  [[nodiscard]] bool is_multicast() const;
  /// fc00::/7, or RFC 1918's networks.
  [[nodiscard]] bool is_private() const;
  [[nodiscard]] ip_address unmapped() const;

  /// As in SDP: without the scope.
  [[nodiscard]] std::string to_string() const;

  auto operator<=>(const ip_address&) const = default;  // NOLINT(modernize-use-nullptr) not our 0
  bool operator==(const ip_address&) const = default;

 private:
  std::array<std::uint8_t, 16> octets_{};
  std::uint32_t scope_id_ = 0;
  bool is_v6_ = false;
};

/// An address and a port.
struct endpoint {
  endpoint() = default;
  endpoint(ip_address host, std::uint16_t port_number) : address(host), port(port_number) {}
  /// `1.2.3.4:5` or `[2001:db8::1]:5`.
  static std::optional<endpoint> parse(std::string_view text);

  ip_address address;
  std::uint16_t port = 0;

  [[nodiscard]] std::string to_string() const;

  auto operator<=>(const endpoint&) const = default;  // NOLINT(modernize-use-nullptr) not our 0
  bool operator==(const endpoint&) const = default;
};

}  // namespace asiortc::base

template <>
struct std::hash<asiortc::base::ip_address> {
  std::size_t operator()(const asiortc::base::ip_address& address) const noexcept;
};

template <>
struct std::hash<asiortc::base::endpoint> {
  std::size_t operator()(const asiortc::base::endpoint& value) const noexcept {
    return std::hash<asiortc::base::ip_address>{}(value.address) * 31 + value.port;
  }
};

// What an examination has found, and the verdict that follows.
#pragma once

#include <asiortc/stun_probe.hpp>

#include <boost/asio/ip/address.hpp>

#include <optional>
#include <string>

namespace peer_cli {

/// Whether the internet routes the address: not RFC 1918, RFC 6598 (carriers' NATs), RFC 3927,
/// RFC 4193 or RFC 4291's link-local.
bool is_public(const boost::asio::ip::address& address);

/// Filled in as the examination goes on.
class findings {
 public:
  findings() = default;

  bool any_address = false;     ///< beside loopback
  bool public_address = false;  ///< one that others may reach without a NAT
  bool udp_was_tried = false;   ///< a STUN or TURN server was asked over UDP
  bool udp_works = false;       ///< and one answered
  /// What a STUN server says of IPv4 and of IPv6, the one that says most; of those that see a
  /// public address.
  std::optional<asiortc::stun_probe_result> ipv4, ipv6;
  std::string private_view;    ///< the address that a STUN server sees which is not public
  std::string relay;           ///< a TURN server that relays; empty: none does
  std::string private_relay;   ///< one that lends addresses which are not public
  std::string no_signaling;    ///< why the signaling server cannot be used
  std::string broken_meeting;  ///< why two peers of this process could not meet

  [[nodiscard]] std::string verdict() const;
  [[nodiscard]] bool reachable() const;

 private:
  [[nodiscard]] bool direct() const;
  [[nodiscard]] std::string describe_direct() const;
};

}  // namespace peer_cli

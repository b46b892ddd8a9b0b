#include "findings.hpp"

namespace peer_cli {
namespace {

using asiortc::nat_behaviour;

bool maps_alike(const std::optional<asiortc::stun_probe_result>& seen) {
  return seen && (seen->mapping == nat_behaviour::endpoint_independent || !seen->translated);
}

bool maps_otherwise(const std::optional<asiortc::stun_probe_result>& seen) {
  return seen && seen->translated && seen->mapping != nat_behaviour::endpoint_independent &&
         seen->mapping != nat_behaviour::unknown;
}

}  // namespace

bool is_public(const boost::asio::ip::address& address) {
  if (address.is_loopback() || address.is_unspecified() || address.is_multicast()) return false;
  if (address.is_v6()) {
    const auto octets = address.to_v6().to_bytes();
    return !address.to_v6().is_link_local() && (octets[0] & 0xFE) != 0xFC;
  }
  const auto octets = address.to_v4().to_bytes();
  return !(octets[0] == 10 || (octets[0] == 172 && (octets[1] & 0xF0) == 16) ||
           (octets[0] == 192 && octets[1] == 168) || (octets[0] == 169 && octets[1] == 254) ||
           (octets[0] == 100 && (octets[1] & 0xC0) == 64));
}

bool findings::direct() const {
  if (ipv4 || ipv6) return true;
  // Nobody outside was asked, or only over TCP, so the address must do.
  return public_address && (!udp_was_tried || udp_works);
}

bool findings::reachable() const {
  return no_signaling.empty() && broken_meeting.empty() && (direct() || !relay.empty());
}

std::string findings::describe_direct() const {
  if (!ipv4 && !ipv6) {
    return "peers elsewhere may reach this machine directly: it has a public address, though no "
           "STUN server has confirmed it";
  }
  if (maps_alike(ipv4) || maps_alike(ipv6)) return "peers elsewhere reach this machine directly";
  if (maps_otherwise(ipv4) || maps_otherwise(ipv6)) {
    return "this machine's NAT maps by the remote address: only peers with a public address, or "
           "whose own NAT lets everybody in, reach it directly";
  }
  return "peers elsewhere reach this machine directly, unless its NAT maps by the remote address";
}

std::string findings::verdict() const {
  if (!no_signaling.empty()) return "no peer can be met: the signaling server cannot be used";
  if (!broken_meeting.empty()) return "not even two peers of one process meet: " + broken_meeting;
  if (direct()) {
    return describe_direct() + (relay.empty() ? "; no TURN server relays where that fails"
                                              : "; " + relay + " relays where that fails");
  }
  if (!relay.empty()) return "peers elsewhere reach this machine through " + relay + " alone";
  if (!any_address) return "only peers on this machine can be reached: it has no network";
  if (udp_was_tried && !udp_works) {
    return "only peers on this network can be reached: UDP does not get out, and " +
           (private_relay.empty() ? "no TURN server relays"
                                  : private_relay + " lends addresses that are not public");
  }
  const std::string stun = private_view.empty()
                               ? "no STUN server answered"
                               : "the STUN server sees " + private_view + ", which is not public";
  const std::string turn = private_relay.empty()
                               ? "no TURN server relays"
                               : private_relay + " lends addresses that are not public";
  return "only peers on this network can be reached, as far as can be told: " + stun + ", and " +
         turn;
}

}  // namespace peer_cli

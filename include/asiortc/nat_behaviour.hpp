// What a NAT or firewall depends on (RFC 4787).
#pragma once

#include <asiortc/config.hpp>

#include <string_view>

namespace asiortc::inline ASIORTC_ABI {

/// What the outer port of a socket, or the filter for what comes in to it, depends on (RFC 4787 4.1
/// and 5).
enum class ASIORTC_EXPORT nat_behaviour {
  unknown,                     ///< not found out
  endpoint_independent,        ///< on nothing: one mapping for all; everybody gets in
  address_dependent,           ///< on the remote address
  address_and_port_dependent,  ///< on the remote address and port
};

/// "unknown", "endpoint-independent", "address-dependent" or "address-and-port-dependent".
/// Thread-safe.
ASIORTC_EXPORT std::string_view to_string(nat_behaviour behaviour) noexcept;

}  // namespace asiortc::inline ASIORTC_ABI

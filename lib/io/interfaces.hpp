// The addresses of this machine that a peer may use.
#pragma once

#include "base/endpoint.hpp"

#include <asiortc/configuration.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace asiortc::io {

/// An address of an interface that is up.
struct system_address {
  std::string interface_name;
  unsigned interface = 0;  ///< its index
  base::ip_address address;
  std::uint8_t prefix = 128;  ///< length of the network's, in bits; at least the address's for none
  bool loopback = false;
  bool point_to_point = false;
  bool temporary = false;  ///< RFC 8981
  bool unusable = false;   ///< deprecated, or duplicate address detection is not done or failed

  bool operator==(const system_address&) const = default;
};

struct local_address {
  std::string interface_name;
  base::ip_address address;
  std::uint16_t preference = 0;  ///< no two the same; larger is better
};

/// A router shows `local` to the world as `external`; without `local` every address of the family.
struct address_mapping {
  base::ip_address external;
  std::optional<base::ip_address> local;
};

/// What the address looks like from outside.
base::ip_address map_address(const base::ip_address& local,
                             const std::vector<address_mapping>& mappings);

using interface_filter = std::function<bool(const interface_address&)>;

/// The addresses that the kernel would choose towards the internet; found without sending.
struct default_addresses {
  std::optional<base::ip_address> v4, v6;

  bool operator==(const default_addresses&) const = default;
};

/// What the machine has at one time.
struct system_addresses {
  std::vector<system_address> all;
  default_addresses defaults;

  bool operator==(const system_addresses&) const = default;
};

/// None where the kernel does not tell, as without a descriptor: no sign that an address is gone.
std::optional<system_addresses> look_at_addresses();
/// As a list alone, empty where the kernel does not tell.
std::vector<system_address> list_system_addresses();
/// Whether somebody of that address is on the link of that interface: in a network that one of its
/// addresses is of, or this machine itself.
bool is_on_link(const std::vector<system_address>& all, const base::ip_address& address,
                unsigned interface);
/// The address from which the kernel would send there; none without a route. Nothing is sent.
std::optional<base::ip_address> find_source(const base::endpoint& target);
default_addresses find_default_addresses();

inline constexpr std::size_t max_local_addresses = 16;

/// What is used of them, best first, at most `max_local_addresses`. A filter decides alone about
/// loopback; without one it is used where there is nothing else.
std::vector<local_address> select_addresses(std::vector<system_address> all,
                                            const interface_filter& filter,
                                            const default_addresses& defaults);

}  // namespace asiortc::io

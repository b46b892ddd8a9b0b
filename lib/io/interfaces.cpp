#include "io/interfaces.hpp"

#include "io/socket_address.hpp"
#include "io/unique_fd.hpp"

#include <algorithm>
#include <bit>
#include <fstream>
#include <ifaddrs.h>
#include <memory>
#include <net/if.h>
#include <string_view>
#include <tuple>
#include <utility>

namespace asiortc::io {
namespace {

// The flags of /proc/net/if_inet6 (linux/if_addr.h).
constexpr unsigned flag_temporary = 0x01;
constexpr unsigned flag_dad_failed = 0x08;
constexpr unsigned flag_deprecated = 0x20;
constexpr unsigned flag_tentative = 0x40;

// Addresses of a root name server: any global address would do, since nothing is sent.
constexpr std::string_view internet_v4 = "198.41.0.4";
constexpr std::string_view internet_v6 = "2001:503:ba3e::2:30";

/// What getifaddrs does not tell of IPv6 addresses. A line: address, index, prefix length, scope
/// and flags in hexadecimal, and the interface's name.
void read_v6_flags(std::vector<system_address>& addresses) {
  std::ifstream file("/proc/net/if_inet6");
  std::string digits, name;
  unsigned index = 0, prefix = 0, scope = 0, flags = 0;
  while (file >> digits >> std::hex >> index >> prefix >> scope >> flags >> name) {
    if (digits.size() != 32) continue;
    for (std::size_t colon = 28; colon > 0; colon -= 4) digits.insert(colon, 1, ':');
    const auto address = base::ip_address::parse(digits);
    for (auto& entry : addresses) {
      if (!address || !entry.address.is_v6() || entry.interface_name != name) continue;
      if (!std::ranges::equal(entry.address.octets(), address->octets())) continue;
      entry.temporary = (flags & flag_temporary) != 0;
      entry.unusable = (flags & (flag_dad_failed | flag_deprecated | flag_tentative)) != 0;
    }
  }
}

std::optional<base::ip_address> source_towards(std::string_view text) {
  const auto target = base::ip_address::parse(text);
  if (!target) return std::nullopt;
  return find_source(base::endpoint(*target, 53));
}

bool never_used(const system_address& entry) {
  const auto& address = entry.address;
  if (entry.unusable || address.is_unspecified() || address.is_multicast()) return true;
  // Link-local IPv6 needs a scope that SDP cannot carry. RFC 8445 5.1.1.1 rules out IPv4-mapped.
  return address.is_v6() && (address.is_link_local() || address.unmapped().is_v4());
}

bool same_prefix(const base::ip_address& a, const base::ip_address& b, std::size_t bits) {
  if (a.is_v6() != b.is_v6()) return false;
  const auto left = a.octets();
  const auto right = b.octets();
  const std::size_t octets = bits / 8;
  if (octets >= left.size()) return std::ranges::equal(left, right);
  return std::ranges::equal(left.first(octets), right.first(octets)) &&
         ((left[octets] ^ right[octets]) & (0xff00U >> bits % 8) & 0xff) == 0;
}

bool same_network(const system_address& a, const system_address& b) {
  constexpr std::size_t prefix = 64;  // temporary addresses are made in such networks
  return a.interface_name == b.interface_name && a.address.is_v6() &&
         same_prefix(a.address, b.address, prefix);
}

/// RFC 8445 5.1.1.1: host candidates whose address allows tracking MUST NOT be gathered where the
/// same interface and prefix has one that prevents it.
void drop_trackable(std::vector<system_address>& all) {
  if (std::none_of(all.begin(), all.end(), [](const auto& entry) { return entry.temporary; })) {
    return;
  }
  const auto original = all;
  std::erase_if(all, [&](const system_address& entry) {
    if (entry.temporary) return false;
    return std::any_of(original.begin(), original.end(), [&](const system_address& other) {
      return other.temporary && same_network(entry, other);
    });
  });
}

/// All of it where the mask is not told.
std::uint8_t prefix_of(const sockaddr* netmask) {
  const auto mask = socket_address::from(netmask);
  if (!mask) return system_address().prefix;
  // Named, since a range-for does not keep what its range looks into (before C++23).
  const base::ip_address address = mask->to_endpoint().address;
  int bits = 0;
  for (const auto octet : address.octets()) bits += std::popcount(octet);
  return static_cast<std::uint8_t>(bits);
}

std::optional<std::vector<system_address>> read_addresses() {
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) return std::nullopt;
  std::vector<system_address> found;
  const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> owner(list, &::freeifaddrs);
  for (const ifaddrs* entry = list; entry != nullptr; entry = entry->ifa_next) {
    const auto address = socket_address::from(entry->ifa_addr);
    if (!address || (entry->ifa_flags & IFF_UP) == 0 || (entry->ifa_flags & IFF_RUNNING) == 0) {
      continue;
    }
    system_address usable;
    usable.interface_name = entry->ifa_name;
    usable.interface = ::if_nametoindex(entry->ifa_name);
    usable.address = address->to_endpoint().address;
    usable.prefix = prefix_of(entry->ifa_netmask);
    usable.loopback = (entry->ifa_flags & IFF_LOOPBACK) != 0;
    usable.point_to_point = (entry->ifa_flags & IFF_POINTOPOINT) != 0;
    found.push_back(std::move(usable));
  }
  read_v6_flags(found);
  return found;
}

}  // namespace

std::optional<system_addresses> look_at_addresses() {
  auto all = read_addresses();
  if (!all) return std::nullopt;
  system_addresses found;
  found.all = std::move(*all);
  found.defaults = find_default_addresses();
  return found;
}

std::vector<system_address> list_system_addresses() {
  return read_addresses().value_or(std::vector<system_address>());
}

bool is_on_link(const std::vector<system_address>& all, const base::ip_address& address,
                unsigned interface) {
  constexpr std::size_t whole = 128;
  return std::ranges::any_of(all, [&](const system_address& own) {
    return same_prefix(own.address, address, own.interface == interface ? own.prefix : whole);
  });
}

std::optional<base::ip_address> find_source(const base::endpoint& target) {
  const socket_address remote(target);
  const unique_fd fd(::socket(remote.family(), SOCK_DGRAM | SOCK_CLOEXEC, 0));
  // For UDP, connect only chooses the route and with it the source address.
  if (!fd.valid() || ::connect(fd.get(), remote.data(), remote.size()) != 0) return std::nullopt;
  socket_address local;
  socklen_t size = socket_address::capacity();
  if (::getsockname(fd.get(), local.data(), &size) != 0) return std::nullopt;
  return local.to_endpoint().address;
}

default_addresses find_default_addresses() {
  return {source_towards(internet_v4), source_towards(internet_v6)};
}

base::ip_address map_address(const base::ip_address& local,
                             const std::vector<address_mapping>& mappings) {
  // No router is between a host and itself, or its link.
  if (local.is_loopback() || local.is_link_local()) return local;
  for (const auto& mapping : mappings) {
    const bool fits =
        mapping.local ? *mapping.local == local : mapping.external.is_v4() == local.is_v4();
    if (fits) return mapping.external;
  }
  return local;
}

std::vector<local_address> select_addresses(std::vector<system_address> all,
                                            const interface_filter& filter,
                                            const default_addresses& defaults) {
  std::erase_if(all, never_used);
  drop_trackable(all);
  if (filter) {
    std::erase_if(all, [&](const system_address& entry) {
      interface_address asked;
      asked.interface_name = entry.interface_name;
      asked.address = entry.address.to_string();
      return !filter(asked);
    });
  } else if (std::any_of(all.begin(), all.end(),
                         [](const auto& entry) { return !entry.loopback; })) {
    std::erase_if(all, [](const system_address& entry) { return entry.loopback; });
  }
  const auto rank = [&](const system_address& entry) {
    const bool is_default = entry.address == defaults.v4 || entry.address == defaults.v6;
    return std::tuple(!is_default, entry.loopback, entry.point_to_point,
                      entry.address.is_link_local());
  };
  std::ranges::stable_sort(all, {}, rank);
  if (all.size() > max_local_addresses) all.resize(max_local_addresses);
  std::vector<local_address> chosen;
  for (auto& entry : all) {
    const auto preference = static_cast<std::uint16_t>(65535 - chosen.size());
    chosen.push_back({std::move(entry.interface_name), entry.address, preference});
  }
  return chosen;
}

}  // namespace asiortc::io

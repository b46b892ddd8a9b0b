#include "io/interfaces.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

using namespace asiortc;
using io::select_addresses;
using io::system_address;

namespace {

system_address entry(std::string name, std::string_view address) {
  system_address made;
  made.interface_name = std::move(name);
  made.address = *base::ip_address::parse(address);
  made.loopback = made.address.is_loopback();
  return made;
}

std::vector<std::string> texts(const std::vector<io::local_address>& chosen) {
  std::vector<std::string> result;
  for (const auto& local : chosen) result.push_back(local.address.to_string());
  return result;
}

using strings = std::vector<std::string>;

}  // namespace

TEST_CASE("loopback is used only where there is nothing else") {
  const auto lo = entry("lo", "127.0.0.1");
  const auto lo6 = entry("lo", "::1");
  const auto lan = entry("eth0", "192.0.2.1");
  const auto link_local = entry("eth0", "fe80::1");
  CHECK(texts(select_addresses({lo, lan, lo6}, {}, {})) == strings{"192.0.2.1"});
  CHECK(texts(select_addresses({lo, lo6}, {}, {})) == strings{"127.0.0.1", "::1"});
  CHECK(texts(select_addresses({lo, link_local}, {}, {})) == strings{"127.0.0.1"});
  CHECK(select_addresses({}, {}, {}).empty());
}

TEST_CASE("a filter is asked for every address and decides alone, about loopback too") {
  strings asked;
  const auto only_loopback = [&](const interface_address& address) {
    asked.push_back(address.interface_name + " " + address.address);
    return address.interface_name == "lo";
  };
  const auto chosen =
      select_addresses({entry("eth0", "192.0.2.1"), entry("lo", "127.0.0.1")}, only_loopback, {});
  CHECK(texts(chosen) == strings{"127.0.0.1"});
  CHECK(asked == strings{"eth0 192.0.2.1", "lo 127.0.0.1"});
}

TEST_CASE("addresses that tell who we are give way to temporary ones of their network") {
  auto temporary = entry("eth0", "2001:db8:1::99");
  temporary.temporary = true;
  const auto stable = entry("eth0", "2001:db8:1::1");
  const auto other_network = entry("eth0", "2001:db8:2::1");
  const auto other_interface = entry("eth1", "2001:db8:1::2");
  CHECK(texts(select_addresses({stable, temporary, other_network, other_interface}, {}, {})) ==
        strings{"2001:db8:1::99", "2001:db8:2::1", "2001:db8:1::2"});
}

TEST_CASE("deprecated, link-local, mapped and multicast addresses are not used") {
  auto deprecated = entry("eth0", "2001:db8::1");
  deprecated.unusable = true;
  CHECK(select_addresses({deprecated, entry("eth0", "fe80::1"), entry("eth0", "::ffff:1.2.3.4"),
                          entry("eth0", "0.0.0.0"), entry("eth0", "ff02::1")},
                         {}, {})
            .empty());
}

TEST_CASE("the address towards the internet comes first, tunnels later, and no two are alike") {
  auto tunnel = entry("tun0", "10.8.0.2");
  tunnel.point_to_point = true;
  io::default_addresses defaults;
  defaults.v4 = *base::ip_address::parse("192.0.2.1");
  const auto chosen = select_addresses({tunnel, entry("docker0", "172.17.0.1"),
                                        entry("eth0", "169.254.1.1"), entry("eth1", "192.0.2.1")},
                                       {}, defaults);
  CHECK(texts(chosen) == strings{"192.0.2.1", "172.17.0.1", "169.254.1.1", "10.8.0.2"});
  std::set<std::uint16_t> preferences;
  for (const auto& local : chosen) preferences.insert(local.preference);
  CHECK(preferences.size() == chosen.size());
  CHECK(chosen.front().preference == *preferences.rbegin());
}

TEST_CASE("the number of addresses is bounded") {
  std::vector<system_address> many;
  for (int i = 1; i <= 40; ++i) many.push_back(entry("eth0", "192.0.2." + std::to_string(i)));
  CHECK(select_addresses(many, {}, {}).size() == io::max_local_addresses);
}

TEST_CASE("on the link of an interface is who is in a network of it, or this machine") {
  auto lan = entry("eth0", "192.0.2.130");
  lan.interface = 2;
  lan.prefix = 25;
  auto lan6 = entry("eth0", "fe80::1");
  lan6.interface = 2;
  lan6.prefix = 64;
  auto other = entry("eth1", "198.51.100.1");
  other.interface = 3;
  other.prefix = 24;
  auto tunnel = entry("tun0", "10.8.0.2");
  tunnel.interface = 4;
  const std::vector<system_address> all{lan, lan6, other, tunnel};
  const auto on_link = [&](std::string_view address, unsigned interface) {
    return io::is_on_link(all, *base::ip_address::parse(address), interface);
  };
  CHECK(on_link("192.0.2.129", 2));
  CHECK(on_link("192.0.2.255", 2));
  CHECK_FALSE(on_link("192.0.2.127", 2));
  CHECK_FALSE(on_link("203.0.113.130", 2));
  CHECK(on_link("fe80::dead:beef", 2));
  CHECK_FALSE(on_link("fe80:0:0:1::1", 2));
  CHECK_FALSE(on_link("2001:db8::1", 2));
  CHECK_FALSE(on_link("198.51.100.7", 2));
  CHECK(on_link("198.51.100.7", 3));
  CHECK(on_link("198.51.100.1", 2));
  CHECK_FALSE(on_link("10.8.0.1", 4));
}

TEST_CASE("this machine has at least one address") {
  const auto all = io::list_system_addresses();
  const auto loopback = *base::ip_address::parse("127.0.0.1");
  const auto lo = std::ranges::find(all, loopback, &system_address::address);
  REQUIRE(lo != all.end());
  CHECK(lo->interface != 0);
  CHECK(lo->prefix == 8);

  CHECK_FALSE(io::list_system_addresses().empty());
  CHECK_FALSE(
      select_addresses(io::list_system_addresses(), {}, io::find_default_addresses()).empty());
}

TEST_CASE("an external address stands for the local one that it names, or for all of its family") {
  const auto address = [](std::string_view text) { return *base::ip_address::parse(text); };
  const std::vector<io::address_mapping> mappings{
      {address("203.0.113.7"), address("10.0.0.7")},
      {address("203.0.113.1"), std::nullopt},
  };
  CHECK(io::map_address(address("10.0.0.7"), mappings) == address("203.0.113.7"));
  CHECK(io::map_address(address("10.0.0.8"), mappings) == address("203.0.113.1"));
  CHECK(io::map_address(address("2001:db8::1"), mappings) == address("2001:db8::1"));
  CHECK(io::map_address(address("127.0.0.1"), mappings) == address("127.0.0.1"));
  CHECK(io::map_address(address("10.0.0.8"), {}) == address("10.0.0.8"));
}

#include "sim/nat_kinds.hpp"

#include <algorithm>
#include <utility>

namespace asiortc::test {
namespace {

constexpr auto independent = dependence::endpoint_independent;
constexpr auto by_address = dependence::address_dependent;
constexpr auto by_port = dependence::address_and_port_dependent;

nat_kind behind(const char* name, bool v6, dependence mapping, dependence filtering) {
  nat_kind kind;
  kind.name = name;
  kind.v6 = v6;
  kind.behaviour.translates = !v6;
  kind.behaviour.mapping = mapping;
  kind.behaviour.filtering = filtering;
  return kind;
}

nat_kind open_host(const char* name, bool v6) {
  nat_kind kind = behind(name, v6, independent, independent);
  kind.router = false;
  kind.behaviour.translates = false;
  return kind;
}

nat_kind without_udp(const char* name, bool v6) {
  nat_kind kind = behind(name, v6, independent, by_port);
  kind.behaviour.udp = false;
  return kind;
}

/// Whether a check from the sender to the receiver's server-reflexive candidate arrives, both
/// having sent to each other's.
bool gets_in(const nat_behaviour& sender, const nat_behaviour& receiver) {
  if (receiver.filtering == independent) return true;
  // What the receiver sent towards the sender left by another mapping, and opened that one only.
  if (receiver.mapping != independent) return false;
  // The check must come from the very port that the receiver has sent to.
  return receiver.filtering == by_address || sender.mapping == independent;
}

/// One check that arrives is enough, since its response and the check that it triggers go back the
/// way it came.
bool connects_directly(const nat_kind& a, const nat_kind& b) {
  return a.v6 == b.v6 && a.behaviour.udp && b.behaviour.udp &&
         (gets_in(a.behaviour, b.behaviour) || gets_in(b.behaviour, a.behaviour));
}

const nat_kind* kind_named(const char* name) {
  const auto& kinds = nat_kinds();
  return &*std::find_if(kinds.begin(), kinds.end(),
                        [=](const nat_kind& kind) { return kind.name == name; });
}

}  // namespace

const std::vector<nat_kind>& nat_kinds() {
  static const std::vector<nat_kind> kinds{
      open_host("open", false),
      behind("full-cone", false, independent, independent),
      behind("address-restricted", false, independent, by_address),
      behind("port-restricted", false, independent, by_port),
      behind("address-mapped, address-restricted", false, by_address, by_address),
      behind("address-mapped", false, by_address, by_port),
      behind("symmetric", false, by_port, by_port),
      without_udp("udp-blocked", false),
      open_host("open-6", true),
      behind("firewall-endpoint-6", true, independent, independent),
      behind("firewall-address-6", true, independent, by_address),
      behind("firewall-port-6", true, independent, by_port),
      without_udp("udp-blocked-6", true),
  };
  return kinds;
}

std::string matrix_cell::name() const { return offerer->name + " x " + answerer->name; }

const std::vector<matrix_cell>& matrix_cells() {
  static const std::vector<matrix_cell> cells = [] {
    std::vector<matrix_cell> made;
    for (const auto& a : nat_kinds()) {
      for (const auto& b : nat_kinds()) {
        if (a.v6 == b.v6) made.push_back({&a, &b, connects_directly(a, b)});
      }
    }
    constexpr std::pair<const char*, const char*> across[] = {
        {"open", "open-6"},
        {"port-restricted", "firewall-port-6"},
        {"udp-blocked", "udp-blocked-6"},
    };
    for (const auto& [four, six] : across) {
      made.push_back({kind_named(four), kind_named(six), false});
      made.push_back({kind_named(six), kind_named(four), false});
    }
    return made;
  }();
  return cells;
}

}  // namespace asiortc::test

#include "support/virtual_nat.hpp"

#include <algorithm>

namespace asiortc::test {
namespace {

/// What two remote endpoints have in common to be one and the same.
base::endpoint relevant_part(const base::endpoint& remote, dependence by) {
  switch (by) {
    case dependence::endpoint_independent:
      return {};
    case dependence::address_dependent:
      return {remote.address, 0};
    case dependence::address_and_port_dependent:
      break;
  }
  return remote;
}

}  // namespace

void virtual_nat::forget_old(base::time_point now) {
  const auto is_old = [&](base::time_point used) { return now - used >= behaviour_.timeout; };
  std::erase_if(mappings_, [&](const mapping& m) { return is_old(m.used_at); });
  for (auto& m : mappings_) {
    std::erase_if(m.contacted, [&](const auto& entry) { return is_old(entry.second); });
  }
}

virtual_nat::mapping& virtual_nat::mapping_for(const base::endpoint& from,
                                               const base::endpoint& remote) {
  const auto found = std::find_if(mappings_.begin(), mappings_.end(), [&](const mapping& m) {
    return m.inside == from && m.remote == remote;
  });
  if (found != mappings_.end()) return *found;
  mapping made;
  made.inside = from;
  made.remote = remote;
  made.outside = behaviour_.translates ? base::endpoint(outer_, next_port_++) : from;
  return mappings_.emplace_back(std::move(made));
}

std::optional<base::endpoint> virtual_nat::translate_out(base::time_point now,
                                                         const base::endpoint& from,
                                                         const base::endpoint& to) {
  if (!behaviour_.udp || to.address == outer_) return std::nullopt;
  forget_old(now);
  mapping& used = mapping_for(from, relevant_part(to, behaviour_.mapping));
  used.used_at = now;
  used.contacted[relevant_part(to, behaviour_.filtering)] = now;
  return used.outside;
}

std::optional<base::endpoint> virtual_nat::translate_in(base::time_point now,
                                                        const base::endpoint& from,
                                                        const base::endpoint& to) {
  forget_old(now);
  const auto found = std::find_if(mappings_.begin(), mappings_.end(),
                                  [&](const mapping& m) { return m.outside == to; });
  if (found == mappings_.end()) return std::nullopt;
  const bool admitted = found->contacted.count(relevant_part(from, behaviour_.filtering)) != 0;
  return admitted ? std::optional(found->inside) : std::nullopt;
}

}  // namespace asiortc::test

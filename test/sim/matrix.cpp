#include "sim/matrix.hpp"

#include "support/seeded_random.hpp"

#include <algorithm>
#include <cstdlib>
#include <string_view>

namespace asiortc::test {
namespace {

base::ip_address ip(const char* text) { return *base::ip_address::parse(text); }

}  // namespace

std::uint64_t& only_seed() {
  static std::uint64_t seed = 0;
  return seed;
}

std::vector<std::uint64_t> matrix_seeds(std::uint64_t count) {
  if (only_seed() != 0) return {only_seed()};
  const char* const every = std::getenv("SIM_EVERY");
  const std::uint64_t step = every == nullptr ? 1 : std::strtoull(every, nullptr, 10);
  std::vector<std::uint64_t> seeds;
  for (std::uint64_t seed = 1; seed <= count; seed += std::max<std::uint64_t>(step, 1)) {
    seeds.push_back(seed);
  }
  return seeds;
}

network_conditions conditions_of(std::uint64_t seed, std::uint64_t most_loss) {
  seeded_random random(seed);
  const auto share = [&](std::uint64_t most) {
    return static_cast<double>(random.below(most + 1)) / 100;
  };
  const auto time = [&](std::uint64_t least, std::uint64_t most) {
    return std::chrono::milliseconds(least + random.below(most - least + 1));
  };
  network_conditions conditions;
  conditions.loss = share(most_loss);
  conditions.duplication = share(3);
  conditions.delay = time(1, 60);
  conditions.jitter = time(0, 30);
  return conditions;
}

std::string describe(const matrix_cell& cell, std::uint64_t seed,
                     const network_conditions& conditions) {
  const auto ms = [](base::duration time) { return std::to_string(time.count() / 1000) + " ms"; };
  return cell.name() + ", --seed " + std::to_string(seed) + ": link loss " +
         std::to_string(static_cast<int>(conditions.loss * 100 + 0.5)) + " %, delay " +
         ms(conditions.delay) + ", jitter " + ms(conditions.jitter);
}

virtual_internet::site add_site(virtual_internet& net, const nat_kind& kind, side which,
                                virtual_internet::receiver receive) {
  const bool first = which == side::offerer;
  const auto outer = ip(first ? "203.0.113.1" : "203.0.113.2");
  const auto inner = ip(first ? "10.0.1.2" : "10.0.2.2");
  const auto six = ip(first ? "2001:db8:1::2" : "2001:db8:2::2");
  if (!kind.router) return net.add_host(kind.v6 ? six : outer, std::move(receive));
  return net.add_host_behind(kind.behaviour, outer, kind.v6 ? six : inner, std::move(receive));
}

bool is_relayed(const base::route& route) {
  return peer::relays::is_relayed(route.local) ||
         virtual_internet::is_servers(route.remote.address);
}

}  // namespace asiortc::test

#include "support/virtual_network.hpp"

#include <utility>

namespace asiortc::test {
namespace {

/// SplitMix64: a sequence of its own for each packet.
class dice {
 public:
  explicit dice(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() {
    state_ += 0x9e3779b97f4a7c15ULL;
    std::uint64_t mixed = state_;
    mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9ULL;
    mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111ebULL;
    return mixed ^ mixed >> 31;
  }

  /// In [0, 1).
  double share() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

 private:
  std::uint64_t state_;
};

}  // namespace

void virtual_network::send(base::time_point now, virtual_packet packet) {
  ++sent_;
  const std::uint64_t ordinal = ordinals_[packet.from]++;
  dice fate(dice(seed_ ^ std::hash<base::endpoint>{}(packet.from)).next() + ordinal);
  const bool lost = fate.share() < conditions_.loss;
  const bool twice = fate.share() < conditions_.duplication;
  const auto late = [&] {
    return base::duration(
        static_cast<std::int64_t>(fate.share() * static_cast<double>(conditions_.jitter.count())));
  };
  const base::duration first = conditions_.delay + late();
  const base::duration second = conditions_.delay + late();
  if (lost || (filter && !filter(packet))) {
    ++lost_;
    return;
  }
  if (twice) in_flight_.emplace(now + second, packet);
  in_flight_.emplace(now + first, std::move(packet));
}

base::time_point virtual_network::next_arrival() const {
  return in_flight_.empty() ? base::never : in_flight_.begin()->first;
}

std::vector<virtual_packet> virtual_network::take_arrived(base::time_point now) {
  std::vector<virtual_packet> arrived;
  while (!in_flight_.empty() && in_flight_.begin()->first <= now) {
    arrived.push_back(std::move(in_flight_.begin()->second));
    in_flight_.erase(in_flight_.begin());
  }
  return arrived;
}

}  // namespace asiortc::test

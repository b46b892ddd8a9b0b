// Datagrams between virtual hosts, with loss, delay, reordering and duplication that a seed fixes.
#pragma once

#include "base/bytes.hpp"
#include "base/endpoint.hpp"
#include "base/time.hpp"

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <vector>

namespace asiortc::test {

/// What happens to packets between any two hosts. The shares are of 1.
struct network_conditions {
  double loss = 0;
  double duplication = 0;
  base::duration delay = std::chrono::milliseconds(20);
  base::duration jitter{};  ///< up to so much is added, which reorders
};

struct virtual_packet {
  base::bytes bytes;
  base::endpoint from;
  base::endpoint to;
};

/// The fate of a packet depends on the seed, the sending host and how many it has sent before, and
/// never on its content: what libraries draw from their own randomness changes nothing.
class virtual_network {
 public:
  virtual_network(std::uint64_t seed, network_conditions conditions)
      : seed_(seed), conditions_(conditions) {}

  /// Tells of each packet before its fate is decided; false drops it.
  std::function<bool(const virtual_packet&)> filter;

  void send(base::time_point now, virtual_packet packet);
  [[nodiscard]] base::time_point next_arrival() const;
  /// Takes what has arrived by now, in the order of arrival.
  std::vector<virtual_packet> take_arrived(base::time_point now);

  [[nodiscard]] std::uint64_t sent() const { return sent_; }
  [[nodiscard]] std::uint64_t lost() const { return lost_; }

 private:
  std::uint64_t seed_;
  network_conditions conditions_;
  std::map<base::endpoint, std::uint64_t> ordinals_;
  std::multimap<base::time_point, virtual_packet> in_flight_;
  std::uint64_t sent_ = 0;
  std::uint64_t lost_ = 0;
};

}  // namespace asiortc::test

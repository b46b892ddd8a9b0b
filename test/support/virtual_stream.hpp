// One direction of a TCP connection in virtual time.
#pragma once

#include "stun/stream_framer.hpp"
#include "support/seeded_random.hpp"
#include "support/virtual_network.hpp"

#include <map>

namespace asiortc::test {

/// Every byte arrives, in order, in pieces that end anywhere: what the network loses costs time.
class virtual_stream {
 public:
  virtual_stream(std::uint64_t seed, const network_conditions& conditions)
      : random_(seed), conditions_(conditions) {}

  void write(base::time_point now, base::byte_span bytes);
  [[nodiscard]] base::time_point next_arrival() const {
    return in_flight_.empty() ? base::never : in_flight_.begin()->first;
  }

  /// Gives each packet of STUN or TURN that is whole by now to `take`.
  template <class Take>
  void deliver(base::time_point now, Take take) {
    while (next_arrival() <= now) {
      framer_.feed(in_flight_.begin()->second);
      in_flight_.erase(in_flight_.begin());
      while (const auto packet = framer_.next()) take(*packet);
    }
  }

 private:
  void append(base::time_point arrival, base::byte_span piece);

  seeded_random random_;
  network_conditions conditions_;
  std::multimap<base::time_point, base::bytes> in_flight_;
  base::time_point last_arrival_;
  stun::message_framer framer_{65536};
};

}  // namespace asiortc::test

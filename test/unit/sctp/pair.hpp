// Two associations joined by a network in memory, in virtual time.
#pragma once

#include "sctp/association.hpp"

#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace asiortc::test {

struct network_settings {
  double loss = 0;
  double duplication = 0;
  base::duration delay = std::chrono::milliseconds(5);
  base::duration jitter{};  ///< more than a packet's distance reorders
  std::uint64_t seed = 1;
};

/// One end, with everything that it told so far.
class side {
 public:
  explicit side(const sctp::settings& settings);

  /// Fetches events.
  void poll();

  template <class Event>
  [[nodiscard]] std::vector<Event> all() const {
    std::vector<Event> result;
    for (const auto& event : events) {
      if (const auto* wanted = std::get_if<Event>(&event)) result.push_back(*wanted);
    }
    return result;
  }
  template <class Event>
  [[nodiscard]] bool has() const {
    return !all<Event>().empty();
  }
  [[nodiscard]] std::size_t received_bytes() const;
  /// Sends, or fails the test unless it is taken.
  void send(std::uint16_t stream, base::byte_span payload);

  std::unique_ptr<sctp::association> association;
  std::vector<sctp::event> events;
  std::size_t wakes = 0;
  std::size_t largest_packet = 0;
  std::size_t packets_sent = 0;
};

class pair {
 public:
  explicit pair(network_settings network = {}, sctp::settings a_settings = {},
                sctp::settings b_settings = {});

  /// Both connect at once.
  void connect();
  void run_for(base::duration time);
  /// Runs until the condition holds; false after `limit` of virtual time.
  bool run_until(const std::function<bool()>& done, base::duration limit = std::chrono::minutes(2));
  /// Gives the packets of both to the network.
  void collect();

  side a;
  side b;
  network_settings network;
  /// Sees each packet before it is lost or delivered; may change it.
  std::function<void(bool from_a, base::bytes&)> tap;

 private:
  void step();
  void ship(bool from_a);
  void deliver();

  std::mt19937_64 random_;
  struct on_the_way {
    bool from_a = false;
    base::bytes packet;
  };
  std::multimap<base::time_point, on_the_way> wire_;
  unsigned steps_ = 0;
};

base::bytes pattern(std::size_t size, std::uint8_t seed);

}  // namespace asiortc::test

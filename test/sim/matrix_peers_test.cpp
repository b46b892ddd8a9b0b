// Every kind of NAT meets every other one: whole peers.
#include "sim/matrix.hpp"
#include "support/virtual_pair.hpp"

#include <doctest/doctest.h>

#include <algorithm>

namespace asiortc::test {
namespace {

using namespace std::chrono_literals;

pair_options options_of(std::uint64_t seed) {
  pair_options options;
  options.seed = seed;
  return options;
}

/// The first peer offers.
class matrix_peers final : public virtual_pair, private virtual_wire {
 public:
  matrix_peers(const matrix_cell& cell, std::uint64_t seed, const network_conditions& conditions)
      : virtual_pair(options_of(seed)),
        net_(seed, conditions, now()),
        of_a_(add(a, *cell.offerer, side::offerer)),
        of_b_(add(b, *cell.answerer, side::answerer)) {
    wire = this;
  }

  /// Whether the pair in use is as the cell has it, for both.
  bool goes(bool direct) {
    return is_connected(a) && is_connected(b) && is_relaying(a) != direct &&
           is_relaying(b) != direct;
  }

 private:
  virtual_internet::site add(virtual_peer& peer, const nat_kind& kind, side which) {
    const auto site = add_site(net_, kind, which, [this, &peer](const base::datagram& datagram) {
      peer.core().handle_datagrams(now(), {&datagram, 1});
    });
    peer.gather = [this, &peer, site](std::uint32_t generation) {
      gather(net_, site, peer.core(),
             [this, &peer, generation] { peer.core().finish_gathering(now(), generation); });
    };
    return site;
  }

  static bool is_connected(virtual_peer& peer) {
    return peer.has_state(connection_state::connected);
  }
  static bool is_relaying(virtual_peer& peer) {
    const auto pair = peer.core().selected_candidate_pair();
    const auto remote = pair ? base::ip_address::parse(pair->remote.address) : std::nullopt;
    return !remote || pair->local.type == candidate_type::relayed ||
           virtual_internet::is_servers(*remote);
  }

  void send(virtual_peer& from, const base::route& to, base::byte_span packet) override {
    net_.send(&from == &a ? of_a_ : of_b_, to, packet);
  }
  [[nodiscard]] base::time_point next_event() const override { return net_.next_event(); }
  void advance(base::time_point then) override { net_.advance(then); }

  virtual_internet net_;
  virtual_internet::site of_a_;
  virtual_internet::site of_b_;
};

bool has_failed(const virtual_peer& peer) {
  return std::any_of(peer.connection_states.begin(), peer.connection_states.end(),
                     [](const auto& each) { return each.now == connection_state::failed; });
}

}  // namespace

TEST_CASE("whole peers connect and talk in cells of all sorts, directly where they can") {
  // Of one link, so that a path loses up to 36 %.
  constexpr std::uint64_t most_loss = 20;
  // Neighbouring seeds take cells that are far apart.
  constexpr std::uint64_t stride = 37;
  constexpr std::size_t count = 10;
  const auto& cells = matrix_cells();
  for (const std::uint64_t seed : matrix_seeds(50)) {
    const auto& cell = cells[seed * stride % cells.size()];
    const auto conditions = conditions_of(seed, most_loss);
    INFO(describe(cell, seed, conditions));
    matrix_peers pair(cell, seed, conditions);
    const auto ours = pair.a.create_channel("data");
    const auto is_open = [&] { return pair.a.is_open(ours) && !pair.b.opened_by_peer.empty(); };
    REQUIRE(pair.run_until(is_open, 60s));
    const auto goes_right = [&] { return pair.goes(cell.direct); };
    CHECK(pair.run_until(goes_right, 60s));
    for (std::size_t index = 0; index < count; ++index) {
      pair.a.send(ours, make_message(2000 + index, index));
      pair.b.send(pair.b.opened_by_peer.front(), make_message(3000 + index, index));
    }
    const auto arrived = [&] {
      return pair.a.received.size() == count && pair.b.received.size() == count;
    };
    REQUIRE(pair.run_until(arrived, 300s));
    for (std::size_t index = 0; index < count; ++index) {
      CHECK(pair.a.received[index].value == make_message(3000 + index, index));
      CHECK(pair.b.received[index].value == make_message(2000 + index, index));
    }
    pair.run_for(40s);
    CHECK(pair.run_until(goes_right, 60s));
    CHECK_FALSE(has_failed(pair.a));
    CHECK_FALSE(has_failed(pair.b));
  }
}

}  // namespace asiortc::test

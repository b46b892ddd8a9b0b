// What the runs of the matrix share: the network that a seed stands for, the hosts, and how these
// gather, which is as the driver of a host of one family does it.
#pragma once

#include "peer/relays.hpp"
#include "sim/nat_kinds.hpp"
#include "support/virtual_internet.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace asiortc::test {

/// The seeds to run of that many: all of them, each `SIM_EVERY`th, or the one that was asked for.
std::vector<std::uint64_t> matrix_seeds(std::uint64_t count);
/// The only seed to run, if it is not 0.
std::uint64_t& only_seed();

/// Loss on each host's link up to so many per cent, duplication, and a jitter that reorders.
network_conditions conditions_of(std::uint64_t seed, std::uint64_t most_loss);

/// The cell, the seed and the network, for whoever reads of a failure.
std::string describe(const matrix_cell& cell, std::uint64_t seed,
                     const network_conditions& conditions);

enum class side : std::uint8_t { offerer, answerer };

virtual_internet::site add_site(virtual_internet& net, const nat_kind& kind, side which,
                                virtual_internet::receiver receive);

/// Whether what is sent there passes the server.
bool is_relayed(const base::route& route);

/// Opens what the host has: a socket, and to the TURN server one for addresses of the other family,
/// and a stream for each family. `done` is called when it has all been told.
template <class Core>
void gather(virtual_internet& net, virtual_internet::site where, Core& core,
            std::function<void()> done) {
  constexpr std::uint16_t preference_of_other_family = 3;
  constexpr std::uint16_t preference_over_tcp = 2;
  constexpr std::uint16_t preference_of_interface = 100;
  const base::socket_id socket = net.bind(where);
  const base::endpoint local = net.local_endpoint(where, socket);
  const base::endpoint at = virtual_internet::server_endpoint(local.address.is_v6());
  const auto& account = net.server().settings();
  const peer::turn_server server{at, account.username, account.password, "turn.example.org", {}};
  const auto own = local.address.is_v4() ? turn::address_family::ipv4 : turn::address_family::ipv6;
  const auto other =
      local.address.is_v4() ? turn::address_family::ipv6 : turn::address_family::ipv4;
  ice::local_socket added;
  added.id = socket;
  added.address = local;
  added.interface_preference = preference_of_interface;
  core.add_local_socket(net.now(), added);
  core.add_stun_server(net.now(), at);
  core.add_turn_server(net.now(), server);
  core.add_turn_carrier(net.now(), {net.bind(where), false, preference_of_other_family, other},
                        server);
  const auto opening = std::make_shared<int>(2);
  for (const auto family : {own, other}) {
    net.connect(where, [&net, &core, server, family, opening, done](base::socket_id stream) {
      core.add_turn_carrier(net.now(), {stream, true, preference_over_tcp, family}, server);
      if (--*opening == 0) done();
    });
  }
}

}  // namespace asiortc::test

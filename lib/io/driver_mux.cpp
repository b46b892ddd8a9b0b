// A driver whose sockets are those of a mux.
#include "ice/check_list.hpp"
#include "io/clock.hpp"
#include "io/peer_driver_impl.hpp"

#include <algorithm>
#include <utility>

namespace asiortc::io {

void peer_driver::impl::handle_mux() {
  if (stopping) return;
  auto news = mux->take();
  if (news.addresses_changed && generation != 0) follow_mux();
  report_failures(news.failed);
  const auto memory = resources->borrow();
  if (news.writable) mux->send_kept(memory->failed);
  report_failures(memory->failed);
  auto& datagrams = memory->inbound;
  datagrams.clear();
  const auto now = clock_now();
  for (const auto& packet : news.packets.entries()) {
    base::datagram datagram;
    datagram.bytes = news.packets.mutable_view(packet);
    datagram.from = packet.to;
    datagram.arrival = now;
    datagrams.push_back(datagram);
  }
  take_in(now, datagrams);
  mux->give_back(std::move(news.packets));
  pump();
}

void peer_driver::impl::follow_mux() {
  const auto changes = mux->update_addresses();
  const auto now = clock_now();
  for (const auto id : changes.gone) {
    const auto gone = boost::system::errc::make_error_code(boost::system::errc::network_down);
    core->remove_socket(now, id, {gone, "the socket of the mux is gone"});
  }
  for (const auto& each : changes.come) {
    ice::local_socket told{each.id, each.bound, each.local.preference};
    told.address.address = map_address(told.address.address, options.external_addresses);
    hide(told, each.local.address);
    core->add_local_socket(now, told);
  }
  move_carriers_of_mux();
}

/// A mux that was closed has no addresses, and takes no relay with it.
void peer_driver::impl::move_carriers_of_mux() {
  const auto addresses = local_addresses();
  if (addresses.empty()) return;
  const auto carriers = carrier_sockets;
  for (const auto& each : carriers) {
    const auto local = each.socket->local().address;
    const bool there = std::find(addresses.begin(), addresses.end(), local) != addresses.end();
    if (!there && each.socket->is_open()) lose_socket(each.socket);
  }
  const auto asked = asked_beside_mux;
  for (const auto& [server, where] : asked) ask_beside_mux(server, where);
}

/// A TURN server knows its clients by address and port, so that those of one port would be one to
/// it: each peer asks from sockets of its own.
void peer_driver::impl::ask_beside_mux(const turn_server& server,
                                       const std::vector<base::endpoint>& addresses) {
  const auto family = family_of(addresses.front().address);
  std::erase_if(asked_beside_mux, [&](const auto& each) {
    return each.first.url == server.url && family_of(each.second.front().address) == family;
  });
  asked_beside_mux.emplace_back(server, addresses);
  for (const auto& each : mux->addresses()) {
    if (!ice::can_pair(each.local.address, addresses.front().address)) continue;
    open_carrier(server, addresses, each.local, family);
  }
}

}  // namespace asiortc::io

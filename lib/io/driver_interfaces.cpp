// Continual gathering: sockets follow the addresses of the machine as they come and go.
#include "io/clock.hpp"
#include "io/peer_driver_impl.hpp"

#include <algorithm>

namespace asiortc::io {

void peer_driver::impl::open_missing_sockets(const system_addresses& there) {
  if (mux && !options.ice_tcp) return;
  const auto chosen = select_addresses(there.all, options.interface_filter, there.defaults);
  for (const auto& local : chosen) {
    if (mux) break;  // it has all UDP sockets
    const bool open = std::any_of(sockets.begin(), sockets.end(), [&](const auto& socket) {
      return socket->is_open() && socket->local().address == local.address;
    });
    // After an ICE restart the core gathers from the sockets that it knows by itself.
    if (!open && may_open_socket()) open_socket(local.address, local.preference);
  }
  if (options.ice_tcp) open_missing_ends(chosen);
}

void peer_driver::impl::watch_interfaces() {
  // The mux watches for its sockets, but knows nothing of servers that are to be asked again.
  const bool left_to_mux = mux && !options.ice_tcp && !options.hide_addresses &&
                           options.stun_servers.empty() && options.turn_servers.empty();
  if (watch_token != 0 || left_to_mux) return;
  const auto weak = std::weak_ptr<impl>(self());
  watch_token = resources->interfaces().subscribe([weak](const auto& there) {
    const auto driver = weak.lock();
    if (driver) driver->strand.post([driver, there] { driver->handle_interface_change(there); });
  });
}

void peer_driver::impl::handle_interface_change(const interface_watch::snapshot& there) {
  if (stopping || there == last_told) return;
  last_told = there;
  const auto is_there = [&](const base::ip_address& address) {
    return std::any_of(there->all.begin(), there->all.end(),
                       [&](const auto& each) { return each.address == address; });
  };
  const auto open = sockets;
  for (const auto& socket : open) {
    if (!is_there(socket->local().address) && socket->is_open()) lose_socket(socket);
  }
  const auto connected = streams;
  for (const auto& each : connected) {
    const auto local = each->stream ? each->stream->local() : std::nullopt;
    if (local && !is_there(*local)) lose_stream(each, "the local address of a stream is gone");
  }
  std::erase_if(hidden, [&](const auto& entry) { return !is_there(entry.first); });
  lose_ends(there->all);
  open_missing_sockets(*there);
  ++occasions;
  ask_missing_servers();
  pump();
}

void peer_driver::impl::lose_socket(const std::shared_ptr<udp_socket>& socket) {
  options.log(log_level::info,
              [&] { return "the address of " + socket->local().to_string() + " is gone"; });
  socket->close();
  if (std::exchange(socket->awaiting_writable, false)) --blocked_sockets;
  const auto gone = boost::system::errc::make_error_code(boost::system::errc::network_down);
  core->remove_socket(clock_now(), socket->id(), {gone, "the local address is gone"});
}

}  // namespace asiortc::io

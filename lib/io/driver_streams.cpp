// The driver's connections to TURN servers over TCP and TLS.
#include "ice/check_list.hpp"
#include "io/clock.hpp"
#include "io/interfaces.hpp"
#include "io/peer_driver_impl.hpp"

#include <algorithm>
#include <vector>

namespace asiortc::io {
namespace {

constexpr std::size_t max_streams = 16;
// Ids of streams are apart from those of sockets, which index a list.
constexpr std::uint32_t stream_bit = 0x4000'0000;

// Below any relay over UDP, whose preference is its interface's; TLS costs more than TCP.
constexpr std::uint16_t tcp_preference = 2;
constexpr std::uint16_t tls_preference = 1;
constexpr std::uint16_t udp_preference = 3;  // of a relay of the family that we lack

peer::turn_server resolved_as(const turn_server& server, const base::endpoint& address) {
  return {address, server.username, server.password, server.url};
}

std::string unreachable(const base::endpoint& server) {
  return "no local address can reach " + server.to_string();
}

}  // namespace

void peer_driver::impl::add_server(const turn_server& server,
                                   const std::vector<base::ip_address>& addresses) {
  if (addresses.empty()) core->turn_server_failed(clock_now(), server.url, no_address);
  for (const bool v6 : {false, true}) {
    const auto found = std::find_if(addresses.begin(), addresses.end(),
                                    [&](const auto& address) { return address.is_v6() == v6; });
    if (found == addresses.end()) continue;
    ask_for_relay(server, {*found, server.port});
    ask_for_other_family(server, {*found, server.port});
  }
}

bool peer_driver::impl::has_stream_to(const turn_server& server) const {
  return std::any_of(streams.begin(), streams.end(),
                     [&](const auto& stream) { return stream->url() == server.url; });
}

void peer_driver::impl::ask_for_relay(const turn_server& server, const base::endpoint& address) {
  if (server.transport == turn_transport::udp) {
    const auto all = local_addresses();
    const bool fits = std::any_of(all.begin(), all.end(), [&](const auto& local) {
      return ice::can_pair(local, address.address);
    });
    if (!fits) core->turn_server_failed(clock_now(), server.url, unreachable(address));
    if (mux) return ask_beside_mux(server, address);
    core->add_turn_server(clock_now(), resolved_as(server, address));
  } else {
    open_stream(server, address, family_of(address.address));
  }
}

/// A host without IPv6, or without IPv4, reaches who has nothing else through a relay that has
/// both. One client gets two allocations of a server only from two sockets.
void peer_driver::impl::ask_for_other_family(const turn_server& server,
                                             const base::endpoint& address) {
  const bool v4 = address.address.is_v4();
  const auto find_local = [this](bool of_v4) {
    const auto all = local_addresses();
    const auto found = std::find_if(all.begin(), all.end(),
                                    [of_v4](const auto& local) { return local.is_v4() == of_v4; });
    return found == all.end() ? std::nullopt : std::optional(*found);
  };
  if (find_local(!v4)) return;
  const auto other = v4 ? turn::address_family::ipv6 : turn::address_family::ipv4;
  if (server.transport != turn_transport::udp) return open_stream(server, address, other);
  const auto beside = find_local(v4);
  if (beside) open_carrier(server, address, {{}, *beside, udp_preference}, other);
}

std::vector<base::ip_address> peer_driver::impl::local_addresses() const {
  std::vector<base::ip_address> all;
  if (mux) {
    for (const auto& each : mux->addresses()) all.push_back(each.local.address);
    return all;
  }
  for (const auto& socket : sockets) {
    if (socket->is_open()) all.push_back(socket->local().address);
  }
  return all;
}

/// The address that the system would connect from, or another one where the application's filter
/// leaves that out. Nothing where no address is left.
std::optional<base::ip_address> peer_driver::impl::find_stream_source(
    const base::endpoint& server) const {
  const auto all = local_addresses();
  const auto chosen = find_source(server);
  if (chosen && std::find(all.begin(), all.end(), *chosen) != all.end()) return chosen;
  const auto fits = std::find_if(all.begin(), all.end(), [&](const auto& local) {
    return ice::can_pair(local, server.address);
  });
  return fits == all.end() ? std::nullopt : std::optional(*fits);
}

/// Asks over a socket that serves nothing else. One that is there asks again, which does nothing
/// while its allocation stands.
void peer_driver::impl::open_carrier(const turn_server& server, const base::endpoint& address,
                                     const local_address& local, turn::address_family family) {
  std::erase_if(carrier_sockets, [](const auto& each) { return !each.socket->is_open(); });
  const auto known =
      std::find_if(carrier_sockets.begin(), carrier_sockets.end(), [&](const auto& each) {
        return each.server == address && each.family == family &&
               each.socket->local().address == local.address;
      });
  std::shared_ptr<udp_socket> socket;
  if (known != carrier_sockets.end()) {
    socket = known->socket;
  } else {
    socket = may_open_socket() ? bind_socket(local.address) : nullptr;
    if (!socket) return;
    carrier_sockets.push_back({address, family, socket});
  }
  peer::turn_carrier carrier;
  carrier.id = socket->id();
  carrier.preference = local.preference;
  carrier.family = family;
  core->add_turn_carrier(clock_now(), carrier, resolved_as(server, address));
}

void peer_driver::impl::open_stream(const turn_server& server, const base::endpoint& address,
                                    turn::address_family family) {
  const bool tls = server.transport == turn_transport::tls;
  const bool known = std::any_of(streams.begin(), streams.end(), [&](const auto& stream) {
    return stream->server() == address && stream->family() == family && stream->is_tls() == tls;
  });
  if (known || streams.size() >= max_streams) return;
  turn_stream::settings settings;
  if (options.interface_filter) {
    settings.from = find_stream_source(address);
    if (!settings.from) {
      return core->turn_server_failed(clock_now(), server.url, unreachable(address));
    }
  }
  settings.id = base::socket_id{++last_stream | stream_bit};
  settings.server = address;
  settings.url = server.url;
  settings.host = server.host;
  settings.tls = tls;
  settings.family = family;
  settings.trusted_certificates = options.turn_trusted_certificates;
  settings.timeout = options.turn_connect_timeout;
  const auto stream = std::make_shared<turn_stream>(strand.get(), std::move(settings));
  streams.push_back(stream);
  ++servers_pending;
  ++pending;
  stream->async_open([self = self(), stream, server, wanted = generation](error_code error) {
    if (!self->resume()) return;
    if (error) {
      const std::string why = stream->server().to_string() + ": " + stream->explain(error);
      self->lose_stream(stream, why);
      self->core->turn_server_failed(clock_now(), server.url, why);
    } else {
      peer::turn_carrier carrier;
      carrier.id = stream->id();
      carrier.reliable = true;
      carrier.preference = stream->is_tls() ? tls_preference : tcp_preference;
      carrier.family = stream->family();
      self->core->add_turn_carrier(clock_now(), carrier, resolved_as(server, stream->server()));
      self->receive_from(stream);
    }
    if (self->generation == wanted) {
      --self->servers_pending;
      self->finish_gathering_if_done();
    }
    self->pump();
  });
}

void peer_driver::impl::receive_from(const std::shared_ptr<turn_stream>& stream) {
  ++pending;
  stream->async_receive([self = self(), stream](error_code error) {
    if (!self->resume()) return;
    const auto now = clock_now();
    while (const auto packet = stream->next()) {
      base::datagram datagram;
      datagram.bytes = *packet;
      datagram.from = {stream->id(), stream->server()};
      datagram.arrival = now;
      self->core->handle_datagrams(now, {&datagram, 1});
    }
    if (error || stream->broken()) {
      const std::string server = stream->server().to_string();
      self->lose_stream(stream, error ? server + ": " + stream->explain(error)
                                      : server + " sends what is not STUN");
    } else if (!self->stopping) {
      self->receive_from(stream);
    }
    self->pump();
  });
}

void peer_driver::impl::lose_stream(const std::shared_ptr<turn_stream>& stream, std::string why) {
  stream->close();
  std::erase(streams, stream);
  if (stopping) return;
  options.log(log_level::warning, [&] { return why; });
  core->remove_socket(clock_now(), stream->id(), {errc::turn_unreachable, std::move(why)});
}

void peer_driver::impl::send_over_stream(const turn_memory& memory, std::size_t first,
                                         std::size_t last) {
  const auto& entries = memory.transmit.entries();
  const auto found = std::find_if(streams.begin(), streams.end(), [&](const auto& stream) {
    return stream->id() == entries[first].to.local;
  });
  if (found == streams.end()) return;
  for (; first < last; ++first) (*found)->append(memory.transmit.view(entries[first]));
  flush(*found);
}

void peer_driver::impl::flush(const std::shared_ptr<turn_stream>& stream) {
  const bool writing = stream->async_flush([self = self(), stream](error_code error) {
    if (!self->resume()) return;
    // The read learns of the same error, and says it.
    if (!error) self->flush(stream);
  });
  if (writing) ++pending;
}

}  // namespace asiortc::io

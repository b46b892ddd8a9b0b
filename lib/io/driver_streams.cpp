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

/// The first address, and the others as what is asked instead where that one fails.
peer::turn_server resolved_as(const turn_server& server,
                              const std::vector<base::endpoint>& addresses) {
  return {addresses.front(),
          server.username,
          server.password,
          server.url,
          {addresses.begin() + 1, addresses.end()}};
}

std::string unreachable(const base::endpoint& server) {
  return "no local address can reach " + server.to_string();
}

}  // namespace

void peer_driver::impl::add_server(const turn_server& server,
                                   const std::vector<base::ip_address>& addresses) {
  if (addresses.empty()) core->turn_server_failed(clock_now(), server.url, no_address);
  for (const bool v6 : {false, true}) {
    const auto found = choose_addresses(addresses, v6, server.port);
    if (found.empty()) continue;
    ask_for_relay(server, found);
    ask_for_other_family(server, found);
  }
}

bool peer_driver::impl::has_stream_to(const turn_server& server) const {
  return std::any_of(streams.begin(), streams.end(), [&](const auto& each) {
    return each->stream && each->server.url == server.url;
  });
}

void peer_driver::impl::ask_for_relay(const turn_server& server,
                                      const std::vector<base::endpoint>& addresses) {
  const base::endpoint& first = addresses.front();
  if (server.transport == turn_transport::udp) {
    const auto all = local_addresses();
    const bool fits = std::any_of(all.begin(), all.end(), [&](const auto& local) {
      return ice::can_pair(local, first.address);
    });
    if (!fits) core->turn_server_failed(clock_now(), server.url, unreachable(first));
    if (mux) return ask_beside_mux(server, addresses);
    core->add_turn_server(clock_now(), resolved_as(server, addresses));
  } else {
    open_stream(server, addresses, family_of(first.address));
  }
}

/// A host without IPv6, or without IPv4, reaches who has nothing else through a relay that has
/// both. One client gets two allocations of a server only from two sockets.
void peer_driver::impl::ask_for_other_family(const turn_server& server,
                                             const std::vector<base::endpoint>& addresses) {
  const bool v4 = addresses.front().address.is_v4();
  const auto find_local = [this](bool of_v4) {
    const auto all = local_addresses();
    const auto found = std::find_if(all.begin(), all.end(),
                                    [of_v4](const auto& local) { return local.is_v4() == of_v4; });
    return found == all.end() ? std::nullopt : std::optional(*found);
  };
  if (find_local(!v4)) return;
  const auto other = v4 ? turn::address_family::ipv6 : turn::address_family::ipv4;
  if (server.transport != turn_transport::udp) return open_stream(server, addresses, other);
  const auto beside = find_local(v4);
  if (beside) open_carrier(server, addresses, {{}, *beside, udp_preference}, other);
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
void peer_driver::impl::open_carrier(const turn_server& server,
                                     const std::vector<base::endpoint>& addresses,
                                     const local_address& local, turn::address_family family) {
  std::erase_if(carrier_sockets, [](const auto& each) { return !each.socket->is_open(); });
  const auto known =
      std::find_if(carrier_sockets.begin(), carrier_sockets.end(), [&](const auto& each) {
        return each.url == server.url && each.family == family &&
               each.socket->local().address == local.address;
      });
  std::shared_ptr<udp_socket> socket;
  if (known != carrier_sockets.end()) {
    socket = known->socket;
  } else {
    socket = may_open_socket() ? bind_socket(local.address) : nullptr;
    if (!socket) return;
    carrier_sockets.push_back({server.url, family, socket});
  }
  peer::turn_carrier carrier;
  carrier.id = socket->id();
  carrier.preference = local.preference;
  carrier.family = family;
  core->add_turn_carrier(clock_now(), carrier, resolved_as(server, addresses));
}

/// One that is being opened, or over which the server gives an address, is taken for the one that
/// is wanted now; over one that stands the server is asked again, perhaps with other credentials;
/// one that waits to be tried again, or whose server is silent, is opened anew.
void peer_driver::impl::open_stream(const turn_server& server,
                                    std::vector<base::endpoint> addresses,
                                    turn::address_family family) {
  const auto known = std::find_if(streams.begin(), streams.end(), [&](const auto& each) {
    return each->server.transport == server.transport && each->family == family &&
           std::ranges::find(addresses, each->plan.address()) != addresses.end();
  });
  const auto now = clock_now();
  const auto until = now + options.turn_patience;
  if (known != streams.end() && (*known)->stream) {
    const auto wanted = *known;
    wanted->server = server;
    wanted->plan.renew(until);
    if (wanted->awaited && wanted->generation != generation) ++servers_pending;
    wanted->generation = generation;
    const auto found = core->relay_over(now, wanted->stream->id());
    if (wanted->is_open && found == peer::relay_state::none) return ask_over(wanted);
    if (found != peer::relay_state::silent) return;
    lose_stream(wanted, wanted->stream->server().to_string() + ": no answer any more");
  } else if (known != streams.end()) {
    streams.erase(known);
  }
  if (streams.size() >= max_streams) return;
  streams.push_back(std::make_shared<wanted_stream>(
      wanted_stream{server, family, connect_plan(std::move(addresses), until), generation, true,
                    base::never, nullptr, false}));
  ++servers_pending;
  const auto wanted = streams.back();
  try_stream(wanted);
}

void peer_driver::impl::try_stream(const std::shared_ptr<wanted_stream>& wanted) {
  const base::endpoint& address = wanted->plan.address();
  turn_stream::settings settings;
  if (options.interface_filter) {
    settings.from = find_stream_source(address);
    if (!settings.from) return fail_stream(wanted, unreachable(address));
  }
  settings.id = base::socket_id{++last_stream | stream_bit};
  settings.server = address;
  settings.host = wanted->server.host;
  settings.tls = wanted->server.transport == turn_transport::tls;
  settings.trusted_certificates = options.turn_trusted_certificates;
  settings.timeout = std::min(options.turn_connect_timeout, share_of_patience(*wanted));
  const auto stream = std::make_shared<turn_stream>(strand.get(), std::move(settings));
  wanted->stream = stream;
  wanted->due = base::never;
  ++pending;
  stream->async_open([self = self(), wanted, stream](error_code error) {
    if (!self->resume() || wanted->stream != stream) return;
    if (error) {
      self->fail_stream(wanted, stream->server().to_string() + ": " + stream->explain(error));
    } else {
      wanted->is_open = true;
      self->ask_over(wanted);
      self->receive_from(wanted, stream);
    }
    self->pump();
  });
}

/// So much of the time for a server as one of its addresses may take.
base::duration peer_driver::impl::share_of_patience(const wanted_stream& wanted) const {
  return options.turn_patience / static_cast<std::int64_t>(wanted.plan.size());
}

/// Asks for an address over the connection that stands.
void peer_driver::impl::ask_over(const std::shared_ptr<wanted_stream>& wanted) {
  const turn_stream& stream = *wanted->stream;
  peer::turn_carrier carrier;
  carrier.id = stream.id();
  carrier.reliable = true;
  carrier.preference = stream.is_tls() ? tls_preference : tcp_preference;
  carrier.family = wanted->family;
  carrier.secure = stream.is_tls();
  core->add_turn_carrier(clock_now(), carrier, resolved_as(wanted->server, {stream.server()}));
  if (wanted->plan.has_untried()) {
    wanted->due = clock_now() + std::min(options.turn_answer_wait, share_of_patience(*wanted));
  } else {
    stop_awaiting(*wanted);
  }
}

/// It is told at once when each address has failed, and gathering waits no longer. But a server
/// that restarts is there again in a moment, so it is tried again for as long as one that does not
/// answer over UDP is asked.
void peer_driver::impl::fail_stream(const std::shared_ptr<wanted_stream>& wanted,
                                    const std::string& why) {
  close_stream(*wanted, why);
  const auto now = clock_now();
  const bool still_wanted = wanted->generation == generation && !leaving;
  wanted->due = still_wanted ? wanted->plan.fail(now) : base::never;
  const bool over = wanted->due == base::never;
  if (wanted->awaited && (over || wanted->plan.tried_all())) {
    // The other family's is asked for on the chance, and has no news of its own.
    const bool of_its_family = wanted->family == family_of(wanted->plan.address().address);
    if (of_its_family) core->turn_server_failed(now, wanted->server.url, why);
    stop_awaiting(*wanted);
  }
  if (over) {
    std::erase(streams, wanted);
  } else if (wanted->due <= now) {
    try_stream(wanted);
  }
}

void peer_driver::impl::stop_awaiting(wanted_stream& wanted) {
  if (!std::exchange(wanted.awaited, false) || wanted.generation != generation) return;
  --servers_pending;
  finish_gathering_if_done();
}

base::time_point peer_driver::impl::next_stream_try() const {
  base::time_point next = base::never;
  for (const auto& each : streams) next = std::min(next, each->due);
  return next;
}

void peer_driver::impl::try_streams(base::time_point now) {
  const auto all = streams;
  for (const auto& each : all) {
    if (each->due > now) continue;
    if (each->stream) {
      fail_stream(each, each->stream->server().to_string() + ": no answer");
    } else {
      try_stream(each);
    }
  }
}

/// An address that takes the connection and gives no address makes place for the server's next one.
void peer_driver::impl::take_answer(const std::shared_ptr<wanted_stream>& wanted) {
  if (!wanted->stream || wanted->due == base::never) return;
  const auto found = core->relay_over(clock_now(), wanted->stream->id());
  if (found == peer::relay_state::asked) return;
  wanted->due = base::never;
  if (found != peer::relay_state::none) return stop_awaiting(*wanted);
  fail_stream(wanted, wanted->stream->server().to_string() + ": it gave no address");
}

void peer_driver::impl::receive_from(const std::shared_ptr<wanted_stream>& wanted,
                                     const std::shared_ptr<turn_stream>& stream) {
  ++pending;
  stream->async_receive([self = self(), wanted, stream](error_code error) {
    if (!self->resume() || wanted->stream != stream) return;
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
      self->fail_stream(wanted, error ? server + ": " + stream->explain(error)
                                      : server + " sends what is not STUN");
    } else if (!self->stopping) {
      self->receive_from(wanted, stream);
      self->take_answer(wanted);
    }
    self->pump();
  });
}

void peer_driver::impl::close_stream(wanted_stream& wanted, const std::string& why) {
  options.log(log_level::warning, [&] { return why; });
  wanted.is_open = false;
  const auto stream = std::exchange(wanted.stream, nullptr);
  if (!stream) return;
  stream->close();
  core->remove_socket(clock_now(), stream->id(), {errc::turn_unreachable, why});
}

void peer_driver::impl::lose_stream(const std::shared_ptr<wanted_stream>& wanted,
                                    const std::string& why) {
  close_stream(*wanted, why);
  stop_awaiting(*wanted);
  std::erase(streams, wanted);
}

void peer_driver::impl::send_over_stream(const turn_memory& memory, std::size_t first,
                                         std::size_t last) {
  const auto& entries = memory.transmit.entries();
  const auto found = std::find_if(streams.begin(), streams.end(), [&](const auto& each) {
    return each->stream && each->stream->id() == entries[first].to.local;
  });
  if (found == streams.end()) return;
  const auto stream = (*found)->stream;
  for (; first < last; ++first) stream->append(memory.transmit.view(entries[first]));
  flush(stream);
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

// The driver's connections to TURN servers over TCP and TLS.
#include "io/clock.hpp"
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

peer::turn_server resolved_as(const turn_server& server, const base::endpoint& address) {
  return {address, server.username, server.password, server.url};
}

}  // namespace

void peer_driver::impl::add_turn_server(const turn_server& server,
                                        const std::vector<base::ip_address>& addresses) {
  if (addresses.empty()) {
    options.log(log_level::warning,
                [&] { return server.url + ": the name could not be resolved"; });
  }
  for (const bool v6 : {false, true}) {
    const auto found = std::find_if(addresses.begin(), addresses.end(),
                                    [&](const auto& address) { return address.is_v6() == v6; });
    if (found == addresses.end()) continue;
    const base::endpoint address{*found, server.port};
    if (server.transport == turn_transport::udp) {
      core->add_turn_server(clock_now(), resolved_as(server, address));
    } else {
      open_stream(server, address);
    }
  }
}

void peer_driver::impl::open_stream(const turn_server& server, const base::endpoint& address) {
  const bool known = std::any_of(streams.begin(), streams.end(),
                                 [&](const auto& stream) { return stream->server() == address; });
  if (known || streams.size() >= max_streams) return;
  turn_stream::settings settings;
  settings.id = base::socket_id{++last_stream | stream_bit};
  settings.server = address;
  settings.host = server.host;
  settings.tls = server.transport == turn_transport::tls;
  settings.trusted_certificates = options.turn_trusted_certificates;
  const auto stream = std::make_shared<turn_stream>(strand.get(), std::move(settings));
  streams.push_back(stream);
  ++servers_pending;
  ++pending;
  stream->async_open([self = self(), stream, server, wanted = generation](error_code error) {
    if (!self->resume()) return;
    if (error) {
      self->lose_stream(stream, server.url + ": " + stream->explain(error));
    } else {
      const bool tls = server.transport == turn_transport::tls;
      self->core->add_turn_stream(clock_now(), stream->id(), resolved_as(server, stream->server()),
                                  tls ? tls_preference : tcp_preference);
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

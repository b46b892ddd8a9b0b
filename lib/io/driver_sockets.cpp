// The sockets of a driver: one receive loop each, and a wait for writability while one is full.
#include "crypto/random.hpp"
#include "io/clock.hpp"
#include "io/peer_driver_impl.hpp"

#include <algorithm>

namespace asiortc::io {
namespace {

bool carries_sctp(const base::datagram& datagram) {
  // RFC 7983 7: the first byte of a DTLS record is 20 to 63.
  return !datagram.bytes.empty() && datagram.bytes[0] >= 20 && datagram.bytes[0] <= 63;
}

}  // namespace

bool peer_driver::impl::may_open_socket() const {
  return std::count_if(sockets.begin(), sockets.end(),
                       [](const auto& socket) { return socket->is_open(); }) < max_sockets;
}

std::shared_ptr<udp_socket> peer_driver::impl::bind_socket(const base::ip_address& address) {
  const std::uint32_t start = options.port_min == 0 ? 0 : crypto::system_random().u32();
  auto bound = open_udp(address, {options.port_min, options.port_max}, start);
  if (!bound) {
    std::string why = bound.error().detail + ": " + bound.error().code.message();
    options.log(log_level::warning, [&] { return why; });
    core->note_socket_failure(why);
    return nullptr;
  }
  const base::socket_id id{static_cast<std::uint32_t>(sockets.size() + 1)};
  sockets.push_back(std::make_shared<udp_socket>(strand.get(), id, std::move(*bound)));
  receive_from(sockets.back());
  return sockets.back();
}

void peer_driver::impl::open_socket(const base::ip_address& address, std::uint16_t preference) {
  const auto socket = bind_socket(address);
  if (!socket) return;
  ice::local_socket told{socket->id(), socket->local(), preference};
  told.address.address = map_address(address, options.external_addresses);
  hide(told, address);
  core->add_local_socket(clock_now(), told);
}

void peer_driver::impl::hide(ice::local_socket& told, const base::ip_address& local) {
  // An external address was given to be told, and means nothing on this link.
  if (!options.hide_addresses || told.address.address != local) return;
  auto& name = hidden[local];
  if (!name) name = resources->mdns().hide(local);
  told.name = *name;
}

void peer_driver::impl::receive_from(const std::shared_ptr<udp_socket>& socket) {
  ++pending;
  socket->async_wait_readable([self = self(), socket](boost::system::error_code error) {
    if (self->resume() && !error) self->handle_readable(socket);
  });
}

void peer_driver::impl::handle_readable(const std::shared_ptr<udp_socket>& socket) {
  const auto memory = resources->borrow();
  for (int i = 0; i < max_receives_a_turn; ++i) {
    const auto now = clock_now();
    const auto outcome = socket->receive(memory->receive, now, memory->failed);
    report_failures(memory->failed);
    take_in(now, memory->receive.datagrams());
    pump();
    if (stopping) return;
    if (outcome.messages < receive_buffers::slots) break;
  }
  receive_from(socket);
}

void peer_driver::impl::take_in(base::time_point now, std::span<const base::datagram> datagrams) {
  if (datagrams.empty()) return;
  if (engine.used() && carries_sctp(datagrams.front())) resources->ticker().touch(now);
  core->handle_datagrams(now, datagrams);
}

void peer_driver::impl::send(turn_memory& memory) {
  const auto& entries = memory.transmit.entries();
  std::size_t first = 0;
  while (first < entries.size()) {
    const auto local = entries[first].to.local;
    std::size_t last = first + 1;
    while (last < entries.size() && entries[last].to.local == local) ++last;
    const auto index = static_cast<std::size_t>(local) - 1;
    if (index < sockets.size()) {
      const auto& socket = sockets[index];
      if (socket->is_open()) socket->send(memory.transmit, first, last, memory.failed);
      if (socket->blocked()) await_writable(socket);
    } else if (is_tcp(local)) {
      send_over_tcp(memory, first, last);
    } else if (mux && mux_link::owns(local)) {
      mux->send(memory.transmit, first, last, memory.failed);
    } else {
      send_over_stream(memory, first, last);
    }
    first = last;
  }
  if (engine.used() && !entries.empty() && entries.back().kind == base::traffic_class::data) {
    resources->ticker().touch(clock_now());
  }
  report_failures(memory.failed);
}

void peer_driver::impl::await_writable(const std::shared_ptr<udp_socket>& socket) {
  if (socket->awaiting_writable) return;
  socket->awaiting_writable = true;
  ++blocked_sockets;
  ++pending;
  socket->async_wait_writable([self = self(), socket](boost::system::error_code error) {
    if (!self->resume() || error) return;
    socket->awaiting_writable = false;
    --self->blocked_sockets;
    const auto memory = self->resources->borrow();
    socket->send_backlog(memory->failed);
    self->report_failures(memory->failed);
    if (socket->blocked()) self->await_writable(socket);
    self->pump();
  });
}

void peer_driver::impl::report_failures(std::vector<base::route>& failed) {
  for (const auto& route : failed) core->handle_send_error(clock_now(), route);
  failed.clear();
}

}  // namespace asiortc::io

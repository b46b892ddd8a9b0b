// ICE-TCP (RFC 6544): ends at each local address, and connections that are closed when ICE has no
// use for them. A stranger has to prove himself by a check.
#include "crypto/random.hpp"
#include "io/clock.hpp"
#include "io/peer_driver_impl.hpp"
#include "stun/message_view.hpp"

#include <algorithm>
#include <array>
#include <cerrno>

namespace asiortc::io {
namespace {

// Ids of ends are apart from those of sockets, relays, streams to TURN servers and a mux's sockets.
constexpr std::uint32_t tcp_bit = 0x2000'0000;

constexpr std::size_t max_ends = 64;
constexpr std::size_t max_connections = 64;
// Connections that nobody has proved himself over. One more takes the place of the oldest, so that
// silent strangers do not keep out who sends his check at once.
constexpr std::size_t max_strangers = 16;
// What was without use twice in a row is closed, so after 5 to 10 s.
constexpr auto sweep_interval = std::chrono::seconds(5);
constexpr int max_unused = 2;

constexpr int max_accepts_a_turn = 16;
constexpr std::size_t packets_at_once = 32;

}  // namespace

bool peer_driver::impl::is_tcp(base::socket_id id) {
  constexpr std::uint32_t others = 0xC000'0000;
  return (static_cast<std::uint32_t>(id) & (tcp_bit | others)) == tcp_bit;
}

void peer_driver::impl::open_missing_ends(const std::vector<local_address>& chosen) {
  for (const auto& local : chosen) {
    const bool open = std::any_of(tcp_ends.begin(), tcp_ends.end(), [&](const auto& end) {
      return end->is_open() && end->local().address == local.address;
    });
    if (!open && tcp_ends.size() + 2 <= max_ends) open_ends(local);
  }
}

void peer_driver::impl::open_ends(const local_address& local) {
  const auto next_id = [this] { return base::socket_id{++last_end | tcp_bit}; };
  const auto tell = [&](const tcp_end& end, ice::tcp_type type) {
    ice::local_socket told{end.id(), end.local(), local.preference, {}, type};
    told.address.address = map_address(local.address, options.external_addresses);
    hide(told, local.address);
    core->add_local_socket(clock_now(), told);
  };
  tcp_ends.push_back(std::make_shared<tcp_end>(next_id(), local.address));
  tell(*tcp_ends.back(), ice::tcp_type::active);
  const std::uint32_t start = options.port_min == 0 ? 0 : crypto::system_random().u32();
  auto bound = listen_tcp(local.address, {options.port_min, options.port_max}, start);
  if (!bound) {
    options.log(log_level::warning,
                [&] { return bound.error().detail + ": " + bound.error().code.message(); });
    return;
  }
  tcp_ends.push_back(std::make_shared<tcp_end>(strand.get(), next_id(), std::move(*bound)));
  tell(*tcp_ends.back(), ice::tcp_type::passive);
  accept_at(tcp_ends.back());
}

void peer_driver::impl::lose_ends(const std::vector<system_address>& addresses) {
  const auto gone = boost::system::errc::make_error_code(boost::system::errc::network_down);
  for (const auto& end : tcp_ends) {
    const bool there = std::any_of(addresses.begin(), addresses.end(), [&](const auto& each) {
      return each.address == end->local().address;
    });
    if (there || !end->is_open()) continue;
    end->close();
    std::erase_if(connections, [&](const auto& connection) {
      if (connection->route().local != end->id()) return false;
      connection->close();
      return true;
    });
    core->remove_socket(clock_now(), end->id(), {gone, "the local address is gone"});
  }
  std::erase_if(tcp_ends, [](const auto& end) { return !end->is_open(); });
}

void peer_driver::impl::accept_at(const std::shared_ptr<tcp_end>& end) {
  ++pending;
  end->async_wait_acceptable([self = self(), end](error_code error) {
    if (!self->resume() || error) return;
    self->handle_acceptable(end);
    self->pump();
  });
}

void peer_driver::impl::handle_acceptable(const std::shared_ptr<tcp_end>& end) {
  for (int i = 0; i < max_accepts_a_turn; ++i) {
    auto accepted = end->accept();
    if (accepted) {
      admit({end->id(), accepted->second}, std::move(accepted->first));
      continue;
    }
    const int why = accepted.error().code.value();
    if (why == EMFILE || why == ENFILE || why == ENOBUFS || why == ENOMEM) {
      end->short_of_resources = true;
      return sweep_later();
    }
    if (why == EAGAIN || why == EWOULDBLOCK) break;
  }
  accept_at(end);
}

void peer_driver::impl::admit(const base::route& from, unique_fd fd) {
  const auto is_stranger = [](const auto& each) { return each->connected && !each->proven; };
  const auto strangers = std::count_if(connections.begin(), connections.end(), is_stranger);
  if (static_cast<std::size_t>(strangers) >= max_strangers) {
    lose_connection(*std::find_if(connections.begin(), connections.end(), is_stranger),
                    "others wait");
  }
  if (connections.size() >= max_connections) return;
  const auto connection = std::make_shared<tcp_connection>(strand.get(), std::move(fd), from);
  connections.push_back(connection);
  connection->connected = true;
  receive_from(connection);
  sweep_later();
}

std::shared_ptr<tcp_connection> peer_driver::impl::find_connection(const base::route& to) {
  const auto found = std::find_if(connections.begin(), connections.end(),
                                  [&](const auto& each) { return each->route() == to; });
  return found == connections.end() ? nullptr : *found;
}

/// The first packet to a route opens its connection.
std::shared_ptr<tcp_connection> peer_driver::impl::connect(const base::route& to) {
  const auto end = std::find_if(tcp_ends.begin(), tcp_ends.end(),
                                [&](const auto& each) { return each->id() == to.local; });
  if (end == tcp_ends.end() || (*end)->is_passive() || !(*end)->is_open() ||
      connections.size() >= max_connections) {
    return nullptr;
  }
  auto fd = connect_tcp((*end)->local().address, to.remote);
  if (!fd) return nullptr;
  auto connection = std::make_shared<tcp_connection>(strand.get(), std::move(*fd), to);
  connection->proven = true;  // we have been told to
  connections.push_back(connection);
  ++pending;
  connection->async_wait_writable([self = self(), connection](error_code error) {
    if (!self->resume() || error) return;
    if (const auto refused = connection->connect_error()) {
      self->lose_connection(connection, refused.message());
    } else {
      connection->connected = true;
      self->receive_from(connection);
      self->flush(connection);
    }
    self->pump();
  });
  sweep_later();
  return connection;
}

void peer_driver::impl::receive_from(const std::shared_ptr<tcp_connection>& connection) {
  ++pending;
  connection->async_wait_readable([self = self(), connection](error_code error) {
    if (self->resume() && !error) self->handle_readable(connection);
  });
}

void peer_driver::impl::handle_readable(const std::shared_ptr<tcp_connection>& connection) {
  auto progress = tcp_connection::progress::more;
  for (int i = 0; i < max_receives_a_turn && progress == tcp_connection::progress::more; ++i) {
    progress = connection->receive();
    const bool sound = take_packets(*connection) && !connection->broken();
    const bool ended = progress == tcp_connection::progress::ended;
    if (!sound || ended) lose_connection(connection, ended ? "it has ended" : "it sends junk");
    pump();
    if (stopping || !connection->is_open()) return;
  }
  receive_from(connection);
}

/// False for a stranger who sends something else than a check.
bool peer_driver::impl::take_packets(tcp_connection& connection) {
  std::array<base::datagram, packets_at_once> batch;
  const auto now = clock_now();
  while (true) {
    const std::size_t wanted = connection.proven ? batch.size() : 1;
    std::size_t count = 0;
    for (; count < wanted; ++count) {
      const auto packet = connection.next();
      if (!packet) break;
      if (!connection.proven && !stun::looks_like_stun(*packet)) return false;
      batch[count].bytes = *packet;
      batch[count].from = connection.route();
      batch[count].arrival = now;
    }
    if (count == 0) return true;
    if (engine.used() && !stun::looks_like_stun(batch[0].bytes)) resources->ticker().touch(now);
    core->handle_datagrams(now, {batch.data(), count});
    connection.proven = connection.proven || core->uses_connection(connection.route());
  }
}

void peer_driver::impl::send_over_tcp(turn_memory& memory, std::size_t first, std::size_t last) {
  const auto& entries = memory.transmit.entries();
  std::shared_ptr<tcp_connection> open;
  for (; first < last; ++first) {
    const auto& to = entries[first].to;
    if (!open || open->route() != to) {
      if (open) flush(open);
      open = find_connection(to);
      if (!open) open = connect(to);
    }
    if (open) {
      open->append(memory.transmit.view(entries[first]));
    } else {
      memory.failed.push_back(to);
    }
  }
  if (open) flush(open);
}

void peer_driver::impl::flush(const std::shared_ptr<tcp_connection>& connection) {
  if (!connection->connected || connection->awaiting_writable) return;
  connection->write();
  if (!connection->blocked()) return;
  connection->awaiting_writable = true;
  ++pending;
  connection->async_wait_writable([self = self(), connection](error_code error) {
    if (!self->resume() || error) return;
    connection->awaiting_writable = false;
    self->flush(connection);
  });
}

void peer_driver::impl::lose_connection(std::shared_ptr<tcp_connection> connection,
                                        const std::string& why) {
  if (!connection->is_open()) return;
  options.log(log_level::debug, [&] {
    return "TCP connection with " + connection->route().remote.to_string() + " closed: " + why;
  });
  connection->close();
  std::erase(connections, connection);
  core->handle_connection_lost(clock_now(), connection->route());
}

void peer_driver::impl::sweep_later() {
  if (std::exchange(sweeping, true)) return;
  if (!sweep_timer) sweep_timer.emplace(strand.get());
  sweep_timer->expires_after(sweep_interval);
  ++pending;
  sweep_timer->async_wait([self = self()](error_code error) {
    if (!self->resume() || error) return;
    self->sweeping = false;
    self->sweep();
    self->pump();
  });
}

void peer_driver::impl::sweep() {
  const auto open = connections;
  for (const auto& connection : open) {
    const bool used = core->uses_connection(connection->route());
    connection->unused = used ? 0 : connection->unused + 1;
    if (connection->unused == max_unused) lose_connection(connection, "ICE has no use for it");
  }
  for (const auto& end : tcp_ends) {
    if (std::exchange(end->short_of_resources, false) && end->is_open()) accept_at(end);
  }
  if (!connections.empty()) sweep_later();
}

}  // namespace asiortc::io

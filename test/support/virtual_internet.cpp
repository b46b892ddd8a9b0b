#include "support/virtual_internet.hpp"

#include "stun/message_builder.hpp"
#include "stun/message_view.hpp"

#include <algorithm>
#include <utility>

namespace asiortc::test {
namespace {

// RFC 5780 7.2: CHANGE-REQUEST.
constexpr auto change_request = static_cast<stun::attribute_type>(0x0003);

constexpr std::uint16_t stun_port = 3478;
constexpr std::uint16_t other_stun_port = 3479;
constexpr std::uint16_t first_socket_port = 5000;
// Apart from the ports that NATs give to UDP, since a client is told from another by its endpoint.
constexpr std::uint16_t first_stream_port = 40000;
constexpr std::uint32_t stream_bit = 0x4000'0000;

const base::ip_address& server_address(bool v6, bool other) {
  static const turn_server_settings relays_at;
  static const auto other_v4 = *base::ip_address::parse("198.51.100.2");
  static const auto other_v6 = *base::ip_address::parse("2001:db8:51::2");
  if (other) return v6 ? other_v6 : other_v4;
  return v6 ? relays_at.relay_v6 : relays_at.relay_v4;
}

network_conditions twice(network_conditions conditions) {
  conditions.loss = 1 - (1 - conditions.loss) * (1 - conditions.loss);
  return conditions;
}

}  // namespace

virtual_internet::virtual_internet(std::uint64_t seed, const network_conditions& conditions,
                                   base::time_point start)
    : seed_(seed),
      conditions_(conditions),
      now_(start),
      one_link_(seed, conditions),
      two_links_(seed, twice(conditions)),
      server_({}) {
  server_.to_client = [this](const base::endpoint& client, base::byte_span bytes) {
    send_to_client(client, bytes);
  };
  server_.to_peer = [this](const base::endpoint& relayed, const base::endpoint& peer,
                           base::byte_span bytes) { relay(relayed, peer, bytes); };
}

base::endpoint virtual_internet::server_endpoint(bool v6, bool other_address, bool other_port) {
  return {server_address(v6, other_address), other_port ? other_stun_port : stun_port};
}

bool virtual_internet::is_servers(const base::ip_address& address) {
  return address == server_address(address.is_v6(), false) ||
         address == server_address(address.is_v6(), true);
}

virtual_internet::site virtual_internet::add_host(const base::ip_address& address,
                                                  receiver receive) {
  hosts_.push_back(std::make_unique<host>());
  hosts_.back()->address = address;
  hosts_.back()->receive = std::move(receive);
  return static_cast<site>(hosts_.size() - 1);
}

virtual_internet::site virtual_internet::add_host_behind(const nat_behaviour& behaviour,
                                                         const base::ip_address& outer,
                                                         const base::ip_address& address,
                                                         receiver receive) {
  const site added = add_host(address, std::move(receive));
  hosts_.back()->router.emplace(behaviour.translates ? outer : address, behaviour);
  return added;
}

base::socket_id virtual_internet::bind(site where) {
  host& owner = *hosts_[static_cast<std::size_t>(where)];
  const auto number = static_cast<std::uint16_t>(owner.sockets.size());
  owner.sockets.emplace_back(owner.address, static_cast<std::uint16_t>(first_socket_port + number));
  return base::socket_id{number + 1U};
}

base::endpoint virtual_internet::local_endpoint(site where, base::socket_id socket) const {
  return hosts_[static_cast<std::size_t>(where)]->sockets[static_cast<std::size_t>(socket) - 1];
}

void virtual_internet::connect(site where, std::function<void(base::socket_id)> done) {
  const auto number = static_cast<std::uint16_t>(streams_.size());
  auto made = std::make_unique<stream>(seed_ * 64 + number, conditions_);
  const host& owner = *hosts_[static_cast<std::size_t>(where)];
  made->owner = static_cast<std::size_t>(where);
  made->id = base::socket_id{stream_bit | (number + 1U)};
  made->client = {owner.router ? owner.router->outer() : owner.address,
                  static_cast<std::uint16_t>(first_stream_port + number)};
  made->opens_at = now_ + 2 * conditions_.delay;
  made->done = std::move(done);
  streams_.push_back(std::move(made));
}

void virtual_internet::send(site where, const base::route& to, base::byte_span bytes) {
  const auto through = std::find_if(streams_.begin(), streams_.end(),
                                    [&](const auto& s) { return s->id == to.local; });
  if (through != streams_.end()) return (*through)->up.write(now_, bytes);
  const base::endpoint from = local_endpoint(where, to.local);
  auto& router = hosts_[static_cast<std::size_t>(where)]->router;
  const auto source = router ? router->translate_out(now_, from, to.remote) : from;
  if (source) send({{bytes.begin(), bytes.end()}, *source, to.remote});
}

void virtual_internet::send(virtual_packet packet) {
  const bool is_near = is_servers(packet.from.address) || is_servers(packet.to.address);
  (is_near ? one_link_ : two_links_).send(now_, std::move(packet));
}

base::time_point virtual_internet::next_event() const {
  base::time_point next = std::min(one_link_.next_arrival(), two_links_.next_arrival());
  for (const auto& s : streams_) {
    if (s->done) next = std::min(next, s->opens_at);
    next = std::min({next, s->up.next_arrival(), s->down.next_arrival()});
  }
  return next;
}

void virtual_internet::advance(base::time_point then) {
  now_ = then;
  for (auto* network : {&one_link_, &two_links_}) {
    for (auto& packet : network->take_arrived(now_)) deliver(packet);
  }
  // By index, since a receiver may connect once more.
  for (std::size_t index = 0; index < streams_.size(); ++index) run(*streams_[index]);
}

void virtual_internet::run(stream& which) {
  if (which.done && which.opens_at <= now_) std::exchange(which.done, nullptr)(which.id);
  which.up.deliver(
      now_, [&](base::byte_span packet) { server_.handle_client(now_, which.client, packet); });
  const base::endpoint server = server_endpoint(hosts_[which.owner]->address.is_v6());
  which.down.deliver(now_, [&](base::mutable_byte_span packet) {
    base::datagram datagram;
    datagram.bytes = packet;
    datagram.from = {which.id, server};
    datagram.arrival = now_;
    hosts_[which.owner]->receive(datagram);
  });
}

void virtual_internet::deliver(virtual_packet& packet) {
  if (is_servers(packet.to.address)) return serve(packet.to, packet.from, packet.bytes);
  for (const auto& each : hosts_) {
    auto& router = each->router;
    if (packet.to.address != (router ? router->outer() : each->address)) continue;
    const auto inside = router ? router->translate_in(now_, packet.from, packet.to) : packet.to;
    if (inside) deliver(*each, *inside, packet);
    return;
  }
}

void virtual_internet::deliver(host& to, const base::endpoint& inside, virtual_packet& packet) {
  const auto socket = std::find(to.sockets.begin(), to.sockets.end(), inside);
  if (socket == to.sockets.end()) return;
  base::datagram datagram;
  datagram.bytes = packet.bytes;
  datagram.from.local =
      base::socket_id{static_cast<std::uint32_t>(socket - to.sockets.begin()) + 1U};
  datagram.from.remote = packet.from;
  datagram.arrival = now_;
  to.receive(datagram);
}

void virtual_internet::serve(const base::endpoint& at, const base::endpoint& from,
                             base::byte_span bytes) {
  if (at.port != stun_port && at.port != other_stun_port) {
    server_.handle_peer(now_, at, from, bytes);
  } else if (!answer_binding(at, from, bytes) && at == server_endpoint(at.address.is_v6())) {
    server_.handle_client(now_, from, bytes);
  }
}

bool virtual_internet::answer_binding(const base::endpoint& at, const base::endpoint& from,
                                      base::byte_span bytes) {
  const auto request = stun::message_view::parse(bytes);
  if (!request || request->method() != stun::method::binding ||
      request->kind() != stun::message_class::request) {
    return false;
  }
  const bool v6 = at.address.is_v6();
  const std::uint32_t change = request->find_u32(change_request).value_or(0);
  const bool other_address =
      (at.address != server_address(v6, false)) != ((change & change_ip) != 0);
  const bool other_port = (at.port != stun_port) != ((change & change_port) != 0);
  stun::message_builder answer(stun::message_class::success, stun::method::binding,
                               request->transaction());
  answer.add_xor_address(stun::attribute_type::xor_mapped_address, from).add_fingerprint();
  const auto content = answer.bytes();
  send({{content.begin(), content.end()}, server_endpoint(v6, other_address, other_port), from});
  return true;
}

void virtual_internet::send_to_client(const base::endpoint& client, base::byte_span bytes) {
  const auto over = std::find_if(streams_.begin(), streams_.end(),
                                 [&](const auto& s) { return s->client == client; });
  if (over == streams_.end()) {
    return send({{bytes.begin(), bytes.end()}, server_endpoint(client.address.is_v6()), client});
  }
  // RFC 8656 12.5: on a stream ChannelData is padded; messages are as they are.
  base::bytes padded(bytes.begin(), bytes.end());
  padded.resize(stun::padded(padded.size()));
  (*over)->down.write(now_, padded);
}

void virtual_internet::relay(const base::endpoint& relayed, const base::endpoint& peer,
                             base::byte_span bytes) {
  // What one client of the server sends to another never leaves it.
  if (is_servers(peer.address)) return server_.handle_peer(now_, peer, relayed, bytes);
  send({{bytes.begin(), bytes.end()}, relayed, peer});
}

}  // namespace asiortc::test

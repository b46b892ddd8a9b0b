#include "peer/transport.hpp"

#include "ice/check_list.hpp"

#include <algorithm>
#include <utility>

namespace asiortc::peer {
namespace {

// A ClientHello with post-quantum key shares is two datagrams, and may be resent before the answer.
constexpr std::size_t max_early_datagrams = 16;
constexpr std::size_t max_early_bytes = 16 * 1024;

constexpr std::size_t max_turn_servers = 16;

enum class protocol { stun, dtls, other };

/// RFC 7983 7: "[0..3] -> STUN", "[20..63] -> DTLS"; the rest is TURN channels and media, which
/// have no receiver here.
protocol classify(base::byte_span datagram) {
  if (datagram.empty()) return protocol::other;
  const std::uint8_t first = datagram.front();
  if (first <= 3) return protocol::stun;
  return first >= 20 && first <= 63 ? protocol::dtls : protocol::other;
}

/// Packets on their way to a relay. The block belongs to the thread, as nothing stays in it.
base::packet_batch& relay_scratch() {
  static thread_local base::packet_batch block;
  block.clear();
  return block;
}

}  // namespace

transport::transport(transport_settings settings, base::random_source& random)
    : settings_(std::move(settings)),
      agent_(settings_.ice, random, settings_.log.named("ice")),
      relays_(random, settings_.turn, settings_.log.named("turn")),
      candidates_(settings_.log, settings_.ice.tcp) {}

base::result<dtls::role> transport::decide_role(sdp_type remote_type,
                                                sdp::setup_role remote_setup) const {
  // RFC 8842 5.3: "the answerer … use the roles that were negotiated before". Answers are not held
  // to that: Firefox answers `active` to each ICE restart and older Pion to every offer, whatever
  // they are, and go on as before.
  if (role_ && (remote_type != sdp_type::offer || remote_setup == sdp::setup_role::actpass)) {
    return *role_;
  }
  const bool active = remote_setup == sdp::setup_role::active;
  const dtls::role role = active ? dtls::role::server : dtls::role::client;
  if (role_ && *role_ != role) {
    return base::failure{errc::not_supported,
                         "a=setup changes the DTLS role, which would need a new DTLS association"};
  }
  return role;
}

base::result<void> transport::check_remote(const transport_parameters& remote) const {
  if (!dtls_) return {};
  const auto known = [this](const crypto::fingerprint& fingerprint) {
    return std::find(remote_fingerprints_.begin(), remote_fingerprints_.end(), fingerprint) !=
           remote_fingerprints_.end();
  };
  if (std::none_of(remote.fingerprints.begin(), remote.fingerprints.end(), known)) {
    return base::failure{errc::not_supported,
                         "a=fingerprint changed, which would need a new DTLS association"};
  }
  if (remote.tls_id && remote_tls_id_ && *remote.tls_id != *remote_tls_id_) {
    return base::failure{errc::not_supported,
                         "a=tls-id changed, which would need a new DTLS association"};
  }
  return {};
}

void transport::negotiate(base::time_point now, const transport_parameters& remote,
                          dtls::role role) {
  agent_.set_remote_lite(remote.lite);
  if (agent_.is_restarting() || agent_.remote_credentials() != remote.credentials) {
    agent_.set_remote_credentials(now, remote.credentials);
  }
  candidates_.apply(now, agent_, remote.credentials.ufrag);
  if (!dtls_) {
    dtls::settings settings;
    settings.identity = settings_.identity;
    settings.remote_fingerprints = remote.fingerprints;
    settings.handshake_timeout = settings_.dtls_handshake_timeout;
    settings.log = settings_.log.named("dtls");
    dtls_ = dtls::make_openssl_endpoint(std::move(settings));
    remote_fingerprints_ = remote.fingerprints;
    remote_tls_id_ = remote.tls_id;
    role_ = role;
  }
  start_dtls(now);
}

void transport::start_dtls(base::time_point now) {
  if (!dtls_ || !writable_ || dtls_->current_state() != dtls::state::new_) return;
  dtls_->start(now, *role_);
}

void transport::add_local_socket(base::time_point now, const ice::local_socket& socket) {
  agent_.add_local_socket(now, socket);
  if (socket.tcp != ice::tcp_type::none) return;  // TURN has connections of its own
  sockets_.push_back(socket);
  for (const auto& server : turn_servers_) allocate(now, socket, server);
}

void transport::add_turn_server(base::time_point now, const turn_server& server) {
  // RFC 8445 2.5: a lite agent has host candidates alone.
  if (settings_.ice.lite) return;
  const bool known = std::any_of(turn_servers_.begin(), turn_servers_.end(),
                                 [&](const auto& each) { return each.address == server.address; });
  if (!known && turn_servers_.size() >= max_turn_servers) return;
  // A later gathering names it again, and asks anew where an allocation was lost.
  if (!known) turn_servers_.push_back(server);
  for (const auto& socket : sockets_) allocate(now, socket, server);
}

void transport::allocate(base::time_point now, const ice::local_socket& socket,
                         const turn_server& server) {
  if (!ice::can_pair(socket.address.address, server.address.address)) return;
  turn_carrier carrier;
  carrier.id = socket.id;
  carrier.preference = socket.interface_preference;
  carrier.family =
      server.address.address.is_v4() ? turn::address_family::ipv4 : turn::address_family::ipv6;
  relays_.allocate(now, carrier, server, agent_);
}

void transport::keep_servers(base::time_point now, const std::vector<std::string>& names) {
  std::erase_if(turn_servers_, [&](const turn_server& each) {
    return std::find(names.begin(), names.end(), each.name) == names.end();
  });
  agent_.forget_stun_servers();
  relays_.keep_servers(now, names, agent_);
}

void transport::add_turn_carrier(base::time_point now, const turn_carrier& carrier,
                                 const turn_server& server) {
  if (!settings_.ice.lite) relays_.allocate(now, carrier, server, agent_);
}

void transport::remove_socket(base::time_point now, base::socket_id socket,
                              const base::failure& why) {
  std::erase_if(sockets_, [=](const ice::local_socket& each) { return each.id == socket; });
  relays_.remove_carrier(now, socket, why, agent_);
  agent_.remove_local_socket(now, socket);
}

void transport::handle_datagram(base::time_point now, const base::datagram& datagram,
                                base::packet_batch& plain) {
  if (relays_.empty()) return handle_direct(now, datagram, plain);
  std::optional<base::datagram> inner;
  if (!relays_.handle_datagram(now, datagram, inner)) return handle_direct(now, datagram, plain);
  if (inner) handle_direct(now, *inner, plain);
}

void transport::handle_send_error(base::time_point now, const base::route& route) {
  relays_.handle_send_error(now, route, agent_);
  agent_.handle_send_error(now, route);
}

void transport::handle_direct(base::time_point now, const base::datagram& datagram,
                              base::packet_batch& plain) {
  switch (classify(datagram.bytes)) {
    case protocol::stun:
      agent_.handle_datagram(now, datagram);
      return;
    case protocol::dtls:
      handle_dtls(now, datagram, plain);
      return;
    case protocol::other:
      ++dropped_;
      return;
  }
}

void transport::handle_dtls(base::time_point now, const base::datagram& datagram,
                            base::packet_batch& plain) {
  if (dtls_ && is_known(now, datagram.from)) {
    count_received(now, datagram.from, datagram.bytes.size());
    dtls_->handle_datagram(now, datagram.bytes, plain);
  } else if (dtls_state() == dtls::state::new_ || dtls_state() == dtls::state::connecting) {
    keep_early(datagram);
  } else {
    ++dropped_;
  }
}

bool transport::is_known(base::time_point now, const base::route& from) {
  // A batch is mostly of one route, so the agent is asked and told once.
  if (last_known_ == from) return true;
  if (!agent_.is_known_route(from)) return false;
  last_known_ = from;
  agent_.note_data_received(now, from);
  return true;
}

void transport::count_received(base::time_point now, const base::route& from, std::size_t bytes) {
  if (received_from_ != from) {
    note_traffic();
    received_from_ = from;
  }
  received_ += {1, bytes, now};
}

/// What has been appended to the batch since it had so many packets and bytes.
void transport::count_sent(base::time_point now, const base::route& to,
                           const base::packet_batch& batch, std::size_t packets,
                           std::size_t bytes) {
  if (batch.size() == packets) return;
  if (sent_to_ != to) {
    note_traffic();
    sent_to_ = to;
  }
  sent_ += {batch.size() - packets, batch.total_bytes() - bytes, now};
}

void transport::note_traffic() {
  all_sent_ += sent_;
  all_received_ += received_;
  if (sent_.packets > 0) agent_.note_traffic(sent_to_, std::exchange(sent_, {}), {});
  if (received_.packets > 0) agent_.note_traffic(received_from_, {}, std::exchange(received_, {}));
}

std::vector<ice::pair_report> transport::pairs() {
  note_traffic();
  return agent_.pairs();
}

std::optional<base::endpoint> transport::address_of(base::socket_id socket) const {
  const auto found = std::find_if(sockets_.begin(), sockets_.end(),
                                  [=](const auto& each) { return each.id == socket; });
  if (found == sockets_.end()) return std::nullopt;
  return found->address;
}

void transport::keep_early(const base::datagram& datagram) {
  if (early_.size() >= max_early_datagrams ||
      early_bytes_ + datagram.bytes.size() > max_early_bytes) {
    ++dropped_;
    return;
  }
  early_bytes_ += datagram.bytes.size();
  early_.push_back({{datagram.bytes.begin(), datagram.bytes.end()}, datagram.from});
}

void transport::feed_early(base::time_point now, base::packet_batch& plain) {
  if (early_.empty() || !dtls_) return;
  std::vector<early_datagram> still_early;
  early_bytes_ = 0;
  for (auto& kept : std::exchange(early_, {})) {
    if (is_known(now, kept.from)) {
      count_received(now, kept.from, kept.bytes.size());
      dtls_->handle_datagram(now, kept.bytes, plain);
    } else if (dtls_->current_state() <= dtls::state::connecting) {
      early_bytes_ += kept.bytes.size();
      still_early.push_back(std::move(kept));
    }
  }
  early_ = std::move(still_early);
}

void transport::handle_timeout(base::time_point now) {
  if (agent_.next_deadline() <= now) agent_.handle_timeout(now);
  if (dtls_ && dtls_->next_deadline() <= now) dtls_->handle_timeout(now);
  relays_.handle_timeout(now);
}

base::time_point transport::next_deadline() const {
  const base::time_point ice = std::min(agent_.next_deadline(), relays_.next_deadline());
  return dtls_ ? std::min(ice, dtls_->next_deadline()) : ice;
}

std::optional<transport_event> transport::poll_event(base::time_point now) {
  relays_.update(now, agent_);
  if (auto refused = relays_.poll_refusal()) return *refused;
  while (auto news = agent_.poll_event()) {
    if (std::holds_alternative<ice::writable>(*news)) {
      writable_ = true;
      start_dtls(now);
      continue;
    }
    return std::visit(
        [](auto& value) -> std::optional<transport_event> {
          if constexpr (std::is_same_v<std::decay_t<decltype(value)>, ice::writable>) {
            return std::nullopt;
          } else {
            return transport_event{std::move(value)};
          }
        },
        *news);
  }
  if (dtls_) {
    if (auto news = dtls_->poll_event()) return std::get<dtls::state_changed>(*news);
  }
  return std::nullopt;
}

void transport::poll_transmit(base::time_point now, base::packet_batch& out) {
  base::packet_batch& packets = relays_.empty() ? out : relay_scratch();
  agent_.poll_transmit(packets);
  if (const auto route = dtls_ ? agent_.data_route() : std::nullopt) {
    packets.set_route(*route, base::traffic_class::control);
    const std::size_t before = packets.size();
    const std::size_t bytes_before = packets.total_bytes();
    dtls_->poll_transmit(packets);
    count_sent(now, *route, packets, before, bytes_before);
  }
  if (relays_.empty()) return;
  forward(now, packets, out);
  relays_.poll_transmit(out);
}

void transport::forward(base::time_point now, const base::packet_batch& packets,
                        base::packet_batch& out) {
  for (const auto& packet : packets.entries()) {
    if (relays::is_relayed(packet.to.local)) {
      relays_.send(now, packet.to, packets.view(packet), packet.kind, out);
    } else {
      out.set_route(packet.to, packet.kind);
      out.append(packets.view(packet));
    }
  }
}

bool transport::set_data_route(base::packet_batch& out) {
  data_route_ = agent_.data_route();
  if (!data_route_) return false;
  data_is_relayed_ = relays::is_relayed(data_route_->local);
  out.set_route(*data_route_, base::traffic_class::data);
  return true;
}

void transport::seal(base::time_point now, base::byte_span plain, base::packet_batch& out) {
  if (!dtls_ || !data_route_) return;
  base::packet_batch& sealed = data_is_relayed_ ? relay_scratch() : out;
  if (data_is_relayed_) sealed.set_route(*data_route_, base::traffic_class::data);
  const std::size_t before = sealed.size();
  const std::size_t bytes_before = sealed.total_bytes();
  const bool done = dtls_->seal(plain, sealed);
  count_sent(now, *data_route_, sealed, before, bytes_before);
  if (done && data_is_relayed_) forward(now, sealed, out);
}

dtls::state transport::dtls_state() const {
  return dtls_ ? dtls_->current_state() : dtls::state::new_;
}

std::optional<crypto::fingerprint> transport::remote_fingerprint() const {
  if (dtls_state() != dtls::state::connected) return std::nullopt;
  return crypto::fingerprint_of(dtls_->remote_certificate(), crypto::hash_algorithm::sha256);
}

void transport::close(base::time_point now, base::packet_batch& out) {
  if (dtls_) {
    dtls_->close(now);
    poll_transmit(now, out);
  }
  relays_.close(now);
  relays_.poll_transmit(out);
  agent_.close();
}

}  // namespace asiortc::peer

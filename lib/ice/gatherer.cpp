#include "ice/gatherer.hpp"

#include "ice/check_message.hpp"
#include "ice/priority.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace asiortc::ice {
namespace {

constexpr std::size_t max_sockets = 64;
constexpr std::size_t max_servers = 16;

// A server that has not answered within 9.5 s is not worth holding up a peer that does not trickle;
// RFC 8489 6.2.1 leaves Rc and Rm configurable.
constexpr int gathering_requests = 5;
constexpr int gathering_last_wait = 4;
// 3.5 s, where there is another address to be asked.
constexpr int requests_before_another = 3;

// RFC 6544 4.5: who connects has no port to tell, and writes that of the discard service.
constexpr std::uint16_t active_port = 9;

/// RFC 8839 5.1: who will not tell a related address says 0.0.0.0 or ::, and port 9.
base::endpoint untold_like(const base::endpoint& other) {
  return {other.address.is_v4() ? base::ip_address() : base::ip_address::v6({}), 9};
}

}  // namespace

gatherer::gatherer(const agent_settings& settings, base::random_source& random, event_queue& events,
                   base::logger log)
    : settings_(settings),
      random_(random),
      events_(events),
      log_(std::move(log)),
      foundation_salt_(random.u64()) {}

std::string gatherer::foundation(candidate_type type, transport_protocol protocol,
                                 const base::ip_address& base,
                                 const base::ip_address& server) const {
  // RFC 8445 5.1.1.3: the same for the same type, protocol, base address and server. The salt keeps
  // anybody from guessing an address that mDNS hides.
  std::uint64_t hash = foundation_salt_ ^ static_cast<std::uint64_t>(type) ^
                       static_cast<std::uint64_t>(protocol) << 8;
  const auto mix = [&hash](base::byte_span octets) {
    for (const std::uint8_t octet : octets) hash = (hash ^ octet) * 1099511628211ULL;
  };
  mix(base.octets());
  mix(server.octets());
  return std::to_string(static_cast<std::uint32_t>(hash ^ hash >> 32));
}

std::uint16_t gatherer::choose_preference(const candidate& own, std::uint16_t wanted) const {
  // RFC 8421 4: IPv6 before IPv4 of the same interface. RFC 8445 5.1.2.1: "If there are multiple
  // candidates of the same type ..., the local preference MUST be unique for each one".
  const bool tcp = own.protocol == transport_protocol::tcp;
  const int doubled = std::min<int>(wanted, tcp ? 0xFFF : 0x7FFF) * 2;
  auto preference = static_cast<std::uint16_t>(doubled + (own.address.address.is_v6() ? 1 : 0));
  if (tcp) preference = tcp_local_preference(own.tcp, preference);
  const auto taken = [&] {
    return std::any_of(bases_.begin(), bases_.end(),
                       [&](const local_base& b) { return b.local_preference == preference; });
  };
  while (taken()) --preference;  // wraps around; there are fewer sockets than numbers
  return preference;
}

bool gatherer::add_socket(const local_socket& socket) {
  // RFC 8445 2.5: a lite agent checks nothing, so it has nothing to connect for.
  if (settings_.lite && socket.tcp == tcp_type::active) return false;
  candidate host;
  host.type = candidate_type::host;
  host.address = socket.address;
  host.host_name = socket.name;
  host.tcp = socket.tcp;
  if (socket.tcp != tcp_type::none) host.protocol = transport_protocol::tcp;
  if (socket.tcp == tcp_type::active) host.address.port = active_port;
  host.foundation = foundation(host.type, host.protocol, socket.address.address, {});
  return add_base(socket.id, socket.interface_preference, std::move(host));
}

bool gatherer::add_relayed(const relayed_socket& socket) {
  candidate relayed;
  relayed.type = candidate_type::relayed;
  relayed.address = socket.relayed;
  // RFC 8839 5.1: a relayed candidate's related address is the server-reflexive one, which under
  // relay_only would tell what is to be hidden.
  const bool hidden = settings_.relay_only || settings_.hide_addresses;
  relayed.related = hidden ? untold_like(socket.relayed) : socket.mapped;
  relayed.foundation =
      foundation(relayed.type, relayed.protocol, socket.relayed.address, socket.server);
  relayed.url = socket.url;
  relayed.relay_protocol = socket.server_protocol;
  return add_base(socket.id, socket.interface_preference, std::move(relayed));
}

bool gatherer::add_base(base::socket_id id, std::uint16_t preference, candidate own) {
  if (find(id) != nullptr || bases_.size() == max_sockets) return false;
  local_base added;
  added.socket = id;
  added.local_preference = choose_preference(own, preference);
  own.priority = candidate_priority(own.type, added.local_preference, 1, own.protocol);
  own.ufrag = ufrag_;
  own.number = next_number();
  added.own = std::make_shared<const candidate>(std::move(own));
  bases_.push_back(added);
  resume();
  announce(*added.own);
  for (const auto& server : servers_) add_queries(added, server);
  check_complete();
  return true;
}

void gatherer::remove_socket(base::socket_id id) {
  std::erase_if(bases_, [=](const local_base& b) { return b.socket == id; });
  std::erase_if(reflexive_, [=](const reflexive& r) { return r.socket == id; });
  std::erase_if(queries_, [=](const query& q) { return q.to.local == id; });
  check_complete();
}

void gatherer::add_server(stun_server server) {
  const auto known = std::find_if(servers_.begin(), servers_.end(), [&](const stun_server& each) {
    return each.address == server.address;
  });
  if (known != servers_.end()) {
    known->url = server.url;  // a later gathering may have come to it by another name
    return;
  }
  if (servers_.size() == max_servers) return;
  servers_.push_back(std::move(server));
  for (const auto& base : bases_) add_queries(base, servers_.back());
}

void gatherer::add_queries(const local_base& base, const stun_server& server) {
  // Under relay_only nothing about our own addresses may be learnt or told.
  if (settings_.relay_only || base.own->type == candidate_type::relayed) return;
  // What a server sees of a connection to itself is not what the other side will see.
  if (base.own->protocol == transport_protocol::tcp) return;
  if (settings_.lite)
    return;  // RFC 8445 5.2: "A lite implementation only utilizes host candidates"
  if (!can_pair(base.own->address.address, server.address.address)) return;
  query added;
  added.to = {base.socket, server.address};
  added.server = server;
  queries_.push_back(std::move(added));
}

void gatherer::release() {
  --held_;
  check_complete();
}

void gatherer::finish() {
  finished_ = true;
  check_complete();
}

void gatherer::restart(const std::string& ufrag) {
  if (!before_) {
    before_ = round{ufrag_, bases_, reflexive_, servers_, queries_, finished_, complete_};
  }
  ufrag_ = ufrag;
  ++generation_;
  last_number_ = 0;
  complete_ = false;
  queries_.clear();
  reflexive_.clear();
  if (std::exchange(forgets_servers_, false)) {
    servers_.clear();
    finished_ = false;
  }
  for (auto& base : bases_) {
    if (!base.retired) renew(base);
  }
  check_complete();
}

void gatherer::undo_restart() {
  if (!before_) return;
  round before = std::move(*before_);
  before_.reset();
  ufrag_ = before.ufrag;
  reflexive_ = std::move(before.found);
  queries_ = std::move(before.queries);
  finished_ = finished_ || before.finished;
  complete_ = before.complete;
  const auto is_gone = [this](base::socket_id id) { return find(id) == nullptr; };
  std::erase_if(reflexive_, [&](const reflexive& r) { return is_gone(r.socket); });
  std::erase_if(queries_, [&](const query& q) { return is_gone(q.to.local); });
  const auto added = std::exchange(servers_, std::move(before.servers));
  for (auto& base : bases_) {
    const auto known =
        std::find_if(before.bases.begin(), before.bases.end(),
                     [&](const local_base& each) { return each.socket == base.socket; });
    if (known != before.bases.end()) {
      base.own = known->own;
    } else {
      resume();
      renew(base);
    }
  }
  for (const auto& server : added) add_server(server);
  check_complete();
}

void gatherer::renew(local_base& base) {
  candidate own = *base.own;
  own.ufrag = ufrag_;
  own.number = next_number();
  base.own = std::make_shared<const candidate>(std::move(own));
  announce(*base.own);
  for (const auto& server : servers_) add_queries(base, server);
}

bool gatherer::set_retired(base::socket_id id, bool retired) {
  const auto found = std::find_if(bases_.begin(), bases_.end(),
                                  [=](const local_base& b) { return b.socket == id; });
  if (found == bases_.end()) return false;
  found->retired = retired;
  const bool untold = !retired && found->own->ufrag != ufrag_;
  if (untold) renew(*found);
  return untold;
}

void gatherer::announce(const candidate& value) {
  if (is_told(value)) events_.push(local_candidate_gathered{value});
}

bool gatherer::is_told(const candidate& value) const {
  if (settings_.relay_only && value.type != candidate_type::relayed) return false;
  // A wildcard socket can be checked from, but nobody can send to its address.
  return !value.address.address.is_unspecified();
}

/// webrtc-pc 5.6.2: what is gathered later begins again with gathering.
void gatherer::resume() {
  if (std::exchange(complete_, false)) events_.push(gathering_resumed{});
}

void gatherer::check_complete() {
  const bool busy = std::any_of(queries_.begin(), queries_.end(), [](const query& q) {
    return q.state == query_state::waiting || q.state == query_state::running;
  });
  if (!finished_ || complete_ || busy || held_ > 0) return;
  complete_ = true;
  tell_unreachable_servers();
  events_.push(gathering_complete{});
}

void gatherer::tell_unreachable_servers() {
  if (settings_.relay_only || settings_.lite) return;
  for (const auto& server : servers_) {
    const bool asked = std::any_of(queries_.begin(), queries_.end(), [&](const query& q) {
      return q.server.address == server.address;
    });
    if (asked) continue;
    events_.push(
        server_failed{{{}, server.address}, server.url, 0, "no local address of its family"});
  }
}

void gatherer::set_state(query& which, query_state state, std::string_view reason) {
  log_(log_level::debug, [&] {
    return "STUN server " + which.to.remote.to_string() + " from socket " +
           std::to_string(static_cast<std::uint32_t>(which.to.local)) + ": " + std::string(reason);
  });
  which.state = state;
}

void gatherer::fail(query& which, std::uint16_t code, std::string why) {
  auto& further = which.server.further;
  if (!further.empty()) {
    set_state(which, query_state::waiting, why + ", another address is asked");
    which.to.remote = further.front();
    further.erase(further.begin());
    return;
  }
  set_state(which, query_state::failed, why);
  events_.push(server_failed{which.to, which.server.url, code, std::move(why)});
}

const local_base* gatherer::find(base::socket_id id) const {
  const auto found = std::find_if(bases_.begin(), bases_.end(),
                                  [=](const local_base& b) { return b.socket == id; });
  return found == bases_.end() ? nullptr : &*found;
}

transport_protocol gatherer::protocol_of(base::socket_id id) const {
  const local_base* const base = find(id);
  return base == nullptr ? transport_protocol::udp : base->own->protocol;
}

std::shared_ptr<const candidate> gatherer::find_candidate(base::socket_id id,
                                                          const base::endpoint& mapped) const {
  const auto found = std::find_if(
      reflexive_.begin(), reflexive_.end(),
      [&](const reflexive& known) { return known.socket == id && known.value->address == mapped; });
  return found == reflexive_.end() ? nullptr : found->value;
}

std::vector<candidate> gatherer::candidates() const {
  std::vector<candidate> found;
  for (const auto& base : bases_) {
    const bool is_current = base.own->ufrag == ufrag_;
    if (is_current && is_told(*base.own)) found.push_back(*base.own);
  }
  for (const auto& each : reflexive_) found.push_back(*each.value);
  return found;
}

bool gatherer::has_new_request() const {
  return std::any_of(queries_.begin(), queries_.end(),
                     [](const query& q) { return q.state == query_state::waiting; });
}

std::optional<gatherer::request> gatherer::start_next(base::time_point now) {
  for (auto& q : queries_) {
    if (q.state != query_state::waiting) continue;
    q.id = make_transaction_id(random_);
    const int requests = q.server.further.empty() ? gathering_requests : requests_before_another;
    q.clock = stun::retransmission(now, {settings_.initial_rto, requests, gathering_last_wait});
    set_state(q, query_state::running, "asked");
    return request{q.to, build_server_request(q.id)};
  }
  return std::nullopt;
}

std::optional<gatherer::request> gatherer::next_due(base::time_point now, bool keep_alive) {
  for (auto& q : queries_) {
    if (q.state == query_state::running) {
      switch (q.clock.handle_timeout(now)) {
        case stun::retransmission::action::none:
          break;
        case stun::retransmission::action::send:
          return request{q.to, build_server_request(q.id)};
        case stun::retransmission::action::give_up:
          fail(q, 0, "no answer");
      }
    } else if (keep_alive && q.state == query_state::answered && now >= q.refresh_at) {
      q.id = make_transaction_id(random_);
      q.refresh_at = now + settings_.keepalive_interval;
      return request{q.to, build_server_request(q.id)};
    }
  }
  check_complete();
  return std::nullopt;
}

base::time_point gatherer::next_deadline(bool keep_alive) const {
  base::time_point next = base::never;
  for (const auto& q : queries_) {
    if (q.state == query_state::running) next = std::min(next, q.clock.deadline());
    if (keep_alive && q.state == query_state::answered) next = std::min(next, q.refresh_at);
  }
  return next;
}

bool gatherer::handle_answer(base::time_point now, const stun::message_view& message,
                             const base::route& from) {
  const auto found = std::find_if(queries_.begin(), queries_.end(), [&](const query& q) {
    return q.to == from && q.id == message.transaction() &&
           (q.state == query_state::running || q.state == query_state::answered);
  });
  if (found == queries_.end()) return false;
  const auto mapped = message.mapped_address();
  if (message.kind() == stun::message_class::success && mapped) {
    found->refresh_at = now + settings_.keepalive_interval;
    set_state(*found, query_state::answered, "answered");
    add_reflexive(*find(from.local), *mapped, {from.remote, found->server.url});
  } else if (found->state == query_state::running) {
    const auto error = message.error();
    const std::uint16_t code = error ? error->code : std::uint16_t{0};
    fail(*found, code, "refused with " + std::to_string(code));
  }
  check_complete();
  return true;
}

void gatherer::add_reflexive(base::socket_id id, const base::endpoint& mapped,
                             const stun_server& server) {
  const local_base* const base = find(id);
  if (base != nullptr && !settings_.relay_only) add_reflexive(*base, mapped, server);
}

void gatherer::add_reflexive(const local_base& base, const base::endpoint& mapped,
                             const stun_server& server) {
  // RFC 8445 5.1.3: a candidate with the address and base of another is redundant. But who is far
  // away cannot resolve a name, so an address that a server sees is told although it is hidden.
  const bool told = base.own->host_name.empty() && mapped == base.own->address;
  if (told || find_candidate(base.socket, mapped)) return;
  // Servers are asked again while checks run; a NAT that answers differently each time is bounded.
  if (reflexive_.size() >= max_sockets * max_servers) return;
  candidate found;
  found.type = candidate_type::server_reflexive;
  found.address = mapped;
  found.related = settings_.hide_addresses ? untold_like(mapped) : base.own->address;
  found.priority = candidate_priority(found.type, base.local_preference);
  found.foundation =
      foundation(found.type, found.protocol, base.own->address.address, server.address.address);
  found.ufrag = ufrag_;
  found.number = next_number();
  found.url = server.url;
  reflexive_.push_back({base.socket, std::make_shared<const candidate>(found)});
  announce(found);
}

void gatherer::handle_send_error(const base::route& route) {
  for (auto& q : queries_) {
    if (q.to == route && q.state == query_state::running) {
      fail(q, 0, "not reachable");
    }
  }
  check_complete();
}

}  // namespace asiortc::ice

#include "peer/relays.hpp"

#include <algorithm>
#include <iterator>
#include <utility>
#include <variant>

namespace asiortc::peer {
namespace {

constexpr std::size_t max_relays = 32;
// RFC 8656 7.4 warns of loops between servers that send a client to each other.
constexpr int max_redirections = 1;
// RTOs that an address is asked for which is not the last: 9.5 s, as for STUN.
constexpr int first_wait = 19;

template <class... Functions>
struct overloaded : Functions... {
  using Functions::operator()...;
};
template <class... Functions>
overloaded(Functions...) -> overloaded<Functions...>;

std::string words_of(const base::failure& why) {
  return why.detail.empty() ? why.code.message() : why.detail;
}

bool is_finished(turn::state state) {
  return state == turn::state::failed || state == turn::state::ended;
}

}  // namespace

relays::relay relays::make_relay(const base::endpoint& address, const turn_server& configured,
                                 const turn_carrier& carrier, int redirections,
                                 base::duration patience) const {
  turn::settings settings;
  settings.server = {carrier.id, address};
  settings.reliable = carrier.reliable;
  settings.username = configured.username;
  settings.password = configured.password;
  settings.family = carrier.family;
  settings.retransmission.rto = times_.rto;
  settings.give_up_after = wait_of(configured, patience);
  settings.log = log_;
  turn::client client(std::move(settings), *random_);
  return {{}, {carrier.id, address}, configured, carrier, false, false, redirections, patience, {},
          {}, std::move(client)};
}

base::duration relays::wait_of(const turn_server& configured, base::duration patience) const {
  const auto others = static_cast<int>(configured.further.size());
  return others == 0 ? patience : std::min(first_wait * times_.rto, patience / (others + 1));
}

relays::relay* relays::find(base::socket_id id) {
  const auto found =
      std::find_if(relays_.begin(), relays_.end(), [=](const relay& r) { return r.id == id; });
  return found == relays_.end() ? nullptr : &*found;
}

relays::relay* relays::find(const base::route& server) {
  const auto found = std::find_if(relays_.begin(), relays_.end(),
                                  [&](const relay& r) { return r.server == server; });
  return found == relays_.end() ? nullptr : &*found;
}

/// One that asks the server already, be it at another of its addresses or where it sent us to.
relays::relay* relays::find(base::socket_id over, const turn_server& server) {
  if (relay* const known = find(base::route{over, server.address})) return known;
  const auto found = std::find_if(relays_.begin(), relays_.end(), [&](const relay& r) {
    return r.server.local == over && r.configured.name == server.name;
  });
  return found == relays_.end() ? nullptr : &*found;
}

void relays::allocate(base::time_point now, const turn_carrier& over, const turn_server& server,
                      ice::agent& agent) {
  // Who asks anew would else wait for the end of a lifetime that the server may not know of.
  const relay* const silent = find(over.id, server);
  if (silent != nullptr && silent->client.is_silent(now)) drop(now, *silent, agent);
  const relay* const known = find(over.id, server);
  const base::endpoint& at = known == nullptr ? server.address : known->server.remote;
  start(now, make_relay(at, server, over, 0, times_.give_up_after), agent);
}

void relays::drop(base::time_point now, const relay& which, ice::agent& agent) {
  const auto dropped = std::find_if(relays_.begin(), relays_.end(),
                                    [&](const relay& r) { return r.id == which.id; });
  agent.remove_local_socket(now, dropped->id);
  release_gathering(now, *dropped, agent);
  relays_.erase(dropped);
}

void relays::start(base::time_point now, relay made, ice::agent& agent) {
  relay* const known = find(made.server);
  if (known != nullptr && std::exchange(known->retired, false)) {
    agent.set_retired(now, known->id, false);
  }
  if (relays_.size() >= max_relays || known != nullptr) {
    return release_gathering(now, made, agent);
  }
  made.id = base::socket_id{++last_id_ | relayed_bit};
  if (!std::exchange(made.holds_gathering, true)) agent.hold_gathering();
  made.started = now;
  made.client.start(now);
  relays_.push_back(std::move(made));
  hurry_those_without_way();
}

void relays::begin_gathering() {
  if (explanation_) explanation_->counts = weight::silence;
}

void relays::keep_servers(base::time_point now, const std::vector<std::string>& names,
                          ice::agent& agent) {
  for (auto& each : relays_) {
    each.retired = std::find(names.begin(), names.end(), each.configured.name) == names.end();
    agent.set_retired(now, each.id, each.retired);
  }
}

void relays::drop_retired(base::time_point now, ice::agent& agent) {
  std::erase_if(relays_, [&](relay& each) {
    if (!each.retired || agent.uses_socket(each.id)) return false;
    agent.remove_local_socket(now, each.id);
    release_gathering(now, each, agent);
    leave(now, each);
    return true;
  });
}

void relays::leave(base::time_point now, relay& which) {
  which.client.close(now);
  leaving_.push_back(std::move(which));
}

/// Why the server gave no address, where it has just said so.
std::optional<turn::failed> relays::last_words(relay& which) {
  while (auto news = which.client.poll_event()) {
    if (auto* const refused = std::get_if<turn::failed>(&*news)) return std::move(*refused);
  }
  return std::nullopt;
}

void relays::remove_carrier(base::time_point now, base::socket_id over, const base::failure& why,
                            ice::agent& agent) {
  for (auto& each : relays_) {
    if (each.server.local != over) continue;
    const auto said = last_words(each);
    note_failure(each, said ? said->why : why, said ? said->code : std::uint16_t{0});
    if (each.client.current_state() == turn::state::allocated) explain(each, why, weight::loss);
    agent.remove_local_socket(now, each.id);
    release_gathering(now, each, agent);
  }
  const auto is_over_it = [=](const relay& r) { return r.server.local == over; };
  std::erase_if(relays_, is_over_it);
  std::erase_if(leaving_, is_over_it);
}

bool relays::handle_datagram(base::time_point now, const base::datagram& datagram,
                             std::optional<base::datagram>& inner) {
  for (auto& each : leaving_) {
    // An allocation that was made since shares the addresses, and knows its answers.
    if (each.server == datagram.from) each.client.handle_datagram(now, datagram);
  }
  relay* const from = find(datagram.from);
  if (from == nullptr) return false;
  const auto outcome = from->client.handle_datagram(now, datagram);
  if (outcome.relayed) {
    inner = datagram;
    inner->bytes = outcome.relayed->payload;
    inner->from = {from->id, outcome.relayed->peer};
  }
  return outcome.taken;
}

void relays::send(base::time_point now, const base::route& to, base::byte_span packet,
                  base::traffic_class kind, base::packet_batch& out) {
  // What the server does not take is lost, as on any network; the client counts it.
  if (relay* const over = find(to.local)) over->client.send(now, to.remote, packet, kind, out);
}

void relays::handle_timeout(base::time_point now) {
  for (auto* const list : {&relays_, &leaving_}) {
    for (auto& each : *list) {
      if (each.client.next_deadline() <= now) each.client.handle_timeout(now);
    }
  }
}

base::time_point relays::next_deadline() const {
  base::time_point next = base::never;
  for (const auto* const list : {&relays_, &leaving_}) {
    for (const auto& each : *list) next = std::min(next, each.client.next_deadline());
  }
  return next;
}

void relays::update(base::time_point now, ice::agent& agent) {
  for (auto& each : relays_) {
    while (auto news = each.client.poll_event()) handle(now, each, *news, agent);
  }
  drop_finished();
  drop_retired(now, agent);
  for (auto& next : std::exchange(instead_, {})) start(now, std::move(next), agent);
}

void relays::handle(base::time_point now, relay& which, turn::event& news, ice::agent& agent) {
  std::visit(overloaded{
                 [&](const turn::allocated& given) { add_address(now, which, given, agent); },
                 [&](const turn::failed& refused) {
                   if (ask_next(which, refused)) return;
                   const bool silent = refused.code == 0 && which.refused.code != 0;
                   const turn::failed& says_more = silent ? which.refused : refused;
                   note_failure(which, says_more.why, says_more.code);
                   release_gathering(now, which, agent);
                 },
                 [&](const turn::ended& lost) {
                   note_failure(which, lost.why, lost.code);
                   explain(which, lost.why, weight::loss);
                   agent.remove_local_socket(now, which.id);
                 },
                 [&](const turn::peer_refused& refused) {
                   agent.handle_refusal(now, {which.id, refused.peer}, refused.why.detail);
                 },
             },
             news);
}

/// The server that it names instead, or another address of the same one.
bool relays::ask_next(relay& which, const turn::failed& refused) {
  if (which.carrier.reliable) return false;  // a stream leads to its server and no other
  const auto left = which.patience - wait_of(which.configured, which.patience);
  turn_server next = which.configured;
  if (refused.alternate && which.redirections < max_redirections) {
    instead_.push_back(make_relay(*refused.alternate, next, which.carrier, which.redirections + 1,
                                  which.patience));
  } else if (!next.further.empty() && (refused.code != 0 || !works_elsewhere(which))) {
    const base::endpoint at = next.further.front();
    next.further.erase(next.further.begin());
    log_(log_level::info, [&] { return refused.why.detail + "; asking " + at.to_string(); });
    instead_.push_back(make_relay(at, next, which.carrier, which.redirections, left));
    instead_.back().refused = refused.code == 0 ? which.refused : refused;
  } else {
    return false;
  }
  // It holds the gathering on.
  instead_.back().holds_gathering = std::exchange(which.holds_gathering, false);
  return true;
}

void relays::handle_send_error(base::time_point now, const base::route& route, ice::agent& agent) {
  relay* const refused = find(route);
  if (refused == nullptr || refused->client.current_state() != turn::state::allocating) return;
  if (ask_next(*refused, {{errc::turn_unreachable, "not reachable"}, 0, std::nullopt})) {
    drop(now, *refused, agent);
  }
}

void relays::add_address(base::time_point now, relay& which, const turn::allocated& given,
                         ice::agent& agent) {
  ice::relayed_socket socket;
  socket.id = which.id;
  socket.relayed = given.relayed;
  socket.mapped = given.mapped;
  socket.server = which.server.remote.address;
  socket.interface_preference = which.carrier.preference;
  socket.url = which.configured.name;
  socket.server_protocol = which.carrier.secure ? "tls" : which.carrier.reliable ? "tcp" : "udp";
  agent.add_relayed_socket(now, socket);
  // What the server saw of a stream is of no use for UDP.
  if (!which.carrier.reliable) {
    agent.add_reflexive_address(now, which.server.local, given.mapped,
                                {which.server.remote, which.configured.name});
  }
  explanation_.reset();
  hurry_those_without_way();
  release_gathering(now, which, agent);
}

/// Where the server has answered another local address, one that it does not answer has no way to
/// it, as that of a bridge between containers.
void relays::hurry_those_without_way() {
  for (auto& each : relays_) {
    if (works_elsewhere(each)) each.client.give_up_by(each.started + first_wait * times_.rto);
  }
}

bool relays::is_on_the_chance(const relay& which) {
  return (which.carrier.family == turn::address_family::ipv4) !=
         which.server.remote.address.is_v4();
}

bool relays::works_elsewhere(const relay& which) const {
  return std::any_of(relays_.begin(), relays_.end(), [&](const relay& each) {
    return each.id != which.id && each.configured.name == which.configured.name &&
           each.carrier.family == which.carrier.family &&
           each.client.current_state() == turn::state::allocated;
  });
}

std::optional<base::failure> relays::trouble(base::time_point now) const {
  for (const auto& each : relays_) {
    if (each.client.is_silent(now)) {
      return base::failure{errc::turn_lost, name_of(each) + ": the TURN server does not answer"};
    }
  }
  return explanation_ ? std::optional(explanation_->why) : std::nullopt;
}

bool relays::any_works(base::time_point now) const {
  return std::any_of(relays_.begin(), relays_.end(), [now](const relay& each) {
    return each.client.current_state() == turn::state::allocated && !each.client.is_silent(now);
  });
}

relay_state relays::state_over(base::time_point now, base::socket_id carrier) const {
  relay_state found = relay_state::none;
  for (const auto& each : relays_) {
    if (each.server.local != carrier) continue;
    const turn::state state = each.client.current_state();
    if (each.client.is_silent(now)) return relay_state::silent;
    if (state == turn::state::allocated) return relay_state::stands;
    if (state == turn::state::allocating) found = relay_state::asked;
  }
  return found;
}

std::string relays::name_of(const relay& which) {
  const auto& server = which.configured;
  return server.name.empty() ? server.address.to_string() : server.name;
}

void relays::note_failure(const relay& which, const base::failure& why, std::uint16_t code) {
  // An address of the other family is asked for on the chance; that there is none is no news.
  if (is_on_the_chance(which)) {
    log_(log_level::info, [&] { return name_of(which) + ": " + words_of(why); });
    return;
  }
  tell(name_of(which), which.server.local, why, code);
  explain(which, why, code == 0 ? weight::silence : weight::refusal);
}

void relays::note_failure(const std::string& server, const base::failure& why) {
  tell(server, {}, why, 0);
  explain({why.code, server + ": " + why.detail}, weight::silence);
}

void relays::tell(const std::string& server, base::socket_id asked_from, const base::failure& why,
                  std::uint16_t code) {
  const std::string words = words_of(why);
  log_(log_level::warning, [&] { return server + ": " + words; });
  if (refusals_.size() < max_relays)
    refusals_.push_back({server, asked_from, code, {why.code, words}});
}

void relays::explain(const relay& which, const base::failure& why, weight counts) {
  if (counts == weight::silence && works_elsewhere(which)) return;
  explain({why.code, name_of(which) + ": " + words_of(why)}, counts);
}

void relays::explain(base::failure why, weight counts) {
  if (!explanation_ || counts >= explanation_->counts) {
    explanation_ = {std::move(why), counts};
  }
}

std::optional<server_refused> relays::poll_refusal() {
  if (refusals_.empty()) return std::nullopt;
  server_refused first = std::move(refusals_.front());
  refusals_.pop_front();
  return first;
}

void relays::release_gathering(base::time_point now, relay& which, ice::agent& agent) {
  if (std::exchange(which.holds_gathering, false)) agent.release_gathering(now);
}

void relays::drop_finished() {
  const auto finished = std::stable_partition(relays_.begin(), relays_.end(), [](const relay& r) {
    return !is_finished(r.client.current_state());
  });
  // What it gives back is still to be sent.
  std::move(finished, relays_.end(), std::back_inserter(leaving_));
  relays_.erase(finished, relays_.end());
}

void relays::poll_transmit(base::packet_batch& out) {
  for (auto& each : leaving_) each.client.poll_transmit(out);
  for (auto& each : relays_) each.client.poll_transmit(out);
  std::erase_if(leaving_, [](const relay& each) {
    return each.client.current_state() != turn::state::closing;
  });
}

void relays::close(base::time_point now) {
  for (auto& each : relays_) leave(now, each);
  relays_.clear();
}

}  // namespace asiortc::peer

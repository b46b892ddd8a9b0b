#include "support/virtual_pair.hpp"

#include "crypto/identity.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace asiortc::test {
namespace {

constexpr base::duration tick_interval = std::chrono::milliseconds(10);

std::shared_ptr<const crypto::identity> make_identity() {
  constexpr std::int64_t issued = 1'699'990'000;
  constexpr std::int64_t month = 30 * 24 * 3600;
  return crypto::identity::generate(crypto::key_type::ecdsa_p256, issued, issued + month).value();
}

void require(const base::result<void>& done) {
  if (!done) throw std::runtime_error(done.error().code.message() + ": " + done.error().detail);
}

}  // namespace

message make_message(std::size_t size, std::uint64_t seed, bool text) {
  std::vector<std::uint8_t> content(size);
  for (std::size_t index = 0; index < size; ++index) {
    const auto mixed = (seed + index) * 0x9e3779b97f4a7c15ULL >> 56;
    content[index] = static_cast<std::uint8_t>(text ? 'a' + mixed % 26 : mixed);
  }
  return {std::move(content), text};
}

virtual_peer::virtual_peer(std::uint64_t seed, const base::endpoint& address)
    : random_(seed), address_(address) {
  peer::settings settings;
  settings.identity = make_identity();
  peer::environment environment;
  environment.random = &random_;
  environment.sctp = &sctp::usrsctp_engine();
  environment.wake = [this] { woken_ = true; };
  core_ = std::make_unique<peer::peer>(std::move(settings), std::move(environment));
}

datachannel::channel_key virtual_peer::create_channel(std::string label, data_channel_init init) {
  return core_
      ->create_data_channel(virtual_clock::instance().now(), std::move(label), std::move(init))
      .value();
}

void virtual_peer::send(datachannel::channel_key channel, message value) {
  core_->channels().send(virtual_clock::instance().now(), channel, std::move(value)).value();
}

bool virtual_peer::is_open(datachannel::channel_key channel) {
  const auto info = core_->channels().info(channel);
  return info && info->state == data_channel_state::open;
}

bool virtual_peer::has_state(connection_state state) {
  return core_->current_connection_state() == state;
}

void virtual_peer::handle(datachannel::event& event) {
  auto& channels = core_->channels();
  if (auto* opened = std::get_if<datachannel::channel_opened_by_peer>(&event)) {
    opened_by_peer.push_back(opened->key);
    channels.accept(opened->key);
  } else if (auto* changed = std::get_if<datachannel::channel_state_changed>(&event)) {
    if (changed->now == data_channel_state::closed) {
      closed_channels.emplace(changed->key, changed->reason);
    }
  } else if (auto* message = std::get_if<datachannel::message_received>(&event)) {
    const std::size_t size = message->value.size();
    received_bytes += size;
    received.push_back({message->key, std::move(message->value)});
    if (reads) channels.consumed(virtual_clock::instance().now(), received.back().channel, size);
  }
}

std::optional<ice_candidate> virtual_peer::handle(peer::event& event) {
  const auto now = virtual_clock::instance().now();
  if (auto* channel = std::get_if<datachannel::event>(&event)) {
    handle(*channel);
  } else if (auto* state = std::get_if<peer::connection_state_event>(&event)) {
    connection_states.push_back(*state);
  } else if (auto* signaling = std::get_if<peer::signaling_state_event>(&event)) {
    signaling_states.push_back(signaling->now);
  } else if (auto* pair = std::get_if<peer::selected_pair_event>(&event)) {
    selected_pairs.push_back(pair->value);
  } else if (std::holds_alternative<peer::negotiation_needed_event>(event)) {
    negotiation_needed = true;
  } else if (auto* wanted = std::get_if<peer::gathering_wanted>(&event); wanted && gather) {
    gather(wanted->generation);
  } else if (wanted) {
    ice::local_socket socket;
    socket.id = base::socket_id{1};
    socket.address = address_;
    if (!std::exchange(has_socket_, true)) core_->add_local_socket(now, socket);
    core_->finish_gathering(now, wanted->generation);
  } else if (auto* lookup = std::get_if<peer::resolution_wanted>(&event)) {
    if (resolve) core_->name_resolved(now, lookup->token, resolve(lookup->name));
  } else if (auto* candidate = std::get_if<peer::ice_candidate_event>(&event)) {
    return std::move(candidate->value);
  }
  return std::nullopt;
}

std::vector<ice_candidate> virtual_peer::take_events() {
  std::vector<ice_candidate> candidates;
  const auto now = virtual_clock::instance().now();
  woken_ = false;
  core_->handle_wake(now);
  while (auto event = core_->poll_event()) {
    if (auto candidate = handle(*event)) candidates.push_back(std::move(*candidate));
  }
  core_->handle_wake(now);
  return candidates;
}

virtual_pair::virtual_pair(const pair_options& options)
    : a(options.seed * 2 + 1, *base::endpoint::parse("10.0.0.1:5001")),
      b(options.seed * 2 + 2, *base::endpoint::parse("10.0.0.2:5002")),
      network(options.seed, options.network),
      signaling_delay(options.signaling_delay),
      next_tick_(clock_.now() + tick_interval) {}

bool virtual_pair::run_until(const std::function<bool()>& condition, base::duration limit) {
  const base::time_point end = now() + limit;
  pump();
  while (!condition()) {
    const base::time_point next = next_event();
    if (next > end) {
      step_to(end);
      return condition();
    }
    step_to(next);
  }
  return true;
}

void virtual_pair::run_for(base::duration time) {
  run_until([] { return false; }, time);
}

bool virtual_pair::connect(base::duration limit) {
  return run_until(
      [this] {
        return a.has_state(connection_state::connected) && b.has_state(connection_state::connected);
      },
      limit);
}

base::time_point virtual_pair::next_event() {
  base::time_point next = std::min(next_tick_, network.next_arrival());
  if (!signals_.empty()) next = std::min(next, signals_.front().due);
  if (wire != nullptr) next = std::min(next, wire->next_event());
  next = std::min({next, a.core().next_deadline(), b.core().next_deadline()});
  // A deadline may have passed while others were served.
  return std::max(next, now());
}

void virtual_pair::step_to(base::time_point then) {
  clock_.advance_to(then);
  if (next_tick_ <= then) {
    sctp::usrsctp_engine().tick(then);
    next_tick_ = then + tick_interval;
  }
  deliver_signals();
  deliver_packets();
  for (virtual_peer* peer : {&a, &b}) {
    if (peer->core().next_deadline() <= then) peer->core().handle_timeout(then);
  }
  pump();
}

void virtual_pair::pump() {
  // One side's events can make the other side's calls, but only through signals and packets.
  pump(a, b);
  pump(b, a);
}

void virtual_pair::pump(virtual_peer& peer, virtual_peer& other) {
  for (auto& candidate : peer.take_events()) {
    if (candidate_filter && !candidate_filter(peer, candidate)) continue;
    if (peer.hidden_behind) {
      const std::string shown = peer.address().address.to_string();
      const auto position = candidate.candidate.find(shown);
      if (position != std::string::npos) {
        candidate.candidate.replace(position, shown.size(), *peer.hidden_behind);
      }
    }
    signals_.push_back({now() + signaling_delay, &other, std::move(candidate)});
  }
  if (peer.negotiation_needed) offer(peer, other);
  transmit(peer);
}

void virtual_pair::transmit(virtual_peer& peer) {
  bool more = true;
  while (more) {
    batch_.clear();
    more = peer.core().poll_transmit(now(), batch_);
    for (const auto& packet : batch_.entries()) {
      const auto view = batch_.view(packet);
      if (wire != nullptr) {
        wire->send(peer, packet.to, view);
        continue;
      }
      network.send(now(), {{view.begin(), view.end()}, peer.address(), packet.to.remote});
    }
  }
}

void virtual_pair::offer(virtual_peer& peer, virtual_peer& other) {
  if (peer.core().current_signaling_state() != signaling_state::stable) return;
  peer.negotiation_needed = false;
  require(peer.core().set_local_description(now(), std::nullopt));
  send_local_description(peer, other);
}

void virtual_pair::send_local_description(virtual_peer& peer, virtual_peer& other) {
  auto description = peer.core().pending_local_description();
  if (!description) description = peer.core().current_local_description();
  if (description_filter && !description_filter(peer, *description)) return;
  signals_.push_back({now() + signaling_delay, &other, std::move(*description)});
}

void virtual_pair::deliver_signals() {
  while (!signals_.empty() && signals_.front().due <= now()) {
    const signal first = std::move(signals_.front());
    signals_.pop_front();
    auto& core = first.to->core();
    if (core.current_signaling_state() == signaling_state::closed) continue;
    if (const auto* description = std::get_if<session_description>(&first.content)) {
      handle_description(*first.to, *description);
    } else {
      const auto done = core.add_ice_candidate(now(), std::get<ice_candidate>(first.content));
      if (!(first.to == &a && a_ignores_offer_)) require(done);
    }
  }
}

void virtual_pair::handle_description(virtual_peer& to, const session_description& description) {
  const bool collides = description.type == sdp_type::offer &&
                        to.core().current_signaling_state() != signaling_state::stable;
  if (&to == &a) {
    a_ignores_offer_ = collides;
    if (collides) return;
  }
  require(to.core().set_remote_description(now(), description));
  if (description.type != sdp_type::offer) return;
  require(to.core().set_local_description(now(), std::nullopt));
  send_local_description(to, &to == &a ? b : a);
}

void virtual_pair::deliver_packets() {
  if (wire != nullptr) return wire->advance(now());
  auto arrived = network.take_arrived(now());
  for (virtual_peer* peer : {&a, &b}) {
    std::vector<base::datagram> datagrams;
    for (auto& packet : arrived) {
      if (packet.to != peer->address()) continue;
      base::datagram datagram;
      datagram.bytes = packet.bytes;
      datagram.from = {base::socket_id{1}, packet.from};
      datagram.arrival = now();
      datagrams.push_back(datagram);
    }
    if (!datagrams.empty()) peer->core().handle_datagrams(now(), datagrams);
  }
}

}  // namespace asiortc::test

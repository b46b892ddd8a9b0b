#include "stun/nat_discovery.hpp"

#include "stun/address_codec.hpp"
#include "stun/message_builder.hpp"

#include <algorithm>
#include <utility>

namespace asiortc::stun {
namespace {

// RFC 5780 7.2: the flags of CHANGE-REQUEST, "change IP" and "change port".
constexpr std::uint32_t change_address = 0x04;
constexpr std::uint32_t change_port = 0x02;

std::optional<base::endpoint> other_address_of(const message_view& answer) {
  const auto value = answer.find(attribute_type::other_address);
  return value ? read_address(*value) : std::nullopt;
}

}  // namespace

void nat_discovery::start(base::time_point now) {
  started_ = true;
  ask(now, what::first, settings_.mapping_socket, settings_.server, settings_.server);
}

void nat_discovery::ask(base::time_point now, what kind, base::socket_id from,
                        const base::endpoint& to, const base::endpoint& answered_from,
                        std::uint32_t change) {
  question asked;
  asked.kind = kind;
  asked.to = {from, to};
  asked.answered_from = answered_from;
  asked.change = change;
  random_->fill(asked.id);
  asked.clock = retransmission(now, settings_.retransmission);
  asked.sent_at = now;
  send(asked);
  questions_.push_back(asked);
}

void nat_discovery::send(const question& asked) {
  message_builder message(message_class::request, method::binding, asked.id);
  if (asked.change != 0) message.add_u32(attribute_type::change_request, asked.change);
  outbox_.set_route(asked.to, base::traffic_class::control);
  outbox_.append(message.bytes());
}

void nat_discovery::handle_datagram(base::time_point now, const base::datagram& datagram) {
  const auto message = message_view::parse(datagram.bytes);
  if (!message || message->method() != method::binding) return;
  const auto found = std::find_if(questions_.begin(), questions_.end(), [&](const question& q) {
    return q.id == message->transaction() && q.to.local == datagram.from.local;
  });
  if (found == questions_.end()) return;
  // An error may come from where the request went, although another source was asked for.
  const bool is_error = message->kind() == message_class::error && message->error();
  const bool from_asked = datagram.from.remote == found->to.remote;
  const bool is_success = message->kind() == message_class::success && message->mapped_address() &&
                          datagram.from.remote == found->answered_from;
  if (!is_success && !(is_error && from_asked)) return;
  const question asked = *found;
  questions_.erase(found);
  take(now, asked, *message);
}

void nat_discovery::take(base::time_point now, const question& asked, const message_view& answer) {
  if (asked.kind == what::first) return take_first(now, asked, answer);
  if (answer.kind() == message_class::error) {
    // What is refused is not filtered: without an answer to this nothing is known.
    if (asked.change != 0)
      std::erase_if(questions_, [](const question& q) { return q.change != 0; });
    return;
  }
  const base::endpoint mapped = *answer.mapped_address();
  switch (asked.kind) {
    case what::first:
      return;
    case what::other_address:
    case what::other_address_and_port:
      return take_mapping(now, asked, mapped);
    case what::second_socket: {
      const base::endpoint other = *findings_.other;
      ask(now, what::from_other_address_and_port, settings_.filtering_socket, settings_.server,
          other, change_address | change_port);
      return ask(now, what::from_other_port, settings_.filtering_socket, settings_.server,
                 {settings_.server.address, other.port}, change_port);
    }
    case what::from_other_address_and_port:
    case what::from_other_port:
      return take_filtering(asked);
  }
}

void nat_discovery::take_first(base::time_point now, const question& asked,
                               const message_view& answer) {
  if (asked.sent_once) findings_.round_trip_time = now - asked.sent_at;
  if (const auto error = answer.error()) {
    findings_.refused_with = error->code;
    return;
  }
  findings_.mapped = answer.mapped_address();
  const auto other = other_address_of(answer);
  if (!other || !can_ask(*other)) return;
  findings_.other = other;
  if (!settings_.whole) return;
  const base::endpoint same_port(other->address, settings_.server.port);
  ask(now, what::other_address, settings_.mapping_socket, same_port, same_port);
  ask(now, what::second_socket, settings_.filtering_socket, settings_.server, settings_.server);
}

/// The server chooses where we send to, so it is at least to be an address of its own kind; and
/// without another address and another port the tests mean nothing (RFC 5780 6).
bool nat_discovery::can_ask(const base::endpoint& other) const {
  const base::ip_address& own = settings_.server.address;
  const base::ip_address& theirs = other.address;
  return theirs.is_v4() == own.is_v4() && theirs != own && other.port != settings_.server.port &&
         other.port != 0 && !theirs.is_unspecified() && !theirs.is_multicast() &&
         theirs.is_loopback() == own.is_loopback() && theirs.is_private() == own.is_private() &&
         theirs.is_link_local() == own.is_link_local();
}

void nat_discovery::take_mapping(base::time_point now, const question& asked,
                                 const base::endpoint& mapped) {
  if (asked.kind == what::other_address_and_port) {
    findings_.mapping = mapped == second_mapping_ ? nat_behaviour::address_dependent
                                                  : nat_behaviour::address_and_port_dependent;
  } else if (mapped == findings_.mapped) {
    findings_.mapping = nat_behaviour::endpoint_independent;
  } else {
    second_mapping_ = mapped;
    ask(now, what::other_address_and_port, settings_.mapping_socket, *findings_.other,
        *findings_.other);
  }
}

void nat_discovery::take_filtering(const question& asked) {
  if (asked.kind == what::from_other_address_and_port) {
    findings_.filtering = nat_behaviour::endpoint_independent;
    std::erase_if(questions_, [](const question& q) { return q.change != 0; });
  } else {
    // Unless the answer from the other address, which is still awaited, gets in as well.
    findings_.filtering = nat_behaviour::address_dependent;
  }
}

void nat_discovery::give_up(const question& asked) {
  // Both questions were asked at the same time; that of the port is the one that decides.
  if (asked.kind == what::from_other_port) {
    findings_.filtering = nat_behaviour::address_and_port_dependent;
  }
}

void nat_discovery::handle_send_error(const base::route& route) {
  // Later on, what is not answered says enough.
  if (questions_.empty() || questions_[0].kind != what::first || questions_[0].to != route) return;
  findings_.unreachable = true;
  questions_.clear();
}

void nat_discovery::handle_timeout(base::time_point now) {
  std::vector<question> left;
  for (auto& asked : std::exchange(questions_, {})) {
    switch (asked.clock.handle_timeout(now)) {
      case retransmission::action::send:
        asked.sent_once = false;
        send(asked);
        break;
      case retransmission::action::give_up:
        give_up(asked);
        continue;
      case retransmission::action::none:
        break;
    }
    left.push_back(asked);
  }
  questions_ = std::move(left);
}

base::time_point nat_discovery::next_deadline() const {
  base::time_point next = base::never;
  for (const auto& asked : questions_) next = std::min(next, asked.clock.deadline());
  return next;
}

void nat_discovery::poll_transmit(base::packet_batch& out) {
  for (const auto& packet : outbox_.entries()) {
    out.set_route(packet.to, packet.kind);
    out.append(outbox_.view(packet));
  }
  outbox_.release();
}

}  // namespace asiortc::stun

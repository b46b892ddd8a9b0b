// Datagrams, time and events.
#include "peer/connection_states.hpp"
#include "peer/peer_impl.hpp"

#include <type_traits>
#include <utility>

namespace asiortc::peer {
namespace {

/// Blocks that a call needs only while it runs. They belong to the thread and not to the peer, so
/// that a thousand idle peers do not each keep a batch.
struct scratch {
  base::packet_batch plain;    ///< what DTLS opened
  base::packet_batch packets;  ///< what SCTP wants sent
};

scratch& thread_scratch() {
  static thread_local scratch blocks;
  return blocks;
}

}  // namespace

void peer::impl::push(event value) {
  // What the channels have to say happened before.
  collect_channel_events();
  events_.push_back(std::move(value));
}

void peer::impl::collect_channel_events() {
  while (auto waiting = data_.channels().poll_event()) {
    data_.note(*waiting);
    events_.emplace_back(std::move(*waiting));
  }
}

std::optional<event> peer::impl::poll_event() {
  if (!events_.empty()) {
    event first = std::move(events_.front());
    events_.pop_front();
    return first;
  }
  auto waiting = data_.channels().poll_event();
  if (!waiting) return std::nullopt;
  data_.note(*waiting);
  return event{std::move(*waiting)};
}

void peer::impl::handle_datagrams(base::time_point now, std::span<const base::datagram> datagrams) {
  if (closed()) {
    std::optional<base::datagram> inner;
    for (const auto& datagram : datagrams) leaving_->handle_datagram(now, datagram, inner);
    return;
  }
  base::packet_batch& plain = thread_scratch().plain;
  plain.clear();
  transport_->begin_batch();
  for (const auto& datagram : datagrams) transport_->handle_datagram(now, datagram, plain);
  settle(now, plain);
}

base::result<datachannel::channel_key> peer::impl::create_channel(base::time_point now,
                                                                  std::string label,
                                                                  data_channel_init init) {
  if (closed() || shutting_down_) return closed_failure();
  auto key = data_.channels().create(now, std::move(label), std::move(init));
  if (!key) return key;
  data_.track(*key);
  data_wanted_ = true;
  update_negotiation_needed();
  settle(now);
  return key;
}

void peer::impl::settle(base::time_point now) {
  base::packet_batch& plain = thread_scratch().plain;
  plain.clear();
  settle(now, plain);
}

void peer::impl::settle(base::time_point now, base::packet_batch& plain) {
  if (closed()) return;
  transport_->feed_early(now, plain);
  while (auto happened = transport_->poll_event(now)) handle_transport_event(now, *happened);
  data_.handle_packets(now, plain);
  data_.update(now);
  announce_sctp();
  emit_lookups();
  if (pending_end_) {
    // Only now, so that what came in the same batch before the farewell is delivered.
    const base::failure reason = *pending_end_;
    close(now, reason);
    return;
  }
  continue_shutdown(now);
}

void peer::impl::announce_sctp() {
  const auto state = data_.state();
  if (std::exchange(sctp_state_, state) != state) push(sctp_state_event{state});
}

void peer::impl::handle_transport_event(base::time_point now, transport_event& happened) {
  std::visit(
      [this, now](auto& value) {
        using type = std::decay_t<decltype(value)>;
        if constexpr (std::is_same_v<type, ice::local_candidate_gathered>) {
          note_local_candidate(value.value);
        } else if constexpr (std::is_same_v<type, ice::gathering_complete>) {
          generation().complete = true;
          finish_gathering();
        } else if constexpr (std::is_same_v<type, ice::gathering_resumed>) {
          generation().complete = false;
          if (gathering_state_ == ice_gathering_state::complete) {
            set_gathering_state(ice_gathering_state::gathering);
          }
        } else if constexpr (std::is_same_v<type, ice::state_changed>) {
          handle_ice_state(now, value);
        } else if constexpr (std::is_same_v<type, ice::selected_pair_changed>) {
          selected_.emplace();
          selected_->local = describe(value.local);
          selected_->remote = describe_remote(value.remote);
          refresh_round_trip();
          push(selected_pair_event{*selected_});
        } else if constexpr (std::is_same_v<type, ice::server_failed>) {
          const std::string address = value.asked.remote.to_string();
          tell_candidate_error(value.url.empty() ? address : value.url, value.asked.local,
                               value.code, "STUN server " + address + ": " + value.why);
        } else if constexpr (std::is_same_v<type, server_refused>) {
          tell_candidate_error(value.name, value.asked_from, value.code, value.why.detail);
        } else if constexpr (std::is_same_v<type, ice::selected_path_lost>) {
          handle_lost_path();
        } else {
          handle_dtls_state(now, value);
        }
      },
      happened);
}

void peer::impl::handle_lost_path() {
  // The controlling side nominates another pair. The controlled side cannot, and without a valid
  // pair neither can: then new candidates must be told.
  const auto& agent = transport_->agent();
  if (agent.current_role() == ice::role::controlled || !agent.data_route()) restart_ice();
}

/// That there is no socket at all is why no pair works. A relay that did not come about, or was
/// lost, may be; without a socket that follows, so it comes last.
base::failure peer::impl::explain(base::time_point now, const ice::state_changed& change) const {
  base::failure told = change.reason;
  if (change.now != ice::agent_state::failed) return told;
  if (!socket_failure_.empty() && !transport_->has_udp_socket()) {
    told.detail += "; " + socket_failure_;
  }
  const auto& relays = transport_->turn_relays();
  const auto trouble = relays.trouble(now);
  if (!trouble) return told;
  if (settings_.ice.relay_only && !relays.any_works(now)) told.code = trouble->code;
  told.detail += "; " + trouble->detail;
  return told;
}

void peer::impl::handle_ice_state(base::time_point now, const ice::state_changed& change) {
  agent_state_ = change.now;
  const base::failure reason = explain(now, change);
  const auto state = to_public(change.now);
  if (std::exchange(ice_state_, state) != state) {
    push(ice_connection_state_event{state, reason});
  }
  update_connection_state(reason);
  // Without consent the other side has ended its channels as well; a failure before there was
  // anything to consent to leaves them waiting for an ICE restart.
  if (change.now == ice::agent_state::failed &&
      change.reason.code == make_error_code(errc::consent_expired)) {
    data_.end(now, change.reason);
    data_.release();
  }
}

void peer::impl::handle_dtls_state(base::time_point now, const dtls::state_changed& change) {
  dtls_state_ = change.now;
  switch (change.now) {
    case dtls::state::connected:
      data_.connect(now);
      break;
    case dtls::state::closed:
      pending_end_ = change.reason;
      return;
    case dtls::state::failed:
      data_.end(now, change.reason);
      data_.release();
      break;
    case dtls::state::new_:
    case dtls::state::connecting:
      break;
  }
  update_connection_state(change.reason);
}

void peer::impl::update_connection_state(const base::failure& reason) {
  const auto next = aggregate(agent_state_, dtls_state_);
  if (next == connection_state_) return;
  log_(log_level::info, [&] {
    return "connection " + std::string(to_string(connection_state_)) + " -> " +
           std::string(to_string(next)) + (reason.code ? ": " + reason.code.message() : "") +
           (reason.detail.empty() ? "" : ": " + reason.detail);
  });
  connection_state_ = next;
  push(connection_state_event{next, reason});
}

bool peer::impl::transmit(base::time_point now, base::packet_batch& out, std::size_t max_packets) {
  if (!farewell_.empty()) {
    for (const auto& packet : farewell_.entries()) {
      out.set_route(packet.to, packet.kind);
      out.append(farewell_.view(packet));
    }
    farewell_.release();
  }
  if (closed()) {
    leaving_->poll_transmit(out);
    return false;
  }
  const std::size_t before = out.size();
  transport_->poll_transmit(now, out);
  const std::size_t used = out.size() - before;
  const bool more = seal_waiting(now, out, used < max_packets ? max_packets - used : 0);
  // Sending can make room for what waits in the channels.
  data_.update(now);
  return more;
}

bool peer::impl::seal_waiting(base::time_point now, base::packet_batch& out, std::size_t budget) {
  if (transport_->dtls_state() != dtls::state::connected) return false;
  base::packet_batch& packets = thread_scratch().packets;
  packets.clear();
  if (!transport_->set_data_route(out)) {
    // As if they were lost on the way: SCTP sends them again when there is a way.
    data_.poll_packets(packets);
    backlog_.release();
    return false;
  }
  if (backlog_.empty()) {
    data_.poll_packets(packets);
    backlog_next_ = 0;
  } else {
    std::swap(packets, backlog_);
  }
  const auto& entries = packets.entries();
  if (backlog_next_ < entries.size()) transport_->agent().note_data_sent(now);
  for (; backlog_next_ < entries.size() && budget > 0; ++backlog_next_, --budget) {
    transport_->seal(now, packets.view(entries[backlog_next_]), out);
  }
  if (backlog_next_ == entries.size()) return false;
  std::swap(packets, backlog_);
  return true;
}

}  // namespace asiortc::peer

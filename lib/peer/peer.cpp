#include "peer/peer.hpp"

#include "peer/peer_impl.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

namespace asiortc::peer {
namespace {

transport_settings transport_settings_of(const settings& settings, const base::logger& log) {
  transport_settings transport;
  transport.identity = settings.identity;
  transport.ice = settings.ice;
  transport.turn = settings.turn;
  transport.dtls_handshake_timeout = settings.dtls_handshake_timeout;
  transport.log = log;
  return transport;
}

std::optional<session_description> text_of(const std::optional<negotiation::remote>& remote) {
  if (!remote) return std::nullopt;
  return session_description(remote->type, remote->session.description.to_string());
}

}  // namespace

peer::impl::impl(struct settings settings, struct environment environment)
    : settings_(std::move(settings)),
      environment_(std::move(environment)),
      log_(environment_.log.named("peer")),
      // RFC 9429 5.2.1: a number that fits into a signed 64-bit integer, with its top bits zero.
      session_id_(environment_.random->u64() >> 2),
      session_version_(1),
      jsep_(log_),
      transport_(std::make_unique<transport>(transport_settings_of(settings_, log_),
                                             *environment_.random)),
      data_(settings_.channels, *environment_.sctp, environment_.wake, log_),
      pooling_(settings_.pool_candidates) {
  if (pooling_) want_gathering();
}

peer::peer(settings settings, environment environment) {
  assert(settings.identity && environment.random != nullptr && environment.sctp != nullptr);
  impl_ = std::make_unique<impl>(std::move(settings), std::move(environment));
}

peer::~peer() = default;

base::result<session_description> peer::create_offer(base::time_point now, offer_options options) {
  return impl_->create_offer(now, options.ice_restart);
}

base::result<session_description> peer::create_answer(base::time_point now) {
  return impl_->create_answer(now);
}

base::result<void> peer::set_local_description(base::time_point now,
                                               std::optional<session_description> description) {
  return impl_->set_local(now, std::move(description));
}

base::result<void> peer::set_remote_description(base::time_point now,
                                                const session_description& description) {
  return impl_->set_remote(now, description);
}

base::result<void> peer::add_ice_candidate(base::time_point now, const ice_candidate& candidate) {
  return impl_->add_candidate(now, candidate);
}

void peer::restart_ice(base::time_point) { impl_->restart_ice(); }

void peer::set_gathering_options(base::time_point now, gathering_options options) {
  if (impl_->closed()) return;
  impl_->set_gathering_options(now, std::move(options));
  impl_->settle(now);
}

std::optional<session_description> peer::current_local_description() const {
  return impl_->text_of(impl_->jsep_.current_local());
}

std::optional<session_description> peer::pending_local_description() const {
  return impl_->text_of(impl_->jsep_.pending_local());
}

std::optional<session_description> peer::current_remote_description() const {
  return text_of(impl_->jsep_.current_remote());
}

std::optional<session_description> peer::pending_remote_description() const {
  return text_of(impl_->jsep_.pending_remote());
}

std::optional<bool> peer::can_trickle_ice_candidates() const {
  const remote_session* remote = std::as_const(impl_->jsep_).effective_remote();
  if (remote == nullptr) return std::nullopt;
  return remote->trickle;
}

connection_state peer::current_connection_state() const { return impl_->connection_state_; }

ice_connection_state peer::current_ice_connection_state() const { return impl_->ice_state_; }

ice_gathering_state peer::current_ice_gathering_state() const { return impl_->gathering_state_; }

signaling_state peer::current_signaling_state() const { return impl_->jsep_.state(); }

std::optional<candidate_pair> peer::selected_candidate_pair() const {
  impl_->refresh_round_trip();
  return impl_->selected_;
}

std::vector<candidate_pair_info> peer::candidate_pairs(base::time_point now) const {
  return impl_->closed() ? impl_->last_pairs_ : impl_->describe_pairs(now);
}

stats_report peer::stats(base::time_point now) const {
  return impl_->closed() ? impl_->last_stats_ : impl_->make_stats(now);
}

std::optional<data_channel_stats> peer::channel_stats(base::time_point now,
                                                      datachannel::channel_key key) const {
  return impl_->make_channel_stats(now, key);
}

std::optional<sctp_info> peer::sctp() const {
  const auto& negotiated = impl_->data_.negotiated();
  if (!negotiated) return std::nullopt;
  sctp_info info;
  // RFC 8841 6.1: "A value of zero indicates that the endpoint can handle messages of any size."
  info.max_message_size =
      negotiated->max_message_size == 0 ? UINT64_MAX : negotiated->max_message_size;
  info.state = impl_->data_.state();
  if (info.state == sctp_transport_state::connected) {
    info.max_channels = static_cast<std::uint16_t>(
        std::min<std::size_t>(impl_->data_.channels().max_channels(), UINT16_MAX));
  }
  return info;
}

std::optional<crypto::fingerprint> peer::remote_fingerprint() const {
  if (impl_->closed()) return std::nullopt;
  return impl_->transport_->remote_fingerprint();
}

base::result<datachannel::channel_key> peer::create_data_channel(base::time_point now,
                                                                 std::string label,
                                                                 data_channel_init init) {
  return impl_->create_channel(now, std::move(label), std::move(init));
}

datachannel::table& peer::channels() { return impl_->data_.channels(); }

void peer::add_local_socket(base::time_point now, const ice::local_socket& socket) {
  if (impl_->closed()) return;
  impl_->transport_->add_local_socket(now, socket);
  impl_->settle(now);
}

void peer::note_socket_failure(const std::string& why) {
  if (impl_->socket_failure_.empty()) impl_->socket_failure_ = why;
}

void peer::add_stun_server(base::time_point now, const base::endpoint& server,
                           const std::string& url, std::vector<base::endpoint> further) {
  if (impl_->closed()) return;
  impl_->transport_->agent().add_stun_server(now, {server, url, std::move(further)});
  impl_->settle(now);
}

void peer::add_turn_server(base::time_point now, const turn_server& server) {
  if (impl_->closed()) return;
  impl_->transport_->add_turn_server(now, server);
  impl_->settle(now);
}

void peer::add_turn_carrier(base::time_point now, const turn_carrier& carrier,
                            const turn_server& server) {
  if (impl_->closed()) return;
  impl_->transport_->add_turn_carrier(now, carrier, server);
  impl_->settle(now);
}

relay_state peer::relay_over(base::time_point now, base::socket_id carrier) const {
  if (impl_->closed()) return relay_state::none;
  return impl_->transport_->turn_relays().state_over(now, carrier);
}

void peer::stun_server_failed(base::time_point now, const std::string& url,
                              const std::string& why) {
  if (impl_->closed()) return;
  impl_->tell_candidate_error(url, base::socket_id::none, 0, why);
  impl_->settle(now);
}

void peer::turn_server_failed(base::time_point now, const std::string& url,
                              const std::string& why) {
  if (impl_->closed()) return;
  impl_->transport_->note_turn_failure(url, why);
  impl_->settle(now);
}

void peer::remove_socket(base::time_point now, base::socket_id socket, const base::failure& why) {
  if (impl_->closed()) return;
  impl_->transport_->remove_socket(now, socket, why);
  impl_->settle(now);
}

void peer::finish_gathering(base::time_point now, std::uint32_t generation) {
  if (impl_->closed() || generation != impl_->gathering_generation_) return;
  impl_->transport_->agent().finish_gathering(now);
  impl_->settle(now);
}

void peer::name_resolved(base::time_point now, std::uint64_t token,
                         std::span<const base::ip_address> addresses) {
  if (impl_->closed()) return;
  impl_->transport_->candidates().resolved(now, impl_->transport_->agent(), token, addresses);
  impl_->settle(now);
}

void peer::handle_datagrams(base::time_point now, std::span<const base::datagram> datagrams) {
  impl_->handle_datagrams(now, datagrams);
}

void peer::handle_send_error(base::time_point now, const base::route& route) {
  if (impl_->closed()) return;
  impl_->transport_->handle_send_error(now, route);
  impl_->settle(now);
}

void peer::handle_connection_lost(base::time_point now, const base::route& route) {
  if (impl_->closed()) return;
  impl_->transport_->agent().handle_connection_lost(now, route);
  impl_->settle(now);
}

bool peer::uses_connection(const base::route& route) const {
  return !impl_->closed() && impl_->transport_->agent().uses_connection(route);
}

void peer::handle_timeout(base::time_point now) {
  if (impl_->closed()) return impl_->leaving_->handle_timeout(now);
  impl_->transport_->handle_timeout(now);
  impl_->settle(now);
}

base::time_point peer::next_deadline() const {
  if (impl_->closed()) return impl_->leaving_->next_deadline();
  return std::min(impl_->transport_->next_deadline(), impl_->shutdown_deadline_);
}

bool peer::is_leaving() const { return impl_->closed() && !impl_->leaving_->empty(); }

void peer::handle_wake(base::time_point now) { impl_->settle(now); }

bool peer::poll_transmit(base::time_point now, base::packet_batch& out, std::size_t max_packets) {
  return impl_->transmit(now, out, max_packets);
}

std::optional<event> peer::poll_event() { return impl_->poll_event(); }

void peer::shutdown(base::time_point now, base::time_point deadline) {
  impl_->shutdown(now, deadline);
}

void peer::close(base::time_point now, base::failure reason) { impl_->close(now, reason); }

}  // namespace asiortc::peer

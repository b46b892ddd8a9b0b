#include "api/peer_state.hpp"

#include <asiortc/peer_connection.hpp>

#include <utility>

namespace asiortc::inline ASIORTC_ABI {

using boost::system::error_code;

peer_connection::peer_connection(boost::asio::any_io_executor executor,
                                 asiortc::configuration config)
    : state_(detail::peer_state::create(std::move(executor), std::move(config))) {}

peer_connection::peer_connection(peer_connection&&) noexcept = default;

peer_connection& peer_connection::operator=(peer_connection&& other) noexcept {
  if (this != &other) {
    close();
    state_ = std::move(other.state_);
  }
  return *this;
}

peer_connection::~peer_connection() { close(); }

void peer_connection::close() {
  if (state_) state_->close(errc::closed);
}

void peer_connection::restart_ice() {
  state_->post([](peer::peer& core, base::time_point now) { core.restart_ice(now); });
}

data_channel peer_connection::create_data_channel(std::string label, data_channel_init init) {
  return data_channel(state_->create_channel(std::move(label), std::move(init)));
}

bool peer_connection::uses_channel_id(std::uint16_t wanted) const {
  return state_->uses_channel_id(wanted);
}

void peer_connection::create_offer_operation::operator()(detail::description_completion handler,
                                                         state_ptr state,
                                                         offer_options options) const {
  state->start(std::move(handler), [options](peer::peer& core, base::time_point now) {
    peer::offer_options wanted;
    wanted.ice_restart = options.ice_restart;
    return core.create_offer(now, wanted);
  });
}

void peer_connection::create_answer_operation::operator()(detail::description_completion handler,
                                                          state_ptr state) const {
  state->start(std::move(handler),
               [](peer::peer& core, base::time_point now) { return core.create_answer(now); });
}

void peer_connection::set_local_operation::operator()(
    void_completion handler, state_ptr state, std::optional<session_description> given) const {
  state->start(std::move(handler),
               [given = std::move(given)](peer::peer& core, base::time_point now) {
                 return core.set_local_description(now, given);
               });
}

void peer_connection::set_remote_operation::operator()(void_completion handler, state_ptr state,
                                                       session_description given) const {
  state->start(std::move(handler),
               [given = std::move(given)](peer::peer& core, base::time_point now) {
                 return core.set_remote_description(now, given);
               });
}

void peer_connection::add_candidate_operation::operator()(void_completion handler, state_ptr state,
                                                          ice_candidate candidate) const {
  state->start(std::move(handler),
               [candidate = std::move(candidate)](peer::peer& core, base::time_point now) {
                 return core.add_ice_candidate(now, candidate);
               });
}

void peer_connection::candidate_pairs_operation::operator()(detail::pairs_completion handler,
                                                            state_ptr state) const {
  state->start(std::move(handler));
}

void peer_connection::get_stats_operation::operator()(
    detail::stats_completion handler, state_ptr state,
    std::shared_ptr<detail::channel_state> selector) const {
  state->start(std::move(handler), std::move(selector));
}

void peer_connection::close_operation::operator()(void_completion handler, state_ptr state) const {
  state->start_close(std::move(handler));
}

event_stream<ice_candidate> peer_connection::ice_candidates() const {
  return event_stream(state_->streams.ice_candidates);
}

event_stream<ice_candidate_error> peer_connection::ice_candidate_errors() const {
  return event_stream(state_->streams.candidate_errors);
}

event_stream<data_channel> peer_connection::data_channels() const {
  return event_stream(state_->streams.data_channels);
}

event_stream<detail::connection_change> peer_connection::connection_states() const {
  return event_stream(state_->streams.connection_states);
}

event_stream<detail::ice_connection_change> peer_connection::ice_connection_states() const {
  return event_stream(state_->streams.ice_connection_states);
}

event_stream<detail::ice_gathering_change> peer_connection::ice_gathering_states() const {
  return event_stream(state_->streams.ice_gathering_states);
}

event_stream<detail::signaling_change> peer_connection::signaling_states() const {
  return event_stream(state_->streams.signaling_states);
}

event_stream<candidate_pair> peer_connection::selected_candidate_pairs() const {
  return event_stream(state_->streams.selected_pairs);
}

event_stream<negotiation_needed_event> peer_connection::negotiation_needed() const {
  return event_stream(state_->streams.negotiation_needed);
}

connection_state peer_connection::connection_state() const { return state_->snapshot().connection; }

ice_connection_state peer_connection::ice_connection_state() const {
  return state_->snapshot().ice_connection;
}

ice_gathering_state peer_connection::ice_gathering_state() const {
  return state_->snapshot().ice_gathering;
}

signaling_state peer_connection::signaling_state() const { return state_->snapshot().signaling; }

std::optional<session_description> peer_connection::current_local_description() const {
  return state_->snapshot().current_local;
}

std::optional<session_description> peer_connection::pending_local_description() const {
  return state_->snapshot().pending_local;
}

std::optional<session_description> peer_connection::current_remote_description() const {
  return state_->snapshot().current_remote;
}

std::optional<session_description> peer_connection::pending_remote_description() const {
  return state_->snapshot().pending_remote;
}

std::optional<session_description> peer_connection::local_description() const {
  auto shown = state_->snapshot();
  return shown.pending_local ? std::move(shown.pending_local) : std::move(shown.current_local);
}

std::optional<session_description> peer_connection::remote_description() const {
  auto shown = state_->snapshot();
  return shown.pending_remote ? std::move(shown.pending_remote) : std::move(shown.current_remote);
}

std::optional<bool> peer_connection::can_trickle_ice_candidates() const {
  return state_->snapshot().can_trickle;
}

std::optional<candidate_pair> peer_connection::selected_candidate_pair() const {
  return state_->snapshot().selected;
}

std::optional<sctp_transport_info> peer_connection::sctp() const { return state_->snapshot().sctp; }

std::optional<certificate_fingerprint> peer_connection::remote_certificate() const {
  return state_->snapshot().remote_certificate;
}

error_code peer_connection::end_reason() const { return state_->snapshot().end_reason; }

std::string peer_connection::last_error_detail() const {
  return state_->snapshot().last_error_detail;
}

asiortc::configuration peer_connection::configuration() const {
  return state_->configuration_now();
}

void peer_connection::set_configuration(asiortc::configuration config) {
  state_->set_configuration(std::move(config));
}

const std::string& peer_connection::id() const { return state_->id; }

boost::asio::any_io_executor peer_connection::get_executor() const { return state_->executor; }

}  // namespace asiortc::inline ASIORTC_ABI

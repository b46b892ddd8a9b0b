#include "api/negotiation_state.hpp"

#include <string>
#include <utility>

namespace asiortc::inline ASIORTC_ABI::detail {
namespace {

/// Candidates that overtake their description; more than a browser gathers for one generation.
constexpr std::size_t max_early_candidates = 64;

bool is_polite(const signaling_pipe& pipe, negotiation_role role) {
  if (role == negotiation_role::by_arrival) return pipe.polite().value_or(true);
  return role == negotiation_role::polite;
}

}  // namespace

negotiation_state::negotiation_state(std::shared_ptr<peer_state> peer,
                                     std::shared_ptr<signaling_pipe> pipe, negotiation_role role)
    : peer_(std::move(peer)), pipe_(std::move(pipe)), polite_(is_polite(*pipe_, role)) {}

void negotiation_state::start() {
  peer_->on_strand([self = shared_from_this()] {
    if (self->peer_->ended()) return self->finish(self->peer_->snapshot().end_reason);
    // The certificate is known once the peers were connected, be it by an earlier negotiation.
    self->connected_once_ = self->peer_->snapshot().remote_certificate.has_value();
    self->take_up();
    if (self->finished_) return;
    if (self->peer_->ended()) return self->finish(self->peer_->snapshot().end_reason);
    self->peer_->set_negotiation(self);
    self->receive();
  });
}

/// An exchange that was begun before: its description may have been lost with an earlier pipe.
void negotiation_state::take_up() {
  switch (peer_->core().current_signaling_state()) {
    case signaling_state::have_local_offer:
    case signaling_state::have_remote_pranswer:
      send_local_description();
      break;
    case signaling_state::have_remote_offer:
    case signaling_state::have_local_pranswer:
      answer();
      break;
    case signaling_state::stable:
    case signaling_state::closed:
      return;
  }
  peer_->pump();
  peer_->publish_descriptions();
}

void negotiation_state::start_wait(void_completion handler) {
  if (peer_->context_gone()) return;
  auto waiting = void_operation::start(peer_->executor, std::move(handler));
  const std::lock_guard lock(mutex_);
  if (result_) return waiting->complete(*result_);
  waiters_.push_back(std::move(waiting));
}

void negotiation_state::stop() {
  peer_->on_strand([self = shared_from_this()] { self->finish({}); });
  release();
}

/// Another may begin: its start comes to the strand behind our end, which is posted before this.
void negotiation_state::release() {
  if (!released_.exchange(true)) peer_->end_negotiation();
}

void negotiation_state::receive() {
  pipe_->async_receive(boost::asio::bind_executor(
      peer_->strand(), [self = shared_from_this()](boost::system::error_code code,
                                                   std::optional<peer_signal> signal) {
        self->on_signal(code, std::move(signal));
      }));
}

void negotiation_state::on_signal(boost::system::error_code code,
                                  std::optional<peer_signal> signal) {
  if (finished_) return;
  if (!signal) return pipe_ended(code);
  std::visit([this](const auto& each) { on_remote(each); }, *signal);
  peer_->pump();
  peer_->publish_descriptions();
  if (!finished_) receive();
}

void negotiation_state::on_remote(const session_description& description) {
  const bool collision = description.type == sdp_type::offer &&
                         peer_->core().current_signaling_state() != signaling_state::stable;
  ignoring_offer_ = collision && !polite_;
  if (ignoring_offer_) return;
  const auto applied = peer_->core().set_remote_description(peer_->now(), description);
  if (applied.has_error()) return refuse(applied.error());
  if (description.type == sdp_type::offer && !answer()) return;
  for (const auto& candidate : std::exchange(early_candidates_, {})) add_candidate(candidate);
}

bool negotiation_state::answer() {
  const auto answered = peer_->core().set_local_description(peer_->now(), std::nullopt);
  if (answered.has_error()) {
    refuse(answered.error());
    return false;
  }
  send_local_description();
  return true;
}

// A description that came out of turn is no reason to give up, nor is any while the peers are
// connected; before that nothing would come of waiting, so whoever waits must be told.
void negotiation_state::refuse(const base::failure& why) {
  log("the remote description was refused", why);
  if (connected_once_ || why.code == errc::invalid_state) return;
  finish(why.code);
  peer_->close({why.code, "the remote description was refused: " + why.detail});
}

void negotiation_state::on_remote(const ice_candidate& candidate) {
  const bool described = peer_->core().current_remote_description().has_value() ||
                         peer_->core().pending_remote_description().has_value();
  if (described) return add_candidate(candidate);
  if (early_candidates_.size() < max_early_candidates) early_candidates_.push_back(candidate);
}

void negotiation_state::add_candidate(const ice_candidate& candidate) {
  const auto added = peer_->core().add_ice_candidate(peer_->now(), candidate);
  // Candidates of an offer that was ignored belong to nothing here (webrtc-pc 10.7).
  if (added.has_error() && !ignoring_offer_) log("a candidate was refused", added.error());
}

void negotiation_state::on_local_candidate(const ice_candidate& candidate) {
  pipe_->send(peer_signal(candidate));
}

void negotiation_state::on_negotiation_needed() {
  // Not from inside the core's own report: it is still telling.
  peer_->on_strand([self = shared_from_this()] {
    if (self->peer_->ended()) return;
    // Stopped meanwhile: it is the business of the next one, or of the user.
    if (self->finished_) return self->peer_->tell_negotiation_needed();
    self->offer();
    self->peer_->pump();
    self->peer_->publish_descriptions();
  });
}

void negotiation_state::offer() {
  if (peer_->core().current_signaling_state() != signaling_state::stable) return;
  const auto offered = peer_->core().set_local_description(peer_->now(), std::nullopt);
  if (offered.has_error()) return log("no offer could be made", offered.error());
  send_local_description();
}

void negotiation_state::send_local_description() {
  auto description = peer_->core().pending_local_description();
  if (!description) description = peer_->core().current_local_description();
  if (description) pipe_->send(peer_signal(std::move(*description)));
}

void negotiation_state::on_connection_state(asiortc::connection_state state) {
  if (state == asiortc::connection_state::connected) connected_once_ = true;
}

void negotiation_state::on_peer_end(boost::system::error_code reason) {
  finish(reason == errc::closed ? boost::system::error_code() : reason);
}

void negotiation_state::pipe_ended(boost::system::error_code code) {
  if (connected_once_) return finish(code);
  // The peers cannot find each other any more, so whoever waits for the connection must be told.
  finish(errc::signaling_lost);
  peer_->close(errc::signaling_lost);
}

void negotiation_state::finish(boost::system::error_code code) {
  if (std::exchange(finished_, true)) return;
  pipe_->close();
  peer_->clear_negotiation();
  release();
  const std::lock_guard lock(mutex_);
  result_ = code;
  for (const auto& waiting : std::exchange(waiters_, {})) waiting->complete(code);
}

void negotiation_state::log(const char* what, const base::failure& why) {
  peer_->note_refusal(why);
  if (!peer_->config.log || peer_->config.log_threshold > log_level::warning) return;
  const std::string detail = why.detail.empty() ? why.code.message() : why.detail;
  peer_->config.log(log_level::warning, "negotiate", std::string(what) + ": " + detail);
}

}  // namespace asiortc::inline ASIORTC_ABI::detail

namespace asiortc::inline ASIORTC_ABI {

negotiation::negotiation(std::shared_ptr<detail::negotiation_state> state) noexcept
    : state_(std::move(state)) {}

negotiation::negotiation(negotiation&&) noexcept = default;

negotiation& negotiation::operator=(negotiation&& other) noexcept {
  if (this != &other) {
    stop();
    state_ = std::move(other.state_);
  }
  return *this;
}

negotiation::~negotiation() { stop(); }

void negotiation::stop() {
  if (state_) state_->stop();
}

void negotiation::wait_operation::operator()(detail::void_completion handler,
                                             state_ptr state) const {
  state->start_wait(std::move(handler));
}

negotiation negotiate(peer_connection& connection, std::shared_ptr<signaling_pipe> pipe,
                      negotiation_role role) {
  const auto& peer = connection.state_;
  if (connection.signaling_state() == signaling_state::closed) {
    throw error(errc::invalid_state, "negotiate: the connection is closed");
  }
  if (!peer->try_begin_negotiation()) {
    throw error(errc::in_use, "negotiate: a negotiation of this connection runs already");
  }
  auto state = std::make_shared<detail::negotiation_state>(peer, std::move(pipe), role);
  state->start();
  return negotiation(std::move(state));
}

}  // namespace asiortc::inline ASIORTC_ABI

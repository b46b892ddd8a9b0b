// The ways to end: drained, at once, or because the other side did.
#include "peer/peer_impl.hpp"

#include <utility>

namespace asiortc::peer {

void peer::impl::shutdown(base::time_point now, base::time_point deadline) {
  if (closed() || std::exchange(shutting_down_, true)) return;
  shutdown_deadline_ = deadline;
  settle(now);
}

void peer::impl::continue_shutdown(base::time_point now) {
  if (!shutting_down_) return;
  collect_channel_events();
  data_.close_channels(now);
  data_.update(now);
  collect_channel_events();
  const bool hopeless = data_.ended() || connection_state_ == connection_state::failed;
  if (hopeless || data_.drained() || now >= shutdown_deadline_) close(now, errc::closed);
}

void peer::impl::close(base::time_point now, const base::failure& reason) {
  if (closed()) return;
  log_(log_level::info, [&] { return "closing: " + reason.code.message(); });
  data_.end(now, reason);
  announce_sctp();
  if (transport_->dtls_state() == dtls::state::connected) {
    // With what else SCTP has ready, which its window bounds.
    seal_waiting(now, farewell_, SIZE_MAX);
  }
  last_pairs_ = describe_pairs(now);
  transport_->close(now, farewell_);
  leaving_.emplace(transport_->take_relays());
  ice_state_ = ice_connection_state::closed;
  last_stats_ = make_stats(now);
  data_.release();
  transport_.reset();
  backlog_.release();
  pending_end_.reset();
  jsep_.close();
  announce_signaling();
  push(ice_connection_state_event{ice_state_, reason});
  connection_state_ = connection_state::closed;
  push(connection_state_event{connection_state_, reason});
}

}  // namespace asiortc::peer

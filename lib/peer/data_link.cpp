#include "peer/data_link.hpp"

#include "datachannel/dcep.hpp"

#include <algorithm>
#include <utility>

namespace asiortc::peer {

data_link::data_link(datachannel::settings settings, sctp::engine& engine, sctp::wake_function wake,
                     base::logger log)
    : receive_limit_(settings.max_message_size),
      channels_(std::move(settings)),
      engine_(engine),
      wake_(std::move(wake)),
      log_(std::move(log)) {}

void data_link::negotiate(const sctp_parameters& remote, bool dtls_client) {
  remote_ = remote;
  channels_.set_dtls_client(dtls_client);
  channels_.set_remote_max_message_size(remote.max_message_size);
}

void data_link::connect(base::time_point now) {
  if (association_ || ended_ || !remote_) return;
  sctp::settings settings;
  settings.local_port = default_sctp_port;
  settings.remote_port = remote_->port;
  // An OPEN may be larger than what is told in `a=max-message-size`, which is about user data; that
  // is held to it by the table.
  settings.max_receive_message_size = std::max(receive_limit_, datachannel::dcep::max_open_size);
  settings.log = log_.named("sctp");
  association_ = engine_.create(settings, wake_);
  channels_.attach(now, *association_);
  association_->connect(now);
}

void data_link::handle_packets(base::time_point now, const base::packet_batch& packets) {
  if (association_ && !packets.empty()) association_->handle_packets(now, packets);
}

void data_link::update(base::time_point now) {
  if (association_ && !ended_) channels_.handle_association_events(now);
}

void data_link::poll_packets(base::packet_batch& out) {
  if (association_) association_->poll_packets(out);
}

void data_link::end(base::time_point now, const base::failure& reason) {
  if (std::exchange(ended_, true)) return;
  channels_.detach(reason);
  if (association_) association_->abort(now);
}

void data_link::revive() {
  if (association_) return;
  ended_ = false;
  channels_.revive();
}

void data_link::note(const datachannel::event& event) {
  if (const auto* opened = std::get_if<datachannel::channel_opened_by_peer>(&event)) {
    live_.push_back(opened->key);
  } else if (const auto* changed = std::get_if<datachannel::channel_state_changed>(&event)) {
    if (changed->now != data_channel_state::closed) return;
    std::erase(live_, changed->key);
    std::erase(closing_, changed->key);
  }
}

void data_link::close_channels(base::time_point now) {
  for (const auto key : std::exchange(live_, {})) {
    closing_.push_back(key);
    channels_.close(now, key);
  }
}

}  // namespace asiortc::peer

// Life and operations of a peer connection.
#include "api/peer_state.hpp"

#include "api/peer_settings.hpp"
#include "base/random.hpp"
#include "crypto/random.hpp"

#include <boost/asio/dispatch.hpp>

#include <algorithm>
#include <utility>

namespace asiortc::inline ASIORTC_ABI::detail {
namespace {

template <class T>
std::shared_ptr<event_queue<T>> make_queue(const boost::asio::any_io_executor& executor,
                                           std::size_t limit) {
  auto made = std::make_shared<event_queue<T>>(executor, limit);
  made->watch();
  return made;
}

std::string make_id() {
  static constexpr std::string_view digits = "0123456789abcdef";
  std::array<std::uint8_t, 16> octets{};  // 128 bits
  crypto::system_random().fill(octets);
  std::string text;
  for (const std::uint8_t octet : octets) {
    text.push_back(digits[octet >> 4]);
    text.push_back(digits[octet & 15]);
  }
  return text;
}

}  // namespace

peer_streams::peer_streams(const boost::asio::any_io_executor& executor)
    : ice_candidates(make_queue<ice_candidate>(executor, 4096)),
      candidate_errors(make_queue<ice_candidate_error>(executor, max_unread_states)),
      data_channels(make_queue<data_channel>(executor, event_queue<data_channel>::unlimited)),
      connection_states(make_queue<connection_change>(executor, max_unread_states)),
      ice_connection_states(make_queue<ice_connection_change>(executor, max_unread_states)),
      ice_gathering_states(make_queue<ice_gathering_change>(executor, max_unread_states)),
      signaling_states(make_queue<signaling_change>(executor, max_unread_states)),
      selected_pairs(make_queue<candidate_pair>(executor, max_unread_states)),
      negotiation_needed(make_queue<negotiation_needed_event>(executor, max_unread_states)) {}

void peer_streams::end_all(boost::system::error_code reason) const {
  ice_candidates->end(reason);
  candidate_errors->end(reason);
  data_channels->end(reason);
  connection_states->end(reason);
  ice_connection_states->end(reason);
  ice_gathering_states->end(reason);
  signaling_states->end(reason);
  selected_pairs->end(reason);
  negotiation_needed->end(reason);
}

std::shared_ptr<peer_state> peer_state::create(boost::asio::any_io_executor executor,
                                               asiortc::configuration config) {
  auto made = std::make_shared<peer_state>(std::move(executor), std::move(config));
  made->watch_context(made->executor);
  made->streams.data_channels->set_pop_hook(
      [weak = std::weak_ptr<peer_state>(made)](const data_channel& taken) {
        const auto state = weak.lock();
        if (!state) return;
        state->post([channel = taken.native_handle()](peer::peer& core, base::time_point) {
          if (channel->key) core.channels().accept(*channel->key);
        });
      });
  return made;
}

peer_state::peer_state(boost::asio::any_io_executor user_executor, asiortc::configuration options)
    : executor(std::move(user_executor)),
      config(std::move(options)),
      id(make_id()),
      streams(executor),
      current_config_(config),
      max_message_size_(UINT64_MAX) {
  peer_settings prepared = make_peer_settings(config);
  driver_ = std::make_shared<io::peer_driver>(executor, std::move(prepared.core),
                                              std::move(prepared.driver));
  driver_->set_observer(this);
}

peer_state::~peer_state() { driver_->set_observer(nullptr); }

std::shared_ptr<peer_state> peer_state::self() {
  return std::static_pointer_cast<peer_state>(shared_from_this());
}

std::weak_ptr<peer_state> peer_state::weak_self() { return self(); }

void peer_state::post(std::function<void(peer::peer&, base::time_point)> action) {
  on_strand([self = self(), action = std::move(action)] {
    if (self->stopping_) return;
    action(self->core(), self->now());
    self->pump();
  });
}

void peer_state::pump() {
  // What the channels were told may have moved SCTP, which no call of the driver would fetch.
  core().handle_wake(now());
  driver_->pump();
  publish_in_flight();
}

void peer_state::start(void_completion handler, work action) {
  if (context_gone()) return;
  auto waiting = void_operation::start(executor, std::move(handler));
  on_strand([self = self(), waiting, action = std::move(action)] {
    if (self->stopping_) return waiting->complete(errc::invalid_state);
    const auto result = action(self->core(), self->now());
    if (result.has_error()) self->note_refusal(result.error());
    self->pump();
    self->publish_descriptions();
    waiting->complete(result.has_error() ? result.error().code : boost::system::error_code());
  });
}

void peer_state::start(description_completion handler, describe action) {
  if (context_gone()) return;
  auto waiting = operation<session_description>::start(executor, std::move(handler));
  on_strand([self = self(), waiting, action = std::move(action)] {
    if (self->stopping_) return waiting->complete(errc::invalid_state, session_description());
    auto result = action(self->core(), self->now());
    if (result.has_error()) {
      self->note_refusal(result.error());
      return waiting->complete(result.error().code, session_description());
    }
    self->pump();
    waiting->complete({}, std::move(*result));
  });
}

void peer_state::start(pairs_completion handler) {
  if (context_gone()) return;
  auto waiting = operation<std::vector<candidate_pair_info>>::start(executor, std::move(handler));
  on_strand([self = self(), waiting] {
    waiting->complete({}, self->core().candidate_pairs(self->now()));
  });
}

void peer_state::set_configuration(asiortc::configuration next) {
  const std::lock_guard lock(mutex_);
  if (snapshot_.signaling == asiortc::signaling_state::closed) {
    throw error(errc::invalid_state, "set_configuration: the peer connection is closed");
  }
  auto servers = make_next_servers(current_config_, next, snapshot_.described);
  peer::gathering_options options;
  for (const auto& each : servers.stun_servers) options.servers.push_back(each.url);
  for (const auto& each : servers.turn_servers) options.servers.push_back(each.url);
  options.relay_only = next.ice_transport_policy == ice_transport_policy::relay;
  options.pool_candidates = next.ice_candidate_pool_size > 0;
  if (next.certificates.empty()) next.certificates = current_config_.certificates;
  current_config_ = std::move(next);
  post([self = self(), servers = std::move(servers), options = std::move(options)](
           peer::peer& core, base::time_point now) mutable {
    self->driver_->set_servers(std::move(servers));
    core.set_gathering_options(now, std::move(options));
  });
}

asiortc::configuration peer_state::configuration_now() const {
  const std::lock_guard lock(mutex_);
  return current_config_;
}

void peer_state::note_refusal(const base::failure& why) {
  const std::lock_guard lock(mutex_);
  snapshot_.last_error_detail = why.detail.empty() ? why.code.message() : why.detail;
}

void peer_state::start_close(void_completion handler) {
  if (context_gone()) return;
  auto waiting = void_operation::start(executor, std::move(handler));
  on_strand([self = self(), waiting] {
    if (self->stopped_) return waiting->complete({});
    self->closers_.push_back(waiting);
    if (self->closing_ || self->stopping_) return;
    self->closing_ = true;
    self->flush_outbound();
    const auto now = self->now();
    self->core().shutdown(now, now + self->config.timeouts.close_drain);
    self->pump();
  });
}

void peer_state::close(base::failure reason) {
  on_strand([self = self(), reason = std::move(reason)] {
    if (self->stopping_) return;
    self->core().close(self->now(), reason);
    self->pump();
  });
}

void peer_state::begin_stop(boost::system::error_code reason) {
  if (stopping_) return;
  stopping_ = true;
  for (const auto& [ticket, waiting] : std::exchange(flushes_, {})) waiting->complete(reason);
  const bool closed_here = reason == errc::closed;
  for (const auto& [key, channel] : channels_) {
    if (closed_here) channel->discard_unread();
    channel->publish_state(data_channel_state::closed, reason);
  }
  {
    const std::lock_guard lock(mutex_);
    outbound_.clear();
    outbound_bytes_ = 0;
    snapshot_.end_reason = reason;
  }
  if (const auto sink = std::exchange(negotiation_, nullptr)) sink->on_peer_end(reason);
  // The driver is in the middle of telling us; it is stopped once that is done.
  on_strand([self = self()] { self->driver_->stop([self] { self->finish_stop(); }); });
  streams.end_all(closed_here ? boost::system::error_code() : reason);
}

void peer_state::finish_stop() {
  stopped_ = true;
  active_.clear();
  for (const auto& waiting : std::exchange(closers_, {})) waiting->complete({});
}

std::shared_ptr<channel_state> peer_state::create_channel(std::string label,
                                                          data_channel_init init) {
  check_channel_arguments(label, init);
  auto channel = channel_state::create(self(), label, init);
  {
    const std::lock_guard lock(mutex_);
    // A failed one may be saved by an ICE restart, and is none of these (webrtc-pc 6.1).
    if (snapshot_.signaling == asiortc::signaling_state::closed ||
        snapshot_.connection == asiortc::connection_state::closed) {
      throw error(errc::invalid_state, "create_data_channel: the connection is closed");
    }
    if (init.negotiated && !negotiated_ids_.insert(*init.id).second) {
      throw error(errc::operation_error, "create_data_channel: id " + std::to_string(*init.id) +
                                             " is in use by another channel");
    }
  }
  watch_messages(channel);
  on_strand([self = self(), channel] {
    if (self->stopping_) {
      return channel->publish_state(data_channel_state::closed, errc::invalid_state);
    }
    const auto key = self->core().create_data_channel(self->now(), channel->label, channel->init);
    if (key.has_error()) {
      self->note_refusal(key.error());
      self->release_id(*channel);
      channel->publish_state(data_channel_state::closed, key.error().code);
    } else {
      self->adopt(channel, *key);
    }
    self->pump();
  });
  return channel;
}

bool peer_state::uses_channel_id(std::uint16_t wanted) const {
  const std::lock_guard lock(mutex_);
  return negotiated_ids_.contains(wanted);
}

void peer_state::adopt(const std::shared_ptr<channel_state>& channel,
                       datachannel::channel_key key) {
  channel->key = key;
  channels_.emplace(static_cast<std::uint64_t>(key), channel);
  if (const auto info = core().channels().info(key)) {
    channel->publish_id(info->id);
    channel->publish_state(info->state, {});
  }
}

void peer_state::watch_messages(const std::shared_ptr<channel_state>& channel) {
  channel->messages->set_pop_hook(
      [peer = weak_self(), weak = std::weak_ptr<channel_state>(channel)](const message& taken) {
        const auto state = peer.lock();
        const auto reader = weak.lock();
        if (reader) reader->unread -= taken.size();
        if (state && reader) state->note_consumed(reader, taken.size());
      });
}

peer_snapshot peer_state::snapshot() const {
  const std::lock_guard lock(mutex_);
  return snapshot_;
}

void peer_state::set_negotiation(std::shared_ptr<negotiation_sink> sink) {
  negotiation_ = std::move(sink);
  streams.ice_candidates->reserve(true);
  streams.negotiation_needed->reserve(true);
  // What happened before the negotiation began is its business too.
  while (const auto candidate = streams.ice_candidates->try_pop()) {
    negotiation_->on_local_candidate(*candidate);
  }
  bool needed = false;
  while (streams.negotiation_needed->try_pop()) needed = true;
  if (needed) negotiation_->on_negotiation_needed();
}

void peer_state::clear_negotiation() {
  negotiation_.reset();
  streams.ice_candidates->reserve(false);
  streams.negotiation_needed->reserve(false);
}

}  // namespace asiortc::inline ASIORTC_ABI::detail

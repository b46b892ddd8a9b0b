// What the handle of a peer connection, its operations and its driver share.
#pragma once

#include "api/channel_state.hpp"
#include "io/peer_driver.hpp"
#include "peer/peer.hpp"

#include <asiortc/detail/operation.hpp>
#include <asiortc/peer_connection.hpp>

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

namespace asiortc::inline ASIORTC_ABI::detail {

using connection_change = state_change<asiortc::connection_state>;
using ice_connection_change = state_change<asiortc::ice_connection_state>;
using ice_gathering_change = state_change<asiortc::ice_gathering_state>;
using signaling_change = state_change<asiortc::signaling_state>;
using data_channel_change = state_change<data_channel_state>;

/// How many changes of state wait to be read, in each stream.
inline constexpr std::size_t max_unread_states = 256;

/// The streams of one connection; they may outlive it.
struct peer_streams {
  explicit peer_streams(const boost::asio::any_io_executor& executor);
  void end_all(boost::system::error_code reason) const;

  std::shared_ptr<event_queue<ice_candidate>> ice_candidates;
  std::shared_ptr<event_queue<ice_candidate_error>> candidate_errors;
  std::shared_ptr<event_queue<data_channel>> data_channels;
  std::shared_ptr<event_queue<connection_change>> connection_states;
  std::shared_ptr<event_queue<ice_connection_change>> ice_connection_states;
  std::shared_ptr<event_queue<ice_gathering_change>> ice_gathering_states;
  std::shared_ptr<event_queue<signaling_change>> signaling_states;
  std::shared_ptr<event_queue<candidate_pair>> selected_pairs;
  std::shared_ptr<event_queue<negotiation_needed_event>> negotiation_needed;
};

/// What plain functions show: published by the strand, read by any thread.
struct peer_snapshot {
  asiortc::connection_state connection = asiortc::connection_state::new_;
  asiortc::ice_connection_state ice_connection = asiortc::ice_connection_state::new_;
  asiortc::ice_gathering_state ice_gathering = asiortc::ice_gathering_state::new_;
  asiortc::signaling_state signaling = asiortc::signaling_state::stable;
  std::optional<session_description> current_local, pending_local, current_remote, pending_remote;
  std::optional<bool> can_trickle;
  std::optional<candidate_pair> selected;
  std::optional<sctp_transport_info> sctp;
  std::optional<certificate_fingerprint> remote_certificate;
  boost::system::error_code end_reason;
  std::string last_error_detail;
  bool described = false;  ///< a local description was set once
};

/// Takes over candidates and the need to negotiate; called on the strand.
class negotiation_sink {
 public:
  virtual ~negotiation_sink() = default;
  virtual void on_local_candidate(const ice_candidate& candidate) = 0;
  virtual void on_negotiation_needed() = 0;
  virtual void on_connection_state(asiortc::connection_state state) = 0;
  virtual void on_peer_end(boost::system::error_code reason) = 0;
};

class peer_state final : public context_listener, private io::peer_observer {
 public:
  static std::shared_ptr<peer_state> create(boost::asio::any_io_executor executor,
                                            asiortc::configuration config);
  peer_state(boost::asio::any_io_executor executor, asiortc::configuration config);
  ~peer_state() override;

  // From any thread.
  using work = std::function<base::result<void>(peer::peer& core, base::time_point now)>;
  using describe = std::function<base::result<session_description>(peer::peer&, base::time_point)>;
  void start(void_completion handler, work action);
  void start(description_completion handler, describe action);
  void start(pairs_completion handler);
  /// `selector` may be null.
  void start(stats_completion handler, std::shared_ptr<channel_state> selector);
  void start_close(void_completion handler);
  void close(base::failure reason);
  /// Posts to the strand; dropped when the execution context is gone.
  void on_strand(std::function<void()> function) { driver_->post(std::move(function)); }
  /// Runs `action` on the strand, then the pump, unless the peer has ended.
  void post(std::function<void(peer::peer& core, base::time_point now)> action);
  std::shared_ptr<channel_state> create_channel(std::string label, data_channel_init init);
  /// Whether a negotiated channel has the id.
  [[nodiscard]] bool uses_channel_id(std::uint16_t wanted) const;
  /// Queues a message for the strand and returns its serial number.
  std::uint64_t enqueue(std::shared_ptr<channel_state> channel, message value);
  void schedule_drain();
  void cancel_send(std::shared_ptr<channel_state> channel, std::uint64_t serial,
                   std::shared_ptr<void_operation> waiting);
  void start_flush(std::shared_ptr<channel_state> channel, std::shared_ptr<void_operation> waiting);
  void close_channel(std::shared_ptr<channel_state> channel, bool dropped);
  void note_consumed(const std::shared_ptr<channel_state>& channel, std::size_t size);
  /// Of a channel that nobody reads any more, which would be held until the next report.
  void forget_consumed(const std::shared_ptr<channel_state>& channel);
  [[nodiscard]] peer_snapshot snapshot() const;
  void set_configuration(asiortc::configuration next);
  [[nodiscard]] asiortc::configuration configuration_now() const;
  [[nodiscard]] std::uint64_t max_message_size() const { return max_message_size_; }
  /// False when one is there already.
  bool try_begin_negotiation() { return !negotiating_.exchange(true); }
  void end_negotiation() { negotiating_ = false; }

  boost::asio::any_io_executor executor;  ///< empty once the context is gone
  const asiortc::configuration config;    ///< as it was given; for what never changes
  const std::string id;
  const peer_streams streams;

  // On the strand.
  [[nodiscard]] const io::peer_driver::strand_type& strand() const { return driver_->strand(); }
  void on_context_shutdown() noexcept override {
    executor = {};
    negotiation_.reset();  // it holds us
  }
  void set_negotiation(std::shared_ptr<negotiation_sink> sink);
  void clear_negotiation();
  void tell_negotiation_needed();
  [[nodiscard]] bool ended() const { return stopping_; }
  [[nodiscard]] peer::peer& core() { return driver_->core(); }
  [[nodiscard]] base::time_point now() const { return driver_->now(); }
  void pump();
  void note_refusal(const base::failure& why);
  void publish_descriptions();
  void publish_sctp();

 private:
  struct outbound {
    std::shared_ptr<channel_state> channel;
    message value;
    std::uint64_t serial = 0;
  };

  /// Tickets count per table or per channel; the pair is unique either way.
  using flush_id = std::pair<datachannel::channel_key, std::uint64_t>;

  void on_event(peer::event&& event) override;
  void handle(peer::connection_state_event& event);
  void handle(peer::ice_connection_state_event& event);
  void handle(peer::ice_gathering_state_event& event);
  void handle(peer::signaling_state_event& event);
  void handle(peer::ice_candidate_event& event);
  void handle(peer::ice_candidate_error_event& event);
  void handle(peer::negotiation_needed_event& event);
  void handle(peer::sctp_state_event& event);
  void handle(peer::selected_pair_event& event);
  void handle(peer::gathering_wanted&) {}
  void handle(peer::resolution_wanted&) {}
  void handle(datachannel::event& event);
  void handle(datachannel::channel_opened_by_peer& event);
  void handle(datachannel::channel_state_changed& event);
  void handle(datachannel::message_received& event);
  void handle(datachannel::send_finished& event);
  void handle(datachannel::buffered_amount_low& event);
  void handle(datachannel::flushed& event);

  std::shared_ptr<peer_state> self();
  std::weak_ptr<peer_state> weak_self();
  stats_report make_stats(const channel_state* selector);
  std::shared_ptr<channel_state> find(datachannel::channel_key key) const;
  void adopt(const std::shared_ptr<channel_state>& channel, datachannel::channel_key key);
  /// It is closed.
  void retire(channel_state& channel);
  /// Has the table forget a closed channel, unless messages of it are unread: they go on counting,
  /// else a peer that opens, sends and closes again and again would fill the memory.
  void forget_once_read(const channel_state& channel);
  /// Lets another channel be negotiated with its id.
  void release_id(const channel_state& channel);
  void watch_messages(const std::shared_ptr<channel_state>& channel);
  /// Completes the operation of a message that SCTP has not got; false when it is too late.
  bool take_back(channel_state& channel, std::uint64_t serial, void_operation& waiting);
  void drain(std::size_t seen);
  void flush_outbound();
  void hand_to_table(outbound&& item, base::time_point now);
  void report_consumed();
  void publish_channel_ids();
  void publish_in_flight();
  std::size_t publish_in_flight(channel_state& channel);
  void begin_stop(boost::system::error_code reason);
  void finish_stop();

  std::shared_ptr<io::peer_driver> driver_;

  // On the strand.
  /// Those that are not closed, and those that there is a handle to.
  std::unordered_map<std::uint64_t, std::shared_ptr<channel_state>> channels_;
  std::map<flush_id, std::shared_ptr<void_operation>> flushes_;
  std::vector<std::shared_ptr<channel_state>> active_;  // those with bytes in flight
  std::vector<std::shared_ptr<void_operation>> closers_;
  std::shared_ptr<negotiation_sink> negotiation_;
  bool closing_ = false;
  bool stopping_ = false;
  bool stopped_ = false;

  // The front.
  mutable std::mutex mutex_;
  peer_snapshot snapshot_;
  asiortc::configuration current_config_;
  std::deque<outbound> outbound_;
  std::size_t outbound_bytes_ = 0;
  bool drain_scheduled_ = false;
  std::uint64_t next_serial_ = 1;
  std::set<std::uint16_t> negotiated_ids_;
  std::vector<std::shared_ptr<channel_state>> consumers_;  // with something unreported
  std::size_t unreported_ = 0;
  std::atomic<std::uint64_t> max_message_size_;
  std::atomic<bool> negotiating_{false};
};

}  // namespace asiortc::inline ASIORTC_ABI::detail

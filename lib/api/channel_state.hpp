// What the handles of one data channel share with its peer connection.
#pragma once

#include "datachannel/table.hpp"

#include <asiortc/data_channel.hpp>
#include <asiortc/detail/operation.hpp>
#include <asiortc/stats.hpp>

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace asiortc::inline ASIORTC_ABI::detail {

class peer_state;

/// Plain functions, sends and receives that are ready touch only this front, under its leaf mutex;
/// the peer's strand publishes into it. It never keeps the peer alive.
class channel_state final : public context_listener {
 public:
  static std::shared_ptr<channel_state> create(const std::shared_ptr<peer_state>& owner,
                                               std::string label, data_channel_init init);
  channel_state(const std::shared_ptr<peer_state>& owner, std::string channel_label,
                data_channel_init channel_init);

  // From any thread, for the handle.
  void start_open(void_completion handler);
  void start_send(void_completion handler, message value);
  void start_flush(void_completion handler);
  void start_close(void_completion handler);
  void close();
  /// The handle is gone: closes, and throws away what is unread.
  void drop();
  void set_low_threshold(std::size_t bytes);

  void on_context_shutdown() noexcept override { executor_ = {}; }

  [[nodiscard]] bool belongs_to(const peer_state& peer) const {
    return peer_.lock().get() == &peer;
  }
  [[nodiscard]] data_channel_state state() const;
  [[nodiscard]] std::optional<std::uint16_t> id() const;
  [[nodiscard]] std::size_t buffered_amount() const;
  [[nodiscard]] const boost::asio::any_io_executor& executor() const { return executor_; }
  /// What the other side takes, as far as it is known.
  [[nodiscard]] std::uint64_t max_message_size() const;

  const std::string label;
  const data_channel_init init;
  const std::shared_ptr<event_queue<message>> messages;
  const std::shared_ptr<event_queue<state_change<data_channel_state>>> states;
  const std::shared_ptr<event_queue<buffered_amount_low_event>> low_events;

  // From any thread.
  std::atomic<std::size_t> max_unread = 0;  ///< bytes; 0: all are kept
  std::atomic<std::size_t> unread = 0;      ///< bytes in `messages`
  std::atomic<std::uint64_t> messages_dropped = 0;
  std::atomic<std::size_t> low_threshold = 0;  ///< as it was set last
  std::atomic<bool> retired = false;  ///< closed, and the table keeps it for what is unread alone

  // On the peer's strand.
  /// Has the oldest dropped where there is more than wanted.
  void drop_oldest();
  /// It was closed here, so what came before is not wanted any more.
  void discard_unread();
  void publish_id(std::optional<std::uint16_t> value);
  void publish_state(data_channel_state now, boost::system::error_code reason);
  /// Bytes that the table has and the other side has not acknowledged.
  void publish_in_flight(std::size_t bytes);
  void note_handed_over(std::size_t size);
  /// A message left the queue before SCTP: senders that wait may go on. With a `failure` it was
  /// thrown away, which its own sender is told.
  void release(std::uint64_t serial, std::size_t size, boost::system::error_code failure);

  /// Bytes that the reader took and the table was not told of; under the peer's front mutex.
  std::size_t unreported = 0;
  bool reporting = false;  ///< among those with something unreported
  /// Set once on the strand, when the table knows the channel.
  std::optional<datachannel::channel_key> key;
  /// Messages that the table has and SCTP has not; on the strand.
  struct ticketed {
    std::uint64_t ticket = 0;
    std::uint64_t serial = 0;
    std::size_t size = 0;
  };
  std::deque<ticketed> with_table;
  bool dropped = false;  ///< on the strand: the handle is gone
  /// On the strand: what was counted, once it is closed.
  std::unique_ptr<const data_channel_stats> last_stats;
  bool active = false;  ///< on the strand: among those with bytes in flight

 private:
  std::shared_ptr<channel_state> self();

  struct waiting_sender {
    std::shared_ptr<void_operation> operation;
    std::uint64_t serial = 0;
  };

  std::optional<base::failure> refusal(const message& value, peer_state& owner) const;
  void wait_for_room(void_completion handler, std::uint64_t serial);

  const std::weak_ptr<peer_state> peer_;
  boost::asio::any_io_executor executor_;

  mutable std::mutex mutex_;
  data_channel_state state_ = data_channel_state::connecting;
  boost::system::error_code reason_;
  std::optional<std::uint16_t> id_;
  std::size_t unsent_ = 0;     // cost of what is before SCTP, for back-pressure
  std::size_t in_front_ = 0;   // bytes that wait for the strand
  std::size_t in_flight_ = 0;  // bytes with the table or SCTP
  std::vector<std::shared_ptr<void_operation>> open_waiters_;
  std::vector<std::shared_ptr<void_operation>> close_waiters_;
  std::deque<waiting_sender> waiting_senders_;
};

}  // namespace asiortc::inline ASIORTC_ABI::detail

// The data channels of one SCTP association (RFC 8831, RFC 8832), over the association's interface.
#pragma once

#include "base/bytes.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "sctp/association.hpp"

#include <asiortc/data_channel_init.hpp>
#include <asiortc/message.hpp>
#include <asiortc/states.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>

namespace asiortc::datachannel {

/// Names a channel for the life of the table, before it has a stream id and after it lost it.
enum class channel_key : std::uint64_t {};

struct settings {
  std::size_t max_unaccepted = 1024;               ///< in-band channels not yet accepted
  std::size_t max_unaccepted_bytes = 1024 * 1024;  ///< of their labels and protocols
  /// With more than those nothing is taken until one is accepted; if none is for so long, what is
  /// too many is refused.
  base::duration acceptance_time = std::chrono::seconds(1);
  std::size_t max_channels = 65535;
  /// Of labels and protocols of all channels that the peer opened: accepted ones are kept, too.
  std::size_t max_text_bytes = 8 * 1024 * 1024;
  std::size_t max_early_bytes = 262144;   ///< for negotiated ids that do not exist here yet
  std::size_t max_message_size = 262144;  ///< ours: what the peer may send (a=max-message-size)
  std::size_t receive_budget = 8 * 1024 * 1024;  ///< delivered and not yet consumed, all channels
  base::logger log;
};

// Events.
/// The peer opened a channel in band; it is open.
struct channel_opened_by_peer {
  channel_key key{};
};
struct channel_state_changed {
  channel_key key{};
  data_channel_state now = data_channel_state::connecting;
  base::failure reason = boost::system::error_code{};  ///< for closed: none when it was orderly
};
struct message_received {
  channel_key key{};
  message value;
};
/// A queued message was handed to SCTP or given up: `ticket` is what `send` returned.
struct send_finished {
  channel_key key{};
  std::uint64_t ticket = 0;
  boost::system::error_code error;
};
/// `buffered_amount` crossed the threshold from above (webrtc-pc 6.2).
struct buffered_amount_low {
  channel_key key{};
};
/// Everything that was queued when `flush` gave this ticket is acknowledged by the peer's SCTP, or
/// never will be.
struct flushed {
  channel_key key{};
  std::uint64_t ticket = 0;
  boost::system::error_code error;
};
using event = std::variant<channel_opened_by_peer, channel_state_changed, message_received,
                           send_finished, buffered_amount_low, flushed>;

/// What can be asked of a channel.
struct channel_info {
  std::string label;
  data_channel_init init;
  std::optional<std::uint16_t> id;
  data_channel_state state = data_channel_state::connecting;
  std::size_t buffered_amount =
      0;  ///< bytes of user data not yet acknowledged, queued ones included
  std::uint64_t messages_sent = 0, bytes_sent = 0, messages_received = 0, bytes_received = 0;
};

/// What was counted since the table was made.
struct counters {
  std::uint64_t channels_opened = 0;   ///< that reached open
  std::uint64_t channels_closed = 0;   ///< that have left open
  std::uint64_t streams_refused = 0;   ///< reset because of a bad OPEN, or because a bound was met
  std::uint64_t messages_dropped = 0;  ///< came on a stream on which nobody wants them
  std::uint64_t dcep_ignored = 0;      ///< ACKs that nobody waited for
  std::uint64_t unknown_ppids = 0;     ///< messages with a PPID that RFC 8831 8 does not have
};

class table {
 public:
  explicit table(settings settings);
  ~table();
  table(table&&) noexcept;
  table& operator=(table&&) noexcept;

  // Life of the association. Channels may be made before it.
  /// The DTLS role decides the parity of ids: the client's are even (RFC 8832 6).
  void set_dtls_client(bool client);
  /// The peer's `a=max-message-size`; 0 is no limit.
  void set_remote_max_message_size(std::uint64_t size);
  void attach(base::time_point now, sctp::association& association);
  /// Takes what the association has to say; called after each of its inputs.
  void handle_association_events(base::time_point now);
  /// Every channel ends with the reason.
  void detach(base::failure reason);

  // Channels.
  base::result<channel_key> create(base::time_point now, std::string label, data_channel_init init);
  /// An in-band channel was given to the application; makes room among the unaccepted. To be called
  /// for one that is closed or forgotten by then, too: until then it keeps its place.
  void accept(channel_key key);
  /// Queues a message and returns its ticket; `send_finished` follows when SCTP has taken it.
  /// `type_error` if it is text but not UTF-8; `invalid_state` unless the channel is connecting or
  /// open (queued while connecting). One that turns out larger than the peer takes ends the channel
  /// with `message_too_large` and both sizes: who knows the peer's limit looks before.
  base::result<std::uint64_t> send(base::time_point now, channel_key key, message value);
  /// Takes a message back that SCTP has not got; false when it is too late.
  bool cancel_send(channel_key key, std::uint64_t ticket);
  base::result<std::uint64_t> flush(channel_key key);
  void set_low_threshold(channel_key key, std::size_t bytes);
  /// Drains what is queued, resets the stream both ways, frees the id after both (RFC 8831 6.7).
  /// What comes in meanwhile is dropped, and what was received no longer counts. A channel that has
  /// nothing queued and was not told to the peer closes at once.
  void close(base::time_point now, channel_key key);
  /// The application took `bytes` of received messages, in their order; below the budget reading
  /// goes on.
  void consumed(base::time_point now, channel_key key, std::size_t bytes);
  /// Nothing more will be read from the channel: what waits no longer counts.
  void discard_received(base::time_point now, channel_key key);
  /// Forgets a closed channel whose handle is gone.
  void forget(channel_key key);

  std::optional<event> poll_event();
  [[nodiscard]] std::optional<channel_info> info(channel_key key) const;
  /// Bytes of the channel queued here or in SCTP and not acknowledged; cheap, for every turn.
  [[nodiscard]] std::size_t buffered_amount(channel_key key) const;
  /// Bytes queued here or in SCTP and not acknowledged, over all channels.
  [[nodiscard]] std::size_t total_unacknowledged() const;
  /// No channel has anything queued, in flight or being reset.
  [[nodiscard]] bool idle() const;
  /// The number of streams once the association is connected, the bound of the settings before.
  [[nodiscard]] std::size_t max_channels() const;
  /// After `detach` without an association: channels can be made again, and one be attached.
  void revive();
  /// The association told that it is up, and has not ended.
  [[nodiscard]] bool connected() const;
  /// Why the association ended, or what `detach` was given.
  [[nodiscard]] std::optional<base::failure> ended() const;
  [[nodiscard]] const counters& statistics() const;

 private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

}  // namespace asiortc::datachannel

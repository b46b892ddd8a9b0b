// A data channel (webrtc-pc 6.2 RTCDataChannel).
#pragma once

#include <asiortc/config.hpp>
#include <asiortc/data_channel_init.hpp>
#include <asiortc/error.hpp>
#include <asiortc/event_stream.hpp>
#include <asiortc/message.hpp>
#include <asiortc/state_change.hpp>
#include <asiortc/states.hpp>

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/deferred.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace asiortc::inline ASIORTC_ABI {

namespace detail {
class channel_state;
using void_completion = boost::asio::any_completion_handler<void(boost::system::error_code)>;
}  // namespace detail

/// The item of `data_channel::buffered_amount_low()`.
class ASIORTC_EXPORT buffered_amount_low_event {
 public:
  buffered_amount_low_event() = default;
};

/// A move-only handle. Dropping it closes the channel after what is queued is sent; its unread
/// messages are discarded. A channel never keeps its peer connection alive. A handle that was moved
/// from is empty, as one that was made without arguments.
///
/// After the end of the channel or of its connection every member may still be called: what is
/// queued can be received, unless the end was made here; getters give the last state, and the rest
/// says what it does then.
///
/// Thread safety: every member may be called from any thread; two operations may be pending at
/// once, but only one `async_receive`. Completion handlers run on their associated executor, else
/// on the executor of the peer connection, and are always posted.
///
/// Cancellation: every operation honours its slot, with any type, and then completes with
/// `asio::error::operation_aborted`.
class ASIORTC_EXPORT data_channel {
 public:
  /// A handle to nothing; only destruction, assignment and the conversion to bool are allowed.
  data_channel() noexcept = default;
  /// For the library itself.
  explicit data_channel(std::shared_ptr<detail::channel_state> state) noexcept;
  /// Leaves the other handle empty.
  data_channel(data_channel&&) noexcept;
  /// Closes what was held before, as destruction does, and leaves the other handle empty.
  data_channel& operator=(data_channel&&) noexcept;
  /// Closes the channel in the background and discards its unread messages; never blocks.
  ~data_channel();

  /// Waits until the channel is open (RFC 8832 6). Completes at once when it is.
  ///
  /// Completion signature: `void(error_code)`.
  /// Errors: the reason of the end when the channel ended first, `errc::invalid_state` when it was
  /// closed in good order before it opened or is closing; `operation_aborted`.
  template <class Token = boost::asio::deferred_t>
  [[nodiscard]] auto async_open(Token&& token = Token()) {
    return initiate<open_operation>(std::forward<Token>(token));
  }

  /// Sends a text message (webrtc-pc 6.2 send, RFC 8831 6.6). It is queued before the call of the
  /// initiating function returns its handler, in the order of the calls, and may be sent while the
  /// channel is still connecting. Completes once less than `configuration::send_high_water` bytes
  /// wait before SCTP, so that awaiting each send is back-pressure.
  ///
  /// Completion signature: `void(error_code)`.
  /// Errors: `errc::invalid_state` when the channel is closing or closed; `errc::message_too_large`
  /// when it is larger than `peer_connection::sctp()->max_message_size`; `errc::type_error` when it
  /// is not valid UTF-8; the reason of the end when the channel ends while the operation waits,
  /// `errc::invalid_state` when that was in good order.
  /// Cancellation: `operation_aborted` says that nothing of the message is or will be sent; when
  /// SCTP has it already the operation completes with success instead.
  template <class Token = boost::asio::deferred_t>
  [[nodiscard]] auto async_send(std::string text, Token&& token = Token()) {
    std::vector<std::uint8_t> bytes(text.begin(), text.end());
    return initiate<send_operation>(std::forward<Token>(token), message(std::move(bytes), true));
  }

  /// Sends a binary message; otherwise as with text, but for `errc::type_error`.
  template <class Token = boost::asio::deferred_t>
  [[nodiscard]] auto async_send(std::vector<std::uint8_t> bytes, Token&& token = Token()) {
    return initiate<send_operation>(std::forward<Token>(token), message(std::move(bytes), false));
  }

  /// Sends a message as it is, e.g. one that was received; otherwise as with text.
  template <class Token = boost::asio::deferred_t>
  [[nodiscard]] auto async_send(message value, Token&& token = Token()) {
    return initiate<send_operation>(std::forward<Token>(token), std::move(value));
  }

  /// Waits for the next message (webrtc-pc 6.2 onmessage). A reader that stops reading stops the
  /// sender once `configuration::receive_budget` is spent.
  ///
  /// Completion signature: `void(error_code, std::optional<message>)`; no value after the end of
  /// the channel, with the error that ended it, or none when it was closed in good order.
  /// Errors: `errc::in_use` when another receive is pending; `operation_aborted`, and then no
  /// message was consumed.
  template <class Token = boost::asio::deferred_t>
  [[nodiscard]] auto async_receive(Token&& token = Token()) {
    return messages().async_next(std::forward<Token>(token));
  }

  /// Keeps at most so many bytes of unread messages: while there are more, the oldest are dropped
  /// and counted, so that a slow reader of what only matters fresh neither holds back the other
  /// channels nor reads what is old. At least the newest message is kept. 0, as at first: nothing
  /// is dropped, and an unread message holds `configuration::receive_budget`. Counts from the next
  /// message on.
  /// Throws `error` with `type_error` when the channel is reliable.
  void set_max_unread(std::size_t bytes);
  /// How many messages were dropped for it; never fails.
  [[nodiscard]] std::uint64_t messages_dropped() const;

  /// Takes a message if there is one; never waits and never fails. What is queued can be taken
  /// after the end of the channel, too, unless it or its connection was closed here.
  [[nodiscard]] std::optional<message> try_receive();

  /// Waits until everything sent before is acknowledged by the other side's SCTP, or has been given
  /// up on an unreliable channel.
  ///
  /// Completion signature: `void(error_code)`.
  /// Errors: `errc::invalid_state` when it is closed already; the reason of the end when the
  /// channel ended first; `operation_aborted`, which abandons the wait alone.
  template <class Token = boost::asio::deferred_t>
  [[nodiscard]] auto async_flush(Token&& token = Token()) {
    return initiate<flush_operation>(std::forward<Token>(token));
  }

  /// Closes: what is queued is sent, then the stream is reset both ways (RFC 8831 6.7). What was
  /// received and not read is discarded, and so is what still comes (webrtc-pc 6.2).
  /// Completes when the channel is closed. Starting it twice is fine. One that is not open yet and
  /// has nothing queued is closed at once, and the other side never hears of it: where it is to,
  /// wait for `async_open` first.
  ///
  /// Completion signature: `void(error_code)`.
  /// Errors: the error that ended the channel instead; `operation_aborted`, which abandons the wait
  /// alone.
  template <class Token = boost::asio::deferred_t>
  [[nodiscard]] auto async_close(Token&& token = Token()) {
    return initiate<close_operation>(std::forward<Token>(token));
  }

  /// The same without waiting for the end. Never fails; does nothing when it is closing or closed.
  void close();

  /// Every transition of `state()` from `connecting` on (webrtc-pc 6.2 onopen, onclosing, onclose).
  /// It ends with the channel, with the error that ended it or none.
  [[nodiscard]] event_stream<state_change<data_channel_state>> states() const;
  /// An event each time `buffered_amount` falls to the threshold from above (webrtc-pc 6.2
  /// onbufferedamountlow); up to 256 wait unread. It ends as `states()` does.
  [[nodiscard]] event_stream<buffered_amount_low_event> buffered_amount_low() const;
  /// The incoming messages as a stream; the same queue that `async_receive` reads, with the same
  /// errors. It ends as `states()` does.
  [[nodiscard]] event_stream<message> messages() const;

  /// The last state that `states()` queued (webrtc-pc 6.2 readyState); never fails.
  [[nodiscard]] data_channel_state state() const;
  /// The stream id; none until the DTLS role is known (RFC 8832 6). Stays after the end.
  [[nodiscard]] std::optional<std::uint16_t> id() const;
  /// The name (webrtc-pc 6.2 label, RFC 8832 5.1). Never changes; valid while the handle is.
  [[nodiscard]] const std::string& label() const;
  /// As given to `create_data_channel`, or as the other side announced it (RFC 8832 5.1). Never
  /// changes; valid while the handle is.
  [[nodiscard]] const data_channel_init& init() const;
  /// Bytes of messages sent and not yet acknowledged by the other side's SCTP (webrtc-pc 6.2); 0
  /// after the end.
  [[nodiscard]] std::size_t buffered_amount() const;
  /// Sets the threshold of `buffered_amount_low()` (webrtc-pc 6.2), in bytes; 0 at first. Never
  /// fails; on a closed channel there is no event any more.
  void set_buffered_amount_low_threshold(std::size_t bytes);
  /// What was set last (webrtc-pc 6.2 bufferedAmountLowThreshold), in bytes; never fails.
  [[nodiscard]] std::size_t buffered_amount_low_threshold() const;

  /// That of the peer connection; empty once the execution context is gone.
  [[nodiscard]] boost::asio::any_io_executor get_executor() const;

  /// Whether this is a handle to a channel, open or not; false for an empty one.
  explicit operator bool() const noexcept { return state_ != nullptr; }
  /// For the library itself.
  [[nodiscard]] const std::shared_ptr<detail::channel_state>& native_handle() const noexcept {
    return state_;
  }

 private:
  using state_ptr = std::shared_ptr<detail::channel_state>;

  struct ASIORTC_EXPORT open_operation {
    void operator()(detail::void_completion handler, state_ptr channel) const;
  };
  struct ASIORTC_EXPORT send_operation {
    void operator()(detail::void_completion handler, state_ptr channel, message value) const;
  };
  struct ASIORTC_EXPORT flush_operation {
    void operator()(detail::void_completion handler, state_ptr channel) const;
  };
  struct ASIORTC_EXPORT close_operation {
    void operator()(detail::void_completion handler, state_ptr channel) const;
  };

  template <class Operation, class Token, class... Args>
  auto initiate(Token&& token, Args&&... args) {
    return boost::asio::async_initiate<Token, void(boost::system::error_code)>(
        Operation(), token, state_, std::forward<Args>(args)...);
  }

  state_ptr state_;
};

}  // namespace asiortc::inline ASIORTC_ABI

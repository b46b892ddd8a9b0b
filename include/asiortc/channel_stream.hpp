// A byte stream over a data channel.
#pragma once

#include <asiortc/config.hpp>
#include <asiortc/data_channel.hpp>

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/deferred.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace boost::beast {

// As Beast declares it, for the functions at the end.
enum class role_type;

}  // namespace boost::beast

namespace asiortc::inline ASIORTC_ABI {

namespace detail {
class stream_state;
using size_completion =
    boost::asio::any_completion_handler<void(boost::system::error_code, std::size_t)>;
}  // namespace detail

/// A data channel as a stream of bytes that models Asio's AsyncReadStream and AsyncWriteStream, so
/// that `asio::async_read_until`, Beast's HTTP and WebSocket or any other protocol over Asio
/// streams runs over it (what Pion calls detached, and more). The boundaries of messages have no
/// meaning; text and bytes are read alike, and bytes are written.
///
/// Lifetime: move-only; it owns the channel. Dropping it closes the channel after what was written
/// is sent, and ends a pending read. A pending operation keeps its handler's buffers in use, as
/// with any Asio stream. One that was moved from may only be destroyed and assigned to.
///
/// Thread safety: that of an Asio stream: one read and one write at a time may be pending, and
/// members are not called from two threads at once.
///
/// Cancellation: every operation honours its slot, with any type, and then completes with
/// `asio::error::operation_aborted`, having read or written nothing.
class ASIORTC_EXPORT channel_stream {
 public:
  /// What Asio's algorithms run intermediate handlers on.
  using executor_type = boost::asio::any_io_executor;
  /// What a layer over this one, as `asio::ssl::stream`, asks for: there is none below.
  using lowest_layer_type = channel_stream;

  /// Takes the channel over; it need not be open yet. Throws `error` with `type_error` when it is
  /// empty, unordered or not reliable.
  explicit channel_stream(data_channel channel);
  /// Leaves the other stream empty.
  channel_stream(channel_stream&&) noexcept;
  /// Closes what was held before, as destruction does, and leaves the other stream empty.
  channel_stream& operator=(channel_stream&&) noexcept;
  /// Closes the channel in the background; never blocks.
  ~channel_stream();

  /// That of the peer connection; empty once the execution context is gone.
  [[nodiscard]] executor_type get_executor() const;
  /// Itself.
  [[nodiscard]] lowest_layer_type& lowest_layer() noexcept { return *this; }
  /// Itself.
  [[nodiscard]] const lowest_layer_type& lowest_layer() const noexcept { return *this; }
  /// The channel below, e.g. to close or to flush it. Messages that are received from it directly
  /// are missing from the stream.
  [[nodiscard]] data_channel& channel() noexcept;

  /// Reads at least one byte into the first buffer that is not empty, or nothing if all are.
  ///
  /// Completion signature: `void(error_code, std::size_t)`, the bytes read.
  /// Errors: `asio::error::eof` after a close in good order; the error that ended the channel;
  /// `errc::in_use` when another read is pending; `operation_aborted`.
  template <class MutableBufferSequence, class Token = boost::asio::deferred_t>
  [[nodiscard]] auto async_read_some(const MutableBufferSequence& buffers,
                                     Token&& token = Token()) {
    return boost::asio::async_initiate<Token, void(boost::system::error_code, std::size_t)>(
        [](auto handler, state_ptr state, MutableBufferSequence into) {
          start_read(std::move(handler), std::move(state), first_of(into));
        },
        token, state_, buffers);
  }

  /// Writes at most 16 KiB, or the peer's largest message if that is less, as one message, once the
  /// channel is open: what the peer takes is known from then on. Completes once less than
  /// `configuration::send_high_water` bytes wait: back-pressure.
  ///
  /// Completion signature: `void(error_code, std::size_t)`, the bytes taken over.
  /// Errors: as `data_channel::async_open` and `data_channel::async_send`.
  template <class ConstBufferSequence, class Token = boost::asio::deferred_t>
  [[nodiscard]] auto async_write_some(const ConstBufferSequence& buffers, Token&& token = Token()) {
    return boost::asio::async_initiate<Token, void(boost::system::error_code, std::size_t)>(
        [](auto handler, state_ptr state, ConstBufferSequence from) {
          start_write(std::move(handler), std::move(state), gather(from));
        },
        token, state_, buffers);
  }

  /// Closes the channel as `data_channel::async_close` does: the other side reads what was written,
  /// and then `asio::error::eof`. There is no closing of one direction alone.
  ///
  /// Completion signature: `void(error_code)`.
  /// Errors: the error that ended the channel instead; `operation_aborted`, which abandons the wait
  /// alone.
  template <class Token = boost::asio::deferred_t>
  [[nodiscard]] auto async_close(Token&& token = Token()) {
    return channel().async_close(std::forward<Token>(token));
  }

 private:
  using state_ptr = std::shared_ptr<detail::stream_state>;

  /// Without interleaving a larger message holds up every other channel (RFC 8831 6.6), and Pion
  /// ends a channel at 64 KiB without a word, although it takes that by the rules (RFC 8841 6.1).
  static constexpr std::size_t max_piece = 16384;

  static void start_read(detail::size_completion handler, state_ptr state,
                         boost::asio::mutable_buffer into);
  static void start_write(detail::size_completion handler, state_ptr state,
                          std::vector<std::uint8_t> bytes);

  template <class Buffers>
  static boost::asio::mutable_buffer first_of(const Buffers& buffers) {
    const auto end = boost::asio::buffer_sequence_end(buffers);
    for (auto each = boost::asio::buffer_sequence_begin(buffers); each != end; ++each) {
      const boost::asio::mutable_buffer buffer(*each);
      if (buffer.size() > 0) return buffer;
    }
    return {};
  }

  template <class Buffers>
  static std::vector<std::uint8_t> gather(const Buffers& buffers) {
    std::vector<std::uint8_t> bytes(std::min(max_piece, boost::asio::buffer_size(buffers)));
    boost::asio::buffer_copy(boost::asio::buffer(bytes), buffers);
    return bytes;
  }

  state_ptr state_;
};

/// Ends a Beast WebSocket over the stream (Beast's customization point of that name); as
/// `channel_stream::async_close`, with its errors.
template <class Handler>
void async_teardown(boost::beast::role_type, channel_stream& stream, Handler&& handler) {
  stream.async_close(std::forward<Handler>(handler));
}

/// The same, without waiting; `code` has no error after it (Beast's customization point).
ASIORTC_EXPORT void teardown(boost::beast::role_type role, channel_stream& stream,
                             boost::system::error_code& code);

/// Closes the channel, as Beast asks for when a time has run out (Beast's customization point).
ASIORTC_EXPORT void beast_close_socket(channel_stream& stream);

}  // namespace asiortc::inline ASIORTC_ABI

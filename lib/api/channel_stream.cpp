#include "api/channel_state.hpp"

#include <asiortc/channel_stream.hpp>

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>

namespace asiortc::inline ASIORTC_ABI {
namespace detail {

/// What the stream and its operations share; after a drop the channel is empty.
class stream_state {
 public:
  explicit stream_state(data_channel given) : channel(std::move(given)) {}

  /// Of the message that was received last.
  std::size_t take(boost::asio::mutable_buffer into) {
    const std::size_t taken = boost::asio::buffer_copy(into, boost::asio::buffer(rest) + used);
    used += taken;
    return taken;
  }
  [[nodiscard]] bool has_rest() const { return used < rest.size(); }

  data_channel channel;
  std::vector<std::uint8_t> rest;
  std::size_t used = 0;
};

namespace {

/// RFC 8841 6.1: what everybody takes who does not say otherwise.
constexpr std::size_t max_written = 65536;

using state_ptr = std::shared_ptr<stream_state>;

void post_size(const stream_state& state, size_completion handler, std::size_t size) {
  const auto executor = state.channel.get_executor();
  if (!executor) return;  // its context is gone, and the handler with it
  const auto target = boost::asio::get_associated_executor(handler, executor);
  boost::asio::post(executor,
                    boost::asio::bind_executor(target, [h = std::move(handler), size]() mutable {
                      std::move(h)(boost::system::error_code(), size);
                    }));
}

/// `completion` with the executor and the slot of the handler that it holds.
template <class Completion>
auto like_its_handler(const stream_state& state, Completion completion) {
  const auto executor =
      boost::asio::get_associated_executor(completion.handler, state.channel.get_executor());
  const auto slot = boost::asio::get_associated_cancellation_slot(completion.handler);
  return boost::asio::bind_executor(
      executor, boost::asio::bind_cancellation_slot(slot, std::move(completion)));
}

void receive(size_completion handler, state_ptr state, boost::asio::mutable_buffer into);

struct received {
  void operator()(boost::system::error_code code, std::optional<message> arrived) {
    if (!arrived) {
      if (!code) code = boost::asio::error::eof;
      return std::move(handler)(code, std::size_t{0});
    }
    state->rest = std::move(*arrived).take();
    state->used = 0;
    if (state->has_rest()) {
      const std::size_t size = state->take(into);
      return std::move(handler)(code, size);
    }
    // An empty message is nothing in a stream, and must not look like its end.
    if (state->channel) return receive(std::move(handler), state, into);
    std::move(handler)(boost::asio::error::operation_aborted, std::size_t{0});
  }

  size_completion handler;
  state_ptr state;
  boost::asio::mutable_buffer into;
};

void receive(size_completion handler, state_ptr state, boost::asio::mutable_buffer into) {
  stream_state& shared = *state;
  received completion{std::move(handler), std::move(state), into};
  shared.channel.async_receive(like_its_handler(shared, std::move(completion)));
}

struct sent {
  void operator()(boost::system::error_code code) {
    const std::size_t taken = code ? 0 : size;
    std::move(handler)(code, taken);
  }

  size_completion handler;
  std::size_t size;
};

}  // namespace
}  // namespace detail

channel_stream::channel_stream(data_channel channel) {
  if (!channel) throw error(errc::type_error, "channel_stream: expected a channel, not none");
  const auto& init = channel.init();
  if (!init.ordered || init.max_retransmits || init.max_packet_life_time) {
    throw error(errc::type_error, "channel_stream: expected an ordered and reliable channel, \"" +
                                      channel.label().substr(0, 64) + "\" is not");
  }
  state_ = std::make_shared<detail::stream_state>(std::move(channel));
}

channel_stream::channel_stream(channel_stream&&) noexcept = default;

channel_stream& channel_stream::operator=(channel_stream&& other) noexcept {
  if (this != &other) {
    if (state_) state_->channel = data_channel();
    state_ = std::move(other.state_);
  }
  return *this;
}

channel_stream::~channel_stream() {
  // A pending operation keeps the state; the channel ends now.
  if (state_) state_->channel = data_channel();
}

channel_stream::executor_type channel_stream::get_executor() const {
  return state_->channel.get_executor();
}

data_channel& channel_stream::channel() noexcept { return state_->channel; }

void channel_stream::start_read(detail::size_completion handler, state_ptr state,
                                boost::asio::mutable_buffer into) {
  if (into.size() == 0 || state->has_rest()) {
    const std::size_t size = state->take(into);
    return detail::post_size(*state, std::move(handler), size);
  }
  detail::receive(std::move(handler), std::move(state), into);
}

void channel_stream::start_write(detail::size_completion handler, state_ptr state,
                                 std::vector<std::uint8_t> bytes) {
  if (bytes.empty()) return detail::post_size(*state, std::move(handler), 0);
  detail::sent completion{std::move(handler), bytes.size()};
  state->channel.async_send(std::move(bytes),
                            detail::like_its_handler(*state, std::move(completion)));
}

std::size_t channel_stream::max_write(const detail::stream_state& state) {
  const std::uint64_t of_peer = state.channel.native_handle()->max_message_size();
  return static_cast<std::size_t>(std::min<std::uint64_t>(detail::max_written, of_peer));
}

void teardown(boost::beast::role_type, channel_stream& stream, boost::system::error_code& code) {
  stream.channel().close();
  code = {};
}

void beast_close_socket(channel_stream& stream) { stream.channel().close(); }

}  // namespace asiortc::inline ASIORTC_ABI

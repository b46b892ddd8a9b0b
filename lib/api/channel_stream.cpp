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

using state_ptr = std::shared_ptr<stream_state>;

/// Calls `completion`, which holds a handler, on that handler's executor.
template <class Completion>
void post_for_its_handler(const stream_state& state, Completion completion) {
  const auto executor = state.channel.get_executor();
  if (!executor) return;  // its context is gone, and the handler with it
  const auto target = boost::asio::get_associated_executor(completion.handler, executor);
  boost::asio::post(executor, boost::asio::bind_executor(target, std::move(completion)));
}

struct nothing_done {
  void operator()() { std::move(handler)(boost::system::error_code(), std::size_t{0}); }

  size_completion handler;
};

/// Takes right before its handler is called and not when it begins, so that a read that is
/// cancelled in between takes nothing.
struct rest_read {
  void operator()() {
    boost::asio::get_associated_cancellation_slot(handler).clear();
    boost::system::error_code code;
    std::size_t size = 0;
    if (*cancelled) {
      code = boost::asio::error::operation_aborted;
    } else {
      size = state->take(into);
      if (size == 0) code = errc::in_use;  // another read that was pending took it
    }
    std::move(handler)(code, size);
  }

  size_completion handler;
  state_ptr state;
  boost::asio::mutable_buffer into;
  std::shared_ptr<bool> cancelled = std::make_shared<bool>(false);
};

void read_rest(size_completion handler, state_ptr state, boost::asio::mutable_buffer into) {
  const stream_state& shared = *state;
  rest_read completion{std::move(handler), std::move(state), into};
  auto slot = boost::asio::get_associated_cancellation_slot(completion.handler);
  if (slot.is_connected()) {
    slot.assign([flag = completion.cancelled](boost::asio::cancellation_type) { *flag = true; });
  }
  post_for_its_handler(shared, std::move(completion));
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

void send(size_completion handler, stream_state& state, std::vector<std::uint8_t> bytes) {
  const std::uint64_t of_peer = state.channel.native_handle()->max_message_size();
  if (bytes.size() > of_peer) bytes.resize(static_cast<std::size_t>(of_peer));
  sent completion{std::move(handler), bytes.size()};
  state.channel.async_send(std::move(bytes), like_its_handler(state, std::move(completion)));
}

/// What the peer takes is known.
struct opened {
  void operator()(boost::system::error_code code) {
    if (!code && !state->channel) code = boost::asio::error::operation_aborted;
    if (code) return std::move(handler)(code, std::size_t{0});
    send(std::move(handler), *state, std::move(bytes));
  }

  size_completion handler;
  state_ptr state;
  std::vector<std::uint8_t> bytes;
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
  if (into.size() == 0) {
    return detail::post_for_its_handler(*state, detail::nothing_done{std::move(handler)});
  }
  if (state->has_rest()) return detail::read_rest(std::move(handler), std::move(state), into);
  detail::receive(std::move(handler), std::move(state), into);
}

void channel_stream::start_write(detail::size_completion handler, state_ptr state,
                                 std::vector<std::uint8_t> bytes) {
  if (bytes.empty()) {
    return detail::post_for_its_handler(*state, detail::nothing_done{std::move(handler)});
  }
  detail::stream_state& shared = *state;
  if (shared.channel.state() != data_channel_state::connecting) {
    return detail::send(std::move(handler), shared, std::move(bytes));
  }
  detail::opened completion{std::move(handler), std::move(state), std::move(bytes)};
  shared.channel.async_open(detail::like_its_handler(shared, std::move(completion)));
}

void teardown(boost::beast::role_type, channel_stream& stream, boost::system::error_code& code) {
  stream.channel().close();
  code = {};
}

void beast_close_socket(channel_stream& stream) { stream.channel().close(); }

}  // namespace asiortc::inline ASIORTC_ABI

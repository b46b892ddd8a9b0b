#include "api/channel_state.hpp"

#include <asiortc/data_channel.hpp>

#include <utility>

namespace asiortc::inline ASIORTC_ABI {

data_channel::data_channel(std::shared_ptr<detail::channel_state> state) noexcept
    : state_(std::move(state)) {}

data_channel::data_channel(data_channel&&) noexcept = default;

data_channel& data_channel::operator=(data_channel&& other) noexcept {
  if (this != &other) {
    if (state_) state_->drop();
    state_ = std::move(other.state_);
  }
  return *this;
}

data_channel::~data_channel() {
  if (state_) state_->drop();
}

std::optional<message> data_channel::try_receive() { return state_->messages->try_pop(); }

void data_channel::set_max_unread(std::size_t bytes) {
  if (!init().max_retransmits && !init().max_packet_life_time) {
    throw error(
        errc::type_error,
        "set_max_unread: expected a channel with max_retransmits or max_packet_life_time, \"" +
            label().substr(0, 64) + "\" is reliable");
  }
  state_->max_unread = bytes;
}

std::uint64_t data_channel::messages_dropped() const { return state_->messages_dropped; }

void data_channel::close() { state_->close(); }

event_stream<state_change<data_channel_state>> data_channel::states() const {
  return event_stream(state_->states);
}

event_stream<buffered_amount_low_event> data_channel::buffered_amount_low() const {
  return event_stream(state_->low_events);
}

event_stream<message> data_channel::messages() const { return event_stream(state_->messages); }

data_channel_state data_channel::state() const { return state_->state(); }

std::optional<std::uint16_t> data_channel::id() const { return state_->id(); }

const std::string& data_channel::label() const { return state_->label; }

const data_channel_init& data_channel::init() const { return state_->init; }

std::size_t data_channel::buffered_amount() const { return state_->buffered_amount(); }

void data_channel::set_buffered_amount_low_threshold(std::size_t bytes) {
  state_->set_low_threshold(bytes);
}

std::size_t data_channel::buffered_amount_low_threshold() const { return state_->low_threshold; }

boost::asio::any_io_executor data_channel::get_executor() const { return state_->executor(); }

void data_channel::open_operation::operator()(detail::void_completion handler,
                                              state_ptr channel) const {
  channel->start_open(std::move(handler));
}

void data_channel::send_operation::operator()(detail::void_completion handler, state_ptr channel,
                                              message value) const {
  channel->start_send(std::move(handler), std::move(value));
}

void data_channel::flush_operation::operator()(detail::void_completion handler,
                                               state_ptr channel) const {
  channel->start_flush(std::move(handler));
}

void data_channel::close_operation::operator()(detail::void_completion handler,
                                               state_ptr channel) const {
  channel->start_close(std::move(handler));
}

}  // namespace asiortc::inline ASIORTC_ABI

// A pair of peers in this process, from nothing to a channel that is open on both sides.
#pragma once

#include <asiortc/asiortc.hpp>

#include <boost/asio.hpp>

#include <memory>
#include <optional>
#include <stdexcept>

namespace asiortc::bench {

namespace asio = boost::asio;

class local_pair {
 public:
  explicit local_pair(const asio::any_io_executor& executor) : first(executor), second(executor) {}

  asio::awaitable<void> connect() {
    const auto ends = make_signaling_pipe_pair(first.get_executor());
    first_session.emplace(negotiate(first, ends.first));
    second_session.emplace(negotiate(second, ends.second));
    sent.emplace(first.create_data_channel("bench"));
    co_await sent->async_open();
    const auto channels = second.data_channels();
    auto accepted = co_await channels.async_next();
    if (!accepted) throw std::runtime_error("no channel came");
    received.emplace(std::move(*accepted));
  }

  asio::awaitable<void> close() {
    co_await first.async_close();
    co_await second.async_close();
  }

  peer_connection first;
  peer_connection second;
  std::optional<negotiation> first_session;
  std::optional<negotiation> second_session;
  std::optional<data_channel> sent;
  std::optional<data_channel> received;
};

}  // namespace asiortc::bench

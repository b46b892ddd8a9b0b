// A peer connection that carries out commands; `steered.js` says how they are told.
#pragma once

#include <asiortc/asiortc.hpp>

#include <boost/asio/awaitable.hpp>
#include <nlohmann/json.hpp>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace interop {

using json = nlohmann::json;

class steered_connection : public std::enable_shared_from_this<steered_connection> {
 public:
  using signal_function = std::function<void(const std::string& data)>;

  steered_connection(const boost::asio::any_io_executor& executor, const json& how);

  /// Tells what this side has for the other one, until the connection ends.
  void start(signal_function signal);
  /// Throws for a command that is unknown or fails.
  boost::asio::awaitable<json> carry_out(const json& told);

 private:
  using pipe_ptr = std::shared_ptr<asiortc::signaling_pipe>;
  using pipes = std::pair<pipe_ptr, pipe_ptr>;
  using command = boost::asio::awaitable<json> (steered_connection::*)(json);

  steered_connection(const boost::asio::any_io_executor& executor, const json& how, pipes ends);
  asiortc::data_channel& channel(const json& told) const;
  json described(std::size_t index) const;
  std::size_t adopt(asiortc::data_channel made);
  boost::asio::awaitable<void> tell_signals(signal_function signal);
  boost::asio::awaitable<void> follow_states();

  boost::asio::awaitable<json> signal(json told);
  boost::asio::awaitable<json> offer(json told);
  boost::asio::awaitable<json> restart(json told);
  boost::asio::awaitable<json> stable(json told);
  boost::asio::awaitable<json> completed(json told);
  boost::asio::awaitable<json> open(json told);
  boost::asio::awaitable<json> accept(json told);
  boost::asio::awaitable<json> opened(json told);
  boost::asio::awaitable<json> send(json told);
  boost::asio::awaitable<json> receive(json told);
  boost::asio::awaitable<json> close(json told);
  boost::asio::awaitable<json> closed(json told);
  boost::asio::awaitable<json> largest(json told);
  boost::asio::awaitable<json> state(json told);
  boost::asio::awaitable<json> end(json told);
  boost::asio::awaitable<json> ended(json told);
  boost::asio::awaitable<json> churn(json told);

  asiortc::peer_connection connection_;
  pipe_ptr near_end_;
  pipe_ptr far_end_;
  asiortc::negotiation negotiation_;
  std::vector<std::string> states_;
  std::vector<std::unique_ptr<asiortc::data_channel>> channels_;
};

}  // namespace interop

#include "steered_connection.hpp"

#include "signaling/peer_data.hpp"
#include "steered_message.hpp"

#include <boost/asio.hpp>

#include <chrono>
#include <malloc.h>
#include <map>
#include <stdexcept>

namespace interop {
namespace {

namespace asio = boost::asio;

asiortc::data_channel_init init_of(const json& told) {
  asiortc::data_channel_init init;
  init.ordered = told.value("ordered", true);
  init.protocol = told.value("protocol", "");
  init.negotiated = told.value("negotiated", false);
  if (told.contains("id")) init.id = told.at("id").get<std::uint16_t>();
  if (told.contains("maxRetransmits")) {
    init.max_retransmits = told.at("maxRetransmits").get<std::uint16_t>();
  }
  if (told.contains("maxPacketLifeTime")) {
    init.max_packet_life_time =
        std::chrono::milliseconds(told.at("maxPacketLifeTime").get<std::uint16_t>());
  }
  return init;
}

}  // namespace

steered_connection::steered_connection(const asio::any_io_executor& executor, const json& how)
    : steered_connection(executor, how, asiortc::make_signaling_pipe_pair(executor)) {}

steered_connection::steered_connection(const asio::any_io_executor& executor, const json& how,
                                       pipes ends)
    : connection_(executor),
      near_end_(std::move(ends.first)),
      far_end_(std::move(ends.second)),
      negotiation_(asiortc::negotiate(connection_, near_end_,
                                      how.at("polite").get<bool>()
                                          ? asiortc::negotiation_role::polite
                                          : asiortc::negotiation_role::impolite)) {}

void steered_connection::start(signal_function signal) {
  const auto executor = connection_.get_executor();
  asio::co_spawn(executor, tell_signals(std::move(signal)), asio::detached);
  asio::co_spawn(executor, follow_states(), asio::detached);
}

asio::awaitable<void> steered_connection::tell_signals(signal_function signal) {
  const auto keep = shared_from_this();
  for (;;) {
    auto [ended, value] = co_await far_end_->async_receive(asio::as_tuple(asio::use_awaitable));
    if (!value) break;
    signal(asiortc::signaling::encode_peer_data(*value));
  }
}

asio::awaitable<void> steered_connection::follow_states() {
  const auto keep = shared_from_this();
  const auto states = connection_.connection_states();
  for (;;) {
    auto [ended, change] = co_await states.async_next(asio::as_tuple(asio::use_awaitable));
    if (!change) break;
    states_.emplace_back(to_string(change->state));
  }
}

asio::awaitable<json> steered_connection::carry_out(const json& told) {
  using self = steered_connection;
  static const std::map<std::string, command> commands = {
      {"signal", &self::signal},       {"offer", &self::offer},
      {"restart", &self::restart},     {"stable", &self::stable},
      {"open", &self::open},           {"accept", &self::accept},
      {"opened", &self::opened},       {"send", &self::send},
      {"receive", &self::receive},     {"close", &self::close},
      {"closed", &self::closed},       {"largest", &self::largest},
      {"state", &self::state},         {"end", &self::end},
      {"ended", &self::ended},         {"churn", &self::churn},
      {"completed", &self::completed},
  };
  const auto found = commands.find(told.at("do").get<std::string>());
  if (found == commands.end()) throw std::invalid_argument("unknown command");
  return (this->*found->second)(told);
}

asiortc::data_channel& steered_connection::channel(const json& told) const {
  return *channels_.at(told.at("channel").get<std::size_t>());
}

std::size_t steered_connection::adopt(asiortc::data_channel made) {
  channels_.push_back(std::make_unique<asiortc::data_channel>(std::move(made)));
  return channels_.size() - 1;
}

json steered_connection::described(std::size_t index) const {
  const auto& channel = *channels_.at(index);
  const auto& init = channel.init();
  const auto id = channel.id();
  json told;
  told["channel"] = index;
  told["label"] = channel.label();
  told["protocol"] = init.protocol;
  told["ordered"] = init.ordered;
  told["negotiated"] = init.negotiated;
  told["maxRetransmits"] = nullptr;
  told["maxPacketLifeTime"] = nullptr;
  told["id"] = nullptr;
  if (init.max_retransmits) told["maxRetransmits"] = *init.max_retransmits;
  if (init.max_packet_life_time) told["maxPacketLifeTime"] = init.max_packet_life_time->count();
  if (id) told["id"] = *id;
  return told;
}

asio::awaitable<json> steered_connection::signal(json told) {
  auto value = asiortc::signaling::decode_peer_data(told.at("signal").dump());
  if (!value) throw std::invalid_argument("not a signal");
  far_end_->send(std::move(*value));
  co_return nullptr;
}

asio::awaitable<json> steered_connection::offer(json) {
  co_await connection_.async_set_local_description();
  auto description = connection_.local_description();
  near_end_->send(std::move(*description));
  co_return nullptr;
}

asio::awaitable<json> steered_connection::restart(json) {
  connection_.restart_ice();
  co_return nullptr;
}

asio::awaitable<json> steered_connection::stable(json) {
  const auto states = connection_.signaling_states();
  while (connection_.signaling_state() != asiortc::signaling_state::stable) {
    const auto change = co_await states.async_next();
    if (!change) throw std::runtime_error("the connection ended");
  }
  co_return nullptr;
}

/// ICE is, which a restart undoes. Told is whether the other side, too, has checked the way taken.
asio::awaitable<json> steered_connection::completed(json) {
  const auto states = connection_.ice_connection_states();
  while (connection_.ice_connection_state() != asiortc::ice_connection_state::completed) {
    const auto change = co_await states.async_next();
    if (!change) throw std::runtime_error("the connection ended");
  }
  const auto report = co_await connection_.async_get_stats();
  const auto selected = report.transports.front().selected_candidate_pair_id.value_or("");
  const auto* const pair = asiortc::find_stats(report.candidate_pairs, selected);
  co_return pair != nullptr && pair->responses_sent != 0;
}

asio::awaitable<json> steered_connection::open(json told) {
  auto init = init_of(told.value("init", json::object()));
  co_return adopt(connection_.create_data_channel(told.at("label").get<std::string>(), init));
}

asio::awaitable<json> steered_connection::accept(json) {
  const auto arrivals = connection_.data_channels();
  auto arrived = co_await arrivals.async_next();
  if (!arrived) throw std::runtime_error("the connection ended before a channel came");
  co_return described(adopt(std::move(*arrived)));
}

asio::awaitable<json> steered_connection::opened(json told) {
  co_await channel(told).async_open();
  co_return described(told.at("channel").get<std::size_t>());
}

asio::awaitable<json> steered_connection::send(json told) {
  auto value = message_of(told.at("message"));
  co_await channel(told).async_send(std::move(value));
  co_return nullptr;
}

asio::awaitable<json> steered_connection::receive(json told) {
  const auto received = co_await channel(told).async_receive();
  if (!received) co_return nullptr;
  co_return describe(*received);
}

asio::awaitable<json> steered_connection::close(json told) {
  channel(told).close();
  co_return nullptr;
}

// Its end, whoever closed it.
asio::awaitable<json> steered_connection::closed(json told) {
  const auto states = channel(told).states();
  while (channel(told).state() != asiortc::data_channel_state::closed) {
    const auto change = co_await states.async_next();
    if (!change) break;
  }
  co_return nullptr;
}

asio::awaitable<json> steered_connection::largest(json) {
  co_return connection_.sctp()->max_message_size;
}

asio::awaitable<json> steered_connection::state(json) {
  json told;
  told["signalingState"] = to_string(connection_.signaling_state());
  told["iceConnectionState"] = to_string(connection_.ice_connection_state());
  told["connectionState"] = to_string(connection_.connection_state());
  told["states"] = states_;
  told["detail"] = connection_.last_error_detail();
  co_return told;
}

asio::awaitable<json> steered_connection::end(json) {
  co_await connection_.async_close();
  co_return nullptr;
}

// However it ends; the other side may just be gone.
asio::awaitable<json> steered_connection::ended(json) {
  const auto [reason] = co_await negotiation_.async_wait(asio::as_tuple(asio::use_awaitable));
  co_return reason.message();
}

/// Opens channels, has a text echoed on each and closes it, one after another, and says each one's
/// id, and how much memory was in use after the first tenth of them and at the end. (What Chromium
/// gets on a channel that is closed before its page has seen it, it loses.)
asio::awaitable<json> steered_connection::churn(json told) {
  const auto count = told.at("count").get<std::size_t>();
  std::vector<std::uint16_t> ids;
  ids.reserve(count);
  json memory;
  for (std::size_t index = 1; index <= count; ++index) {
    auto channel = connection_.create_data_channel(std::to_string(index));
    co_await channel.async_open();
    ids.push_back(channel.id().value());
    co_await channel.async_send(std::to_string(index));
    const auto echo = co_await channel.async_receive();
    if (!echo || echo->text() != channel.label()) throw std::runtime_error("not echoed");
    co_await channel.async_close();
    if (index % (count / 10) == 0) memory.push_back(mallinfo2().uordblks);
  }
  json result;
  result["ids"] = ids;
  result["memory"] = memory;
  co_return result;
}

}  // namespace interop

#include "chat.hpp"

#include "say.hpp"
#include "shared/text.hpp"
#include "tuple_token.hpp"

#include <asiortc/udp_mux.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <exception>
#include <utility>

namespace peer_cli {
namespace {

namespace asio = boost::asio;

/// A user who wants to leave does not wait for somebody who has fallen silent.
constexpr std::chrono::seconds impatience(1);

/// Before the room is entered again; doubled each time, as long as no stay was longer than the
/// most.
constexpr std::chrono::milliseconds first_pause(250);
constexpr std::chrono::milliseconds longest_pause(8000);

void apply(const chat_options& options, asiortc::configuration& config) {
  for (const auto& url : options.stun) config.ice_servers.emplace_back(url);
  for (const auto& url : options.turn) {
    if (options.no_relay) continue;
    asiortc::ice_server server(url);
    server.username = options.turn_user;
    server.credential = options.turn_password;
    config.ice_servers.push_back(std::move(server));
  }
  if (options.log) {
    config.log_threshold = *options.log;
    config.log = [](asiortc::log_level, std::string_view layer, std::string_view line) {
      tell(std::string(layer) + ": " + std::string(line));
    };
  }
  config.turn_trusted_certificates = options.turn_trusted;
  config.ice_tcp = options.ice_tcp;
  if (options.relay_only) config.ice_transport_policy = asiortc::ice_transport_policy::relay;
}

}  // namespace

chat::chat(asio::io_context& context, const chat_options& options)
    : context_(context),
      options_(options),
      entrance_(context.get_executor(), options.server, options.room, options.name),
      input_(context.get_executor()),
      output_(context.get_executor()),
      change_(context, asio::steady_timer::time_point::max()),
      alarm_(context),
      parting_(context) {
  // One certificate for all connections: the others know us by it when a server gives new ids.
  const asiortc::certificate_options validity(std::chrono::system_clock::now());
  config_.certificates.push_back(asiortc::certificate::generate(validity));
  apply(options, config_);
  if (options.udp_mux) {
    asiortc::udp_mux_options shared;
    shared.port = *options.udp_mux;
    config_.udp_mux = std::make_shared<asiortc::udp_mux>(context.get_executor(), shared);
  }
  const asiortc::peer_connection checks_the_configuration(context, config_);
}

void chat::start() {
  if (config_.udp_mux) {
    tell("all connections use UDP port " + std::to_string(config_.udp_mux->port()));
  }
  spawn(run());
  spawn(stay_in_room());
  spawn(read_input());
  spawn(deliver());
}

asio::awaitable<void> chat::run() {
  while (!finished_) co_await wait_for_change();
  try {
    co_await close_all();
    // Where the server is ours, it tells the others that we leave before it ends.
    while (client_ != nullptr && entrance_.serves()) co_await wait_for_change();
    co_await entrance_.leave();
  } catch (const std::exception& unexpected) {
    complain(shared::plain_what(unexpected));
    code_ = exit_code::failure;
  }
  context_.stop();
}

void chat::stop() {
  user_left_ = true;
  finish(exit_code::ok);
  abort_after(impatience);
}

void chat::spawn(asio::awaitable<void> task) {
  asio::co_spawn(context_, std::move(task), [this](std::exception_ptr thrown) {
    if (!thrown) return;
    try {
      std::rethrow_exception(thrown);
    } catch (const no_entrance& closed) {
      complain(closed.what());
      finish(closed.code());
    } catch (const std::exception& unexpected) {
      complain(shared::plain_what(unexpected));
      finish(exit_code::failure);
    }
  });
}

void chat::finish(exit_code code) {
  if (finished_) return;
  finished_ = true;
  code_ = code;
  leave_room();
  changed();
}

void chat::changed() { change_.cancel(); }

asio::awaitable<void> chat::wait_for_change() {
  auto [cancelled] = co_await change_.async_wait(tuple_token);
  static_cast<void>(cancelled);
}

// The room.

asio::awaitable<void> chat::stay_in_room() {
  auto pause = first_pause;
  while (!finished_) {
    try {
      auto client = co_await entrance_.enter();
      const auto entered = std::chrono::steady_clock::now();
      client_ = &client;
      co_await follow(client);
      if (std::chrono::steady_clock::now() - entered > longest_pause) pause = first_pause;
      for (const auto& peer : links_) peer->present = false;
      co_await client.async_close(asio::use_awaitable);
    } catch (const no_entrance&) {
      if (!joined_) throw;  // later on, the links that are there go on without a server
    } catch (...) {
      client_ = nullptr;
      throw;
    }
    client_ = nullptr;
    changed();
    if (finished_) co_return;
    if (!std::exchange(returning_, false)) tell("signaling: lost the server, trying again");
    asio::steady_timer timer(context_, pause);
    co_await timer.async_wait(asio::use_awaitable);
    pause = std::min(pause * 2, longest_pause);
  }
}

// Before the connections are closed: who comes now meets somebody who stays.
void chat::leave_room() {
  if (client_ != nullptr) client_->async_close(asio::detached);
}

asio::awaitable<void> chat::follow(asiortc::signaling_client& client) {
  tell("signaling: joined " + options_.room +
       (options_.name.empty() ? " without a name" : " as " + options_.name));
  const auto events = client.events();
  for (const auto& peer : client.peers()) {
    if (client.pipe_to(peer.id)->polite().value_or(false)) meet(client, peer, true);
  }
  joined_ = true;
  changed();
  while (!finished_) {
    auto [ended, event] = co_await events.async_next(tuple_token);
    if (!event) break;
    if (event->kind == asiortc::signaling_event_kind::peer_joined) {
      meet(client, event->peer, false);
    } else if (event->kind == asiortc::signaling_event_kind::peer_left) {
      went_away(*event);
    } else if (event->kind == asiortc::signaling_event_kind::refused) {
      tell("signaling: " + event->code + ": " + event->message);
    }
  }
}

}  // namespace peer_cli

#include "chat.hpp"

#include "text.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <iostream>
#include <set>
#include <utility>

namespace peer_cli {
namespace {

namespace asio = boost::asio;

constexpr auto tuple_token = asio::as_tuple(asio::use_awaitable);
/// What browsers and asiortc accept as one message.
constexpr std::size_t max_line_bytes = 262144;
/// Lines that wait for somebody; past it nothing more is read, and nothing is lost.
constexpr std::size_t max_unsent_lines = 4096;

void tell(const std::string& line) { std::cerr << "* " + line + '\n'; }

void show(const std::string& name, std::string_view text) {
  std::cout << name + ": " + printable(text) + '\n' << std::flush;
}

}  // namespace

chat::chat(asio::io_context& context, const chat_options& options)
    : context_(context),
      options_(options),
      entrance_(context.get_executor(), options.server, options.room, options.name),
      input_(context.get_executor(), max_line_bytes),
      change_(context, asio::steady_timer::time_point::max()) {
  // One certificate for all connections: the others know us by it when a server gives new ids.
  const asiortc::certificate_options validity(std::chrono::system_clock::now());
  config_.certificates.push_back(asiortc::certificate::generate(validity));
  for (const auto& url : options.stun) config_.ice_servers.emplace_back(url);
  const asiortc::peer_connection checks_the_configuration(context, config_);
}

asio::awaitable<exit_code> chat::run() {
  spawn(stay_in_room());
  spawn(read_input());
  spawn(deliver());
  if (options_.wait) spawn(bound_the_wait());
  while (!finished_) co_await wait_for_change();
  co_await close_all();
  co_await entrance_.leave();
  co_return code_;
}

void chat::stop() { finish(exit_code::ok); }

void chat::spawn(asio::awaitable<void> task) {
  asio::co_spawn(context_, std::move(task), [this](std::exception_ptr thrown) {
    if (!thrown) return;
    try {
      std::rethrow_exception(thrown);
    } catch (const no_server& unreachable) {
      std::cerr << "peer_cli: " << printable(unreachable.what()) << '\n';
      finish(exit_code::no_server);
    } catch (const std::exception& unexpected) {
      std::cerr << "peer_cli: " << printable(unexpected.what()) << '\n';
      finish(exit_code::failure);
    }
  });
}

void chat::finish(exit_code code) {
  if (finished_) return;
  finished_ = true;
  code_ = code;
  changed();
}

void chat::changed() { change_.cancel(); }

asio::awaitable<void> chat::wait_for_change() {
  auto [cancelled] = co_await change_.async_wait(tuple_token);
  static_cast<void>(cancelled);
}

// The room.

asio::awaitable<void> chat::stay_in_room() {
  std::chrono::milliseconds pause(250);
  bool been_there = false;
  while (!finished_) {
    try {
      auto client = co_await entrance_.enter();
      been_there = true;
      pause = std::chrono::milliseconds(250);
      co_await follow(client);
      co_await client.async_close(asio::use_awaitable);
    } catch (const no_server&) {
      if (!been_there) throw;  // later on, the links that are there go on without a server
    }
    if (finished_) co_return;
    tell("signaling: lost the server, trying again");
    asio::steady_timer timer(context_, pause);
    co_await timer.async_wait(asio::use_awaitable);
    pause = std::min(pause * 2, std::chrono::milliseconds(8000));
  }
}

asio::awaitable<void> chat::follow(asiortc::signaling_client& client) {
  tell("signaling: joined " + options_.room + " as " + printable(options_.name));
  const auto events = client.events();
  for (const auto& peer : client.peers()) {
    if (client.pipe_to(peer.id)->polite().value_or(false)) meet(client, peer, true);
  }
  while (!finished_) {
    auto [ended, event] = co_await events.async_next(tuple_token);
    if (!event) break;
    if (event->kind == asiortc::signaling_event_kind::peer_joined) {
      meet(client, event->peer, false);
    } else if (event->kind == asiortc::signaling_event_kind::refused) {
      tell("signaling: " + printable(event->code + ": " + event->message));
    }
  }
}

void chat::meet(const asiortc::signaling_client& client, const asiortc::signaling_peer& peer,
                bool we_came_later) {
  auto pipe = client.pipe_to(peer.id);
  auto made = std::make_shared<link>(context_.get_executor(), config_, peer, std::move(pipe));
  links_.push_back(made);
  spawn(tell_states(made));
  spawn(tell_pairs(made));
  spawn(carry(made, we_came_later));
}

void chat::forget(const link_ptr& peer) {
  std::erase(links_, peer);
  peer->connection.close();
  changed();
}

// One link.

asio::awaitable<void> chat::open_channel(link_ptr peer, bool we_came_later) {
  if (we_came_later) {
    peer->chat = peer->connection.create_data_channel("chat");
  } else {
    const auto channels = peer->connection.data_channels();
    while (!peer->chat) {
      auto channel = co_await channels.async_next(asio::use_awaitable);
      if (!channel) co_return;
      if (channel->label() == "chat") peer->chat = std::move(channel);
    }
  }
  co_await peer->chat->async_open(asio::use_awaitable);
  peer->identify();
  somebody_came_ = true;
  changed();
}

asio::awaitable<void> chat::carry(link_ptr peer, bool we_came_later) {
  try {
    co_await open_channel(peer, we_came_later);
    while (peer->chat) {
      auto message = co_await peer->chat->async_receive(asio::use_awaitable);
      if (!message) break;
      show(peer->name, message->text());
    }
  } catch (const boost::system::system_error&) {
    // The states tell why.
  }
  forget(peer);
}

asio::awaitable<void> chat::tell_states(link_ptr peer) {
  const auto states = peer->connection.connection_states();
  for (;;) {
    auto [ended, change] = co_await states.async_next(tuple_token);
    if (!change) co_return;
    std::string line = peer->name + ": " + std::string(to_string(change->state));
    const bool told = change->reason && change->reason != asiortc::errc::closed;
    if (told) line += " (" + change->reason.message() + ")";
    tell(line);
    // The pipe of a link that failed may be gone, so nobody could restart it.
    if (change->state == asiortc::connection_state::failed) forget(peer);
  }
}

asio::awaitable<void> chat::tell_pairs(link_ptr peer) {
  const auto pairs = peer->connection.selected_candidate_pairs();
  for (;;) {
    auto [ended, pair] = co_await pairs.async_next(tuple_token);
    if (!pair) co_return;
    tell(peer->name + ": connected via " + printable(to_string(*pair)));
  }
}

// The lines.

asio::awaitable<void> chat::read_input() {
  while (!finished_) {
    if (unsent_.size() >= max_unsent_lines) {
      co_await wait_for_change();
      continue;
    }
    auto line = co_await input_.next();
    if (!line) break;
    if (line->dropped_bytes != 0) {
      tell("a line of " + std::to_string(line->dropped_bytes) +
           " bytes was not sent: at most 262144 are possible");
      code_ = exit_code::failure;
      continue;
    }
    unsent_.push_back(valid_utf8(line->text));
    changed();
  }
  input_ended_ = true;
  changed();
}

asio::awaitable<void> chat::deliver() {
  while (!finished_) {
    if (!unsent_.empty() && !open_links().empty()) {
      std::string text = std::move(unsent_.front());
      unsent_.pop_front();
      co_await send_to_all(std::move(text));
      changed();
      continue;
    }
    if (unsent_.empty() && input_ended_) co_return finish(code_);
    co_await wait_for_change();
  }
}

asio::awaitable<void> chat::send_to_all(std::string text) {
  const auto receivers = open_links();
  for (const auto& peer : receivers) {
    std::string copy = text;
    // A link that ends is told by its states; the others get the line all the same.
    auto [ended] = co_await peer->chat->async_send(std::move(copy), tuple_token);
    static_cast<void>(ended);
  }
}

// After a change of servers the same process is met again under a new id. Its oldest link that
// works goes on, and the new one stands by.
std::vector<chat::link_ptr> chat::open_links() const {
  std::vector<link_ptr> found;
  std::set<std::string> persons;
  for (const auto& peer : links_) {
    if (peer->is_open() && persons.insert(peer->person).second) found.push_back(peer);
  }
  return found;
}

asio::awaitable<void> chat::bound_the_wait() {
  asio::steady_timer timer(context_, *options_.wait);
  auto [cancelled] = co_await timer.async_wait(tuple_token);
  static_cast<void>(cancelled);
  if (somebody_came_ || finished_) co_return;
  std::cerr << "peer_cli: nobody came to " << options_.room << " within " << options_.wait->count()
            << " s; " << unsent_.size() << " lines were not delivered\n";
  finish(exit_code::nobody_came);
}

asio::awaitable<void> chat::close_all() {
  const auto leaving = std::exchange(links_, {});
  for (const auto& peer : leaving) {
    if (!peer->is_open()) {
      peer->connection.close();
      continue;
    }
    auto [not_flushed] = co_await peer->chat->async_flush(tuple_token);
    if (!not_flushed) continue;
    tell(peer->name + ": not all lines were delivered");
    code_ = exit_code::failure;
  }
  for (const auto& peer : leaving) co_await peer->connection.async_close(asio::use_awaitable);
}

}  // namespace peer_cli

// What a chat does with each of its links.
#include "chat.hpp"
#include "say.hpp"
#include "shared/text.hpp"
#include "tuple_token.hpp"
#include "way.hpp"

#include <asiortc/error.hpp>

#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace peer_cli {

namespace asio = boost::asio;

namespace {

/// The user's servers, and those that the room recommends, as far as they make sense.
asiortc::configuration with_servers_of(const asiortc::signaling_client& client,
                                       asiortc::configuration config, bool no_relay) {
  for (auto server : client.ice_servers()) {
    try {
      asiortc::check_ice_server(server);
      if (no_relay) std::erase_if(server.urls, is_turn_url);
      if (!server.urls.empty()) config.ice_servers.push_back(server);
    } catch (const asiortc::error& unusable) {
      tell(std::string("the signaling server recommends what cannot be used: ") +
           shared::plain_what(unusable));
    }
  }
  return config;
}

/// What a mesh of chats can make use of, and more than a room holds unless configured.
constexpr std::size_t max_links = 512;
/// Tries to reach those whose connection failed, within the period.
constexpr std::size_t max_returns = 3;
constexpr std::chrono::minutes return_period(10);
/// For the other side to find out by itself why the connection failed.
constexpr std::chrono::seconds time_to_notice(2);

/// Whether it ended because of what the other side said, not because it left.
bool refused(const asiortc::state_change<asiortc::connection_state>& change) {
  return change.state == asiortc::connection_state::closed && change.reason &&
         change.reason != asiortc::errc::closed && change.reason != asiortc::errc::remote_closed &&
         change.reason != asiortc::errc::signaling_lost;
}

}  // namespace

void chat::meet(const asiortc::signaling_client& client, const asiortc::signaling_peer& peer,
                bool we_came_later) {
  if (finished_) return;
  if (links_.size() >= max_links) {
    if (std::exchange(crowded_, true)) return;
    return tell("the room is too crowded: at most " + std::to_string(max_links) +
                " of the others are met");
  }
  const auto now = std::chrono::steady_clock::now();
  auto pipe = client.pipe_to(peer.id);
  auto made = std::make_shared<link>(context_.get_executor(),
                                     with_servers_of(client, config_, options_.no_relay), peer,
                                     std::move(pipe), we_came_later, log_.for_newcomer(now));
  made->due = now + patience;
  made->we_return = client.id() > peer.id;
  links_.push_back(made);
  ++busy_;
  spawn(tell_states(made));
  spawn(tell_pairs(made));
  spawn(carry(made));
}

// Who has left before there was a connection will never be reached. A connection that is there
// tells its own end, after all that was said over it; one that is lost may be replaced by another
// of the same person, who came back.
void chat::went_away(const asiortc::signaling_event& event) {
  const auto found = std::find_if(links_.begin(), links_.end(), [&](const auto& peer) {
    return peer->id == event.peer.id && peer->present;
  });
  if (found == links_.end()) return;
  const auto peer = *found;
  peer->present = false;
  const bool never_met =
      peer->is_on_the_way() || (peer->now == link::stage::astray && peer->person.empty());
  if (!never_met || event.reason == asiortc::leave_reason::timeout) return;
  const auto missed = log_.end() - *peer->place;
  if (missed != 0)
    tell(peer->name +
         ": left before it was reached; lines that it missed: " + std::to_string(missed));
  forget(peer);
}

void chat::forget(const link_ptr& peer) {
  std::erase(links_, peer);
  peer->connection.close();
  changed();
}

void chat::lose(const link_ptr& peer) {
  if (finished_ || peer->overdue) return forget(peer);
  peer->now = link::stage::astray;
  peer->due = std::chrono::steady_clock::now() + patience;
  peer->connection.close();
  changed();
}

// A connection whose consent has expired cannot be mended, nor can both sides be told to replace
// it over the pipe: only one of them may have noticed. A new id is understood by all, web pages
// too.
void chat::meet_again(const link_ptr& peer) {
  if (!peer->present || client_ == nullptr || finished_ || returning_) return;
  const auto now = std::chrono::steady_clock::now();
  while (!returns_.empty() && returns_.front() + return_period < now) returns_.pop_front();
  if (returns_.size() >= max_returns) {
    return tell(peer->name + ": could not be reached again and again, and is left alone for now");
  }
  returns_.push_back(now);
  returning_ = true;
  tell("signaling: joining again, to reach " + peer->name);
  client_->async_close(asio::detached);
}

void chat::take_place(const link_ptr& peer) {
  peer->now = link::stage::met;
  peer->overdue = false;
  const auto same_person = [&](const auto& other) {
    return other != peer && !peer->person.empty() && other->person == peer->person;
  };
  const auto before = std::find_if(links_.begin(), links_.end(), same_person);
  const auto forerunner = std::find_if(links_.begin(), links_.end(), [&](const auto& other) {
    return other->now == link::stage::astray && other->person.empty() && other->name == peer->name;
  });
  if (before != links_.end()) {
    peer->place = (*before)->place;
  } else if (forerunner != links_.end()) {
    *peer->place = std::min(*peer->place, *(*forerunner)->place);
    links_.erase(forerunner);
  }
  std::erase_if(links_, [&](const auto& other) {
    return other->now == link::stage::astray && same_person(other);
  });
}

asio::awaitable<void> chat::open_channel(link_ptr peer) {
  if (peer->we_came_later) {
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
  take_place(peer);
  peer->opened_at = std::chrono::steady_clock::now();
  somebody_came_ = true;
  co_await tell_round_trip(peer);
  tell(peer->name + ": chat is open");
  changed();
}

// A pair can be in use before a check has measured it; by the time the channel is open, one has.
asio::awaitable<void> chat::tell_round_trip(link_ptr peer) {
  if (peer->measured) co_return;
  auto table = co_await peer->connection.async_candidate_pairs(asio::use_awaitable);
  const auto pair = pair_in_use(table);
  if (pair && pair->round_trip_time) tell(peer->name + ": " + describe(*pair));
}

asio::awaitable<void> chat::carry(link_ptr peer) {
  try {
    co_await open_channel(peer);
    while (peer->chat) {
      auto message = co_await peer->chat->async_receive(asio::use_awaitable);
      if (!message) break;
      std::string line = shown(peer->name, message->text());
      co_await output_.write(std::move(line));
      if (output_.failed()) finish(exit_code::failure);
    }
  } catch (const boost::system::system_error&) {
    // The states tell why.
  }
  peer->carrying = false;
  --busy_;
  // Who was on the way when the server was lost comes back, as we do.
  const bool comes_back = peer->now == link::stage::arriving &&
                          peer->connection.end_reason() == asiortc::errc::signaling_lost;
  if (comes_back) {
    peer->owed_end = log_.end();
    lose(peer);
  } else if (peer->now == link::stage::astray) {
    changed();
  } else {
    forget(peer);
  }
}

asio::awaitable<void> chat::tell_states(link_ptr peer) {
  const auto states = peer->connection.connection_states();
  for (;;) {
    auto [ended, change] = co_await states.async_next(tuple_token);
    if (!change) co_return;
    std::string line = peer->name + ": " + std::string(to_string(change->state));
    const bool told = change->reason && change->reason != asiortc::errc::closed;
    if (told) line += " (" + change->reason.message() + ")";
    if (told && !change->detail.empty()) line += ": " + shared::printable(change->detail);
    tell(line);
    if (refused(*change)) {
      code_ = exit_code::failure;
      failed_at_ = std::chrono::steady_clock::now();
    }
    if (change->state == asiortc::connection_state::failed) fail(peer);
  }
}

void chat::fail(const link_ptr& peer) {
  failed_at_ = std::chrono::steady_clock::now();
  lose(peer);
  if (peer->we_return) spawn(return_soon(peer));
}

asio::awaitable<void> chat::return_soon(link_ptr peer) {
  asio::steady_timer timer(context_, time_to_notice);
  co_await timer.async_wait(asio::use_awaitable);
  meet_again(peer);
}

asio::awaitable<void> chat::tell_pairs(link_ptr peer) {
  const auto pairs = peer->connection.selected_candidate_pairs();
  for (;;) {
    auto [ended, pair] = co_await pairs.async_next(tuple_token);
    if (!pair) co_return;
    peer->measured = pair->round_trip_time.has_value();
    tell(peer->name + ": " + describe(*pair));
  }
}

// After a change of servers the same process is met again under a new id. Its oldest link that
// works goes on, and the new one stands by.
std::vector<chat::link_ptr> chat::open_links() const {
  std::map<std::string, link_ptr> found;
  for (const auto& peer : links_) {
    if (!peer->is_open()) continue;
    auto& best = found[peer->person];
    if (!best || (!best->is_connected() && peer->is_connected())) best = peer;
  }
  std::vector<link_ptr> links;
  links.reserve(found.size());
  for (const auto& [person, peer] : found) links.push_back(peer);
  return links;
}

}  // namespace peer_cli

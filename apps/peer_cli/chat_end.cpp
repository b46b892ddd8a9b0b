// When a chat ends, and how.
#include "chat.hpp"
#include "say.hpp"
#include "tuple_token.hpp"

#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <string>
#include <utility>

namespace peer_cli {
namespace {

namespace asio = boost::asio;

/// For the others to finish what they are saying when we have said everything.
constexpr std::chrono::seconds parting_time(5);
/// With somebody whose channel has just opened. Two that both have little to say would else miss
/// each other: the faster one would have left before the other one sees that the channel is open.
constexpr std::chrono::milliseconds shortest_stay(300);
/// After the end of the input, before it is said whom the end waits for.
constexpr std::chrono::seconds silent_wait(2);
/// For somebody to come after the end of the input, once a connection has failed.
constexpr std::chrono::seconds last_wait(30);

}  // namespace

bool chat::holds_back(const link& peer, time_point now) const {
  switch (peer.now) {
    case link::stage::arriving:
      return !peer.overdue && now < peer.due;
    case link::stage::astray:
      // One who was never met may have lines for us.
      return now < peer.due && (peer.person.empty() || *peer.place < log_.end());
    case link::stage::met:
      break;
  }
  if (peer.sending || peer.confirming) return true;
  return peer.is_open() && (*peer.place < log_.end() || now < peer.opened_at + shortest_stay);
}

/// A user who gave `--wait` wants to meet somebody, also without anything to say.
bool chat::all_delivered(time_point now) const {
  const auto holds = [&](const auto& peer) { return holds_back(*peer, now); };
  return input_ended_ && joined_ && log_.all_said() && (somebody_came_ || !options_.wait) &&
         std::none_of(links_.begin(), links_.end(), holds);
}

void chat::tell_who_holds_back(time_point now) {
  if (!input_ended_ || now < input_ended_at_ + silent_wait) return;
  for (const auto& peer : links_) {
    if (!holds_back(*peer, now) || std::exchange(peer->excused, true)) continue;
    tell("waiting for " + peer->name +
         (peer->now == link::stage::met ? " to take what was said" : " to be reached"));
  }
}

std::optional<chat::time_point> chat::end_of_wait() const {
  if (!lonely_since_) return std::nullopt;
  if (options_.wait) return *lonely_since_ + *options_.wait;
  if (!input_ended_ || !failed_at_) return std::nullopt;
  return std::max({*lonely_since_, *failed_at_, input_ended_at_}) + last_wait;
}

void chat::bound_the_wait(time_point now) {
  const bool lonely = open_links().empty() && (!log_.all_said() || !somebody_came_);
  if (!lonely) {
    lonely_since_.reset();
  } else if (!lonely_since_) {
    lonely_since_ = now;
  }
  const auto end = end_of_wait();
  if (!end || now < *end) return;
  const auto waited = std::chrono::duration_cast<std::chrono::seconds>(now - *lonely_since_);
  const auto left = log_.end() - log_.said();
  const std::string how = " within " + std::to_string(waited.count()) + " s; " +
                          std::to_string(left) +
                          (left == 1 ? " line was not delivered" : " lines were not delivered");
  if (!joined_) {
    complain(entrance_.url() + ": no answer" + how);
    return finish(exit_code::no_server);
  }
  const bool nobody = code_ == exit_code::ok && !failed_at_;
  complain((nobody ? "nobody came to " : "nobody could be reached in ") + options_.room + how);
  finish(nobody ? exit_code::nobody_came : exit_code::failure);
}

void chat::wake_for_the_next_deadline(time_point now) {
  auto next = end_of_wait().value_or(time_point::max());
  const auto consider = [&](time_point time) {
    if (time > now) next = std::min(next, time);
  };
  if (input_ended_) consider(input_ended_at_ + silent_wait);
  for (const auto& peer : links_) {
    consider(peer->now == link::stage::met ? peer->opened_at + shortest_stay : peer->due);
  }
  alarm_.expires_at(next);
  alarm_.async_wait([this](boost::system::error_code cancelled) {
    if (!cancelled) changed();
  });
}

void chat::abort_after(std::chrono::seconds time) {
  parting_.expires_after(time);
  parting_.async_wait([this](boost::system::error_code cancelled) {
    if (cancelled) return;
    for (const auto& peer : links_) peer->connection.close();
    if (user_left_) output_.abandon();
  });
}

asio::awaitable<void> chat::close_all() {
  const auto leaving = links_;
  for (const auto& peer : leaving) {
    while (peer->confirming) co_await wait_for_change();
    // The others learn of the end from the channel, and what they said before still comes.
    peer->now == link::stage::met ? peer->chat->close() : peer->connection.close();
  }
  if (!user_left_) abort_after(parting_time);
  for (const auto& peer : leaving) {
    while (peer->carrying) co_await wait_for_change();
    co_await peer->connection.async_close(asio::use_awaitable);
  }
  while (busy_ != 0) co_await wait_for_change();
}

}  // namespace peer_cli

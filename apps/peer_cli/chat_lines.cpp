// How the lines of a chat go from the input to the others.
#include "chat.hpp"
#include "say.hpp"
#include "shared/text.hpp"
#include "tuple_token.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

namespace peer_cli {
namespace {

namespace asio = boost::asio;

constexpr auto* left = ": left before it had every line";
constexpr auto* given_up =
    ": took nothing for 10 s while others waited, and was given up before it had every line";

std::string in_words(line_log::place lines) {
  return std::to_string(lines) + (lines == 1 ? " line was" : " lines were");
}

}  // namespace

asio::awaitable<void> chat::read_input() {
  while (!finished_) {
    if (log_.full()) {
      co_await wait_for_change();
      continue;
    }
    auto line = co_await input_.next();
    if (!line) break;
    std::string text = shared::valid_utf8(line->text);
    if (line->dropped_bytes != 0 || text.size() > line_reader::max_line_bytes) {
      lost("a line of " + std::to_string(line->dropped_bytes + text.size()) +
           " bytes was not sent: at most " + std::to_string(line_reader::max_line_bytes) +
           " are possible");
      continue;
    }
    note(std::move(text));
    changed();
  }
  if (input_.error()) {
    complain("standard input cannot be read: " + input_.error().message());
    code_ = exit_code::failure;
  }
  input_ended_ = true;
  input_ended_at_ = std::chrono::steady_clock::now();
  changed();
}

/// Whom we have not met yet gets what is said meanwhile, for a while.
void chat::note(std::string line) {
  const auto due = std::chrono::steady_clock::now() + patience;
  for (const auto& peer : links_) {
    if (peer->now == link::stage::arriving && *peer->place == log_.end()) peer->due = due;
  }
  log_.add(std::move(line));
}

asio::awaitable<void> chat::deliver() {
  while (!finished_) {
    const auto now = std::chrono::steady_clock::now();
    give_up_the_unreached(now);
    send_to_all();
    drop_what_nobody_needs(now);
    if (all_delivered(now)) co_return finish(code_);
    tell_who_holds_back(now);
    bound_the_wait(now);
    wake_for_the_next_deadline(now);
    co_await wait_for_change();
  }
}

void chat::give_up_the_unreached(time_point now) {
  const auto waiting = links_;
  for (const auto& peer : waiting) {
    if (peer->now == link::stage::met || (now < peer->due && !peer->overdue)) continue;
    // What nobody has heard still waits for who comes first.
    const auto owed = std::min(log_.said(), peer->owed_end);
    const auto missed = owed - std::min(*peer->place, owed);
    *peer->place += missed;
    if (missed != 0 && !std::exchange(peer->overdue, true)) {
      lost(peer->name + ": not reached within " + std::to_string(patience.count()) + " s; " +
           in_words(missed) + " said without it, and none is kept for it until its chat is open");
    }
    if (peer->now != link::stage::astray) continue;
    forget(peer);
    meet_again(peer);
  }
}

void chat::drop_what_nobody_needs(time_point now) {
  auto needed = log_.end();
  for (const auto& peer : links_) needed = std::min(needed, *peer->place);
  const bool was_full = log_.full();
  log_.trim(needed, now);
  if (was_full && !log_.full()) changed();  // the input goes on
}

void chat::send_to_all() {
  for (const auto& peer : open_links()) {
    if (peer->sending || *peer->place == log_.end()) continue;
    peer->sending = true;
    ++busy_;
    spawn(send(peer));
    if (!std::exchange(peer->watched, true)) spawn(watch(peer));
  }
}

/// As much as there is. The backlog is what the channel queues, `configuration::send_high_water`.
asio::awaitable<void> chat::send(link_ptr peer) {
  while (peer->is_open() && *peer->place < log_.end()) {
    std::string text = log_.say((*peer->place)++, std::chrono::steady_clock::now());
    const auto size = text.size();
    ++peer->sent;
    peer->unconfirmed = true;
    auto [failed] = co_await peer->chat->async_send(std::move(text), tuple_token);
    if (failed == asiortc::errc::message_too_large) {
      lost(peer->name + ": a line of " + std::to_string(size) + " bytes is too long for it");
    }
    if (log_.full()) changed();
  }
  peer->sending = false;
  if (!std::exchange(peer->confirming, true)) {
    ++busy_;
    spawn(confirm(peer));
  }
  --busy_;
  changed();
}

/// Until it takes what is sent, or others would wait for it too long.
asio::awaitable<void> chat::watch(link_ptr peer) {
  asio::steady_timer timer(context_);
  do {
    const auto sent = peer->sent;
    const auto backlog = peer->chat->buffered_amount();
    timer.expires_after(patience);
    co_await timer.async_wait(asio::use_awaitable);
    const bool stands = peer->sent == sent && peer->chat->buffered_amount() == backlog;
    const bool others_wait = open_links().size() > 1 && (log_.full() || input_ended_);
    peer->given_up = peer->sending && stands && others_wait;
  } while (peer->sending && !peer->given_up);
  peer->watched = false;
  if (peer->given_up) forget(peer);
}

asio::awaitable<void> chat::confirm(link_ptr peer) {
  while (std::exchange(peer->unconfirmed, false)) {
    auto [ended] = co_await peer->chat->async_flush(tuple_token);
    if (!ended) continue;
    if (!user_left_) lost(peer->name + (peer->given_up ? given_up : left));
    break;
  }
  peer->confirming = false;
  --busy_;
  changed();
}

void chat::lost(const std::string& what) {
  tell(what);
  if (!user_left_) code_ = exit_code::failure;
}

}  // namespace peer_cli

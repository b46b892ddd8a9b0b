// How the lines of a chat go from the input to the others.
#include "chat.hpp"
#include "say.hpp"
#include "text.hpp"
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

/// Lines that wait for somebody; past it nothing more is read, and nothing is lost.
constexpr std::size_t max_unsent_bytes = 16777216;
/// What a waiting line takes beside its text.
constexpr std::size_t line_overhead = 64;
/// Who takes nothing for so long while the others wait is given up. Longer than a network's hiccup,
/// shorter than the half minute after which a silent connection fails of itself.
constexpr std::chrono::seconds patience(10);

constexpr auto* left = ": left before it had every line";
constexpr auto* given_up =
    ": took nothing for 10 s while others waited, and was given up before it had every line";

}  // namespace

asio::awaitable<void> chat::read_input() {
  while (!finished_) {
    if (unsent_bytes_ >= max_unsent_bytes) {
      co_await wait_for_change();
      continue;
    }
    auto line = co_await input_.next();
    if (!line) break;
    std::string text = valid_utf8(line->text);
    if (line->dropped_bytes != 0 || text.size() > line_reader::max_line_bytes) {
      lost("a line of " + std::to_string(line->dropped_bytes + text.size()) +
           " bytes was not sent: at most " + std::to_string(line_reader::max_line_bytes) +
           " are possible");
      continue;
    }
    unsent_bytes_ += text.size() + line_overhead;
    unsent_.push_back(std::move(text));
    changed();
  }
  if (input_.error()) {
    complain("standard input cannot be read: " + input_.error().message());
    code_ = exit_code::failure;
  }
  input_ended_ = true;
  changed();
}

asio::awaitable<void> chat::deliver() {
  while (!finished_) {
    if (!unsent_.empty() && !held_up() && !gathering() && !open_links().empty()) {
      unsent_bytes_ -= unsent_.front().size() + line_overhead;
      send_to_all(unsent_.front());
      unsent_.pop_front();
      changed();
    }
    if (all_delivered()) co_return finish(code_);
    co_await wait_for_change();
  }
}

/// A user who gave `--wait` wants to meet somebody, also without anything to say.
bool chat::all_delivered() const {
  return input_ended_ && unsent_.empty() && !held_up() && joined_ &&
         (somebody_came_ || !options_.wait);
}

bool chat::held_up() const {
  return std::any_of(links_.begin(), links_.end(), [](const auto& peer) { return peer->sending; });
}

void chat::send_to_all(const std::string& text) {
  for (const auto& peer : open_links()) {
    peer->sending = true;
    ++peer->sent;
    ++busy_;
    spawn(send(peer, text));
    if (!std::exchange(peer->watched, true)) spawn(watch(peer));
  }
}

/// The backlog is what the channel queues, `configuration::send_high_water`.
asio::awaitable<void> chat::send(link_ptr peer, std::string text) {
  const auto size = text.size();
  peer->unconfirmed = true;
  auto [failed] = co_await peer->chat->async_send(std::move(text), tuple_token);
  peer->sending = false;
  if (failed == asiortc::errc::message_too_large) {
    lost(peer->name + ": a line of " + std::to_string(size) + " bytes is too long for it");
  }
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
    peer->given_up = peer->sending && stands && open_links().size() > 1;
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

// How the lines of a chat go from the input to the others.
#include "chat.hpp"
#include "say.hpp"
#include "text.hpp"
#include "tuple_token.hpp"

#include <string>
#include <utility>

namespace peer_cli {
namespace {

namespace asio = boost::asio;

/// Lines that wait for somebody; past it nothing more is read, and nothing is lost.
constexpr std::size_t max_unsent_bytes = 16777216;
/// What a waiting line takes beside its text.
constexpr std::size_t line_overhead = 64;

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
  input_ended_ = true;
  changed();
}

asio::awaitable<void> chat::deliver() {
  while (!finished_) {
    if (!unsent_.empty() && !gathering() && !open_links().empty()) {
      std::string text = std::move(unsent_.front());
      unsent_.pop_front();
      unsent_bytes_ -= text.size() + line_overhead;
      co_await send_to_all(std::move(text));
      changed();
      continue;
    }
    if (all_delivered()) co_return finish(code_);
    co_await wait_for_change();
  }
}

/// A user who gave `--wait` wants to meet somebody, also without anything to say.
bool chat::all_delivered() const {
  return input_ended_ && unsent_.empty() && joined_ && (somebody_came_ || !options_.wait);
}

asio::awaitable<void> chat::send_to_all(std::string text) {
  const auto receivers = open_links();
  for (const auto& peer : receivers) {
    if (!peer->is_open()) continue;  // it ended while another one was slow
    std::string copy = text;
    auto [failed] = co_await peer->chat->async_send(std::move(copy), tuple_token);
    if (failed == asiortc::errc::message_too_large) {
      lost(peer->name + ": a line of " + std::to_string(text.size()) + " bytes is too long for it");
    }
    peer->unconfirmed = true;
    if (!std::exchange(peer->confirming, true)) spawn(confirm(peer));
  }
}

asio::awaitable<void> chat::confirm(link_ptr peer) {
  while (std::exchange(peer->unconfirmed, false)) {
    auto [ended] = co_await peer->chat->async_flush(tuple_token);
    if (!ended) continue;
    if (!user_left_) lost(peer->name + ": left before it had every line");
    break;
  }
  peer->confirming = false;
  changed();
}

void chat::lost(const std::string& what) {
  tell(what);
  if (!user_left_) code_ = exit_code::failure;
}

}  // namespace peer_cli

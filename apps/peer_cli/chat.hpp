// A chat: everyone in the room, linked to everyone.
#pragma once

#include "line_reader.hpp"
#include "line_writer.hpp"
#include "link.hpp"
#include "options.hpp"
#include "room.hpp"

#include <asiortc/configuration.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <deque>
#include <memory>
#include <string>
#include <vector>

namespace peer_cli {

/// Runs on one thread; every coroutine of it runs on the context.
class chat {
 public:
  /// Throws `asiortc::error` for a STUN URL that is none.
  chat(boost::asio::io_context& context, const chat_options& options);

  /// Stops the context when the input has ended and all was delivered, when `stop` was called, or
  /// when nothing more can be done; every connection is closed then.
  void start();
  /// The user wants to leave.
  void stop();
  /// Once the context has stopped.
  [[nodiscard]] exit_code result() const { return code_; }
  /// Whether something that was received could not be written.
  [[nodiscard]] bool output_failed() const { return output_.failed(); }

 private:
  using link_ptr = std::shared_ptr<link>;

  boost::asio::awaitable<void> run();
  boost::asio::awaitable<void> stay_in_room();
  boost::asio::awaitable<void> follow(asiortc::signaling_client& client);
  boost::asio::awaitable<void> gather();
  boost::asio::awaitable<void> read_input();
  boost::asio::awaitable<void> deliver();
  void send_to_all(const std::string& text);
  boost::asio::awaitable<void> send(link_ptr peer, std::string text);
  boost::asio::awaitable<void> watch(link_ptr peer);
  boost::asio::awaitable<void> carry(link_ptr peer);
  boost::asio::awaitable<void> open_channel(link_ptr peer);
  boost::asio::awaitable<void> tell_states(link_ptr peer);
  boost::asio::awaitable<void> tell_pairs(link_ptr peer);
  boost::asio::awaitable<void> tell_round_trip(link_ptr peer);
  boost::asio::awaitable<void> confirm(link_ptr peer);
  boost::asio::awaitable<void> bound_the_wait();
  boost::asio::awaitable<void> wait_for_change();
  boost::asio::awaitable<void> linger();
  boost::asio::awaitable<void> close_all();

  void meet(const asiortc::signaling_client& client, const asiortc::signaling_peer& peer,
            bool we_came_later);
  void went_away(const asiortc::signaling_event& event);
  void forget(const link_ptr& peer);
  /// Whether somebody is still on the way here of those that were in the room when we came.
  [[nodiscard]] bool gathering() const;
  /// Whether somebody's backlog is full.
  [[nodiscard]] bool held_up() const;
  [[nodiscard]] bool all_delivered() const;
  /// A line did not reach everyone.
  void lost(const std::string& what);
  [[nodiscard]] std::vector<link_ptr> open_links() const;
  void finish(exit_code code);
  void abort_after(std::chrono::seconds time);
  void changed();
  void spawn(boost::asio::awaitable<void> task);

  boost::asio::io_context& context_;
  const chat_options options_;
  asiortc::configuration config_;
  room_entrance entrance_;
  line_reader input_;
  line_writer output_;
  boost::asio::steady_timer change_;  // cancelled at each change, for those who wait for one
  boost::asio::steady_timer parting_;
  std::vector<link_ptr> links_;  // oldest first
  std::size_t busy_ = 0;         // readings, sendings and confirmations, of forgotten links too
  std::deque<std::string> unsent_;
  std::size_t unsent_bytes_ = 0;
  bool input_ended_ = false;
  bool joined_ = false;
  bool somebody_came_ = false;
  bool finished_ = false;
  bool user_left_ = false;
  exit_code code_ = exit_code::ok;
};

}  // namespace peer_cli

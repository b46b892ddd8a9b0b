// A chat: everyone in the room, linked to everyone.
#pragma once

#include "line_log.hpp"
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
#include <optional>
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
  /// Who takes nothing for so long while others wait, or is not met, is given up. Longer than a
  /// network's hiccup, shorter than the half minute after which a silent connection fails of
  /// itself.
  static constexpr std::chrono::seconds patience{10};

  using link_ptr = std::shared_ptr<link>;
  using time_point = std::chrono::steady_clock::time_point;

  boost::asio::awaitable<void> run();
  boost::asio::awaitable<void> stay_in_room();
  boost::asio::awaitable<void> follow(asiortc::signaling_client& client);
  boost::asio::awaitable<void> read_input();
  boost::asio::awaitable<void> deliver();
  void send_to_all();
  boost::asio::awaitable<void> send(link_ptr peer);
  boost::asio::awaitable<void> watch(link_ptr peer);
  boost::asio::awaitable<void> carry(link_ptr peer);
  boost::asio::awaitable<void> open_channel(link_ptr peer);
  boost::asio::awaitable<void> tell_states(link_ptr peer);
  boost::asio::awaitable<void> tell_pairs(link_ptr peer);
  boost::asio::awaitable<void> tell_round_trip(link_ptr peer);
  boost::asio::awaitable<void> confirm(link_ptr peer);
  boost::asio::awaitable<void> return_soon(link_ptr peer);
  boost::asio::awaitable<void> wait_for_change();
  boost::asio::awaitable<void> close_all();

  void meet(const asiortc::signaling_client& client, const asiortc::signaling_peer& peer,
            bool we_came_later);
  void went_away(const asiortc::signaling_event& event);
  void forget(const link_ptr& peer);
  /// Its connection is lost, but perhaps not the peer.
  void lose(const link_ptr& peer);
  void fail(const link_ptr& peer);
  /// Leaves the room and comes back, so that the two connect anew.
  void meet_again(const link_ptr& peer);
  /// Its channel is open: it goes on where the links to the same person have got to.
  void take_place(const link_ptr& peer);
  void leave_room();
  /// Lines are kept for those who are not met yet, but not for ever.
  void give_up_the_unreached(time_point now);
  void drop_what_nobody_needs(time_point now);
  /// Whether the end of the input waits for it.
  [[nodiscard]] bool holds_back(const link& peer, time_point now) const;
  [[nodiscard]] bool all_delivered(time_point now) const;
  void tell_who_holds_back(time_point now);
  /// Ends the chat when nobody has come for too long.
  void bound_the_wait(time_point now);
  [[nodiscard]] std::optional<time_point> end_of_wait() const;
  void wake_for_the_next_deadline(time_point now);
  /// A line did not reach everyone.
  void lost(const std::string& what);
  void note(std::string line);
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
  boost::asio::steady_timer alarm_;   // the next time at which something changes by itself
  boost::asio::steady_timer parting_;
  asiortc::signaling_client* client_ = nullptr;  // while in the room
  std::deque<time_point> returns_;               // to the room, to reach somebody
  bool returning_ = false;
  std::vector<link_ptr> links_;  // oldest first
  bool crowded_ = false;         // more came than links are made to
  std::size_t busy_ = 0;         // readings, sendings and confirmations, of forgotten links too
  line_log log_;
  bool input_ended_ = false;
  time_point input_ended_at_;
  std::optional<time_point> lonely_since_;
  std::optional<time_point> failed_at_;  // the last connection that did
  bool joined_ = false;
  bool somebody_came_ = false;
  bool finished_ = false;
  bool user_left_ = false;
  exit_code code_ = exit_code::ok;
};

}  // namespace peer_cli

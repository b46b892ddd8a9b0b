// Somebody in the room, and the pipe to its connection of the moment.
#pragma once

#include "signaling/pipe_queue.hpp"
#include "signaling/remote_session.hpp"

#include <asiortc/negotiate.hpp>
#include <asiortc/signaling_pipe.hpp>
#include <asiortc/signaling_types.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <utility>

namespace asiortc::signaling {

/// A member's pipe outlives its connections; each gets one of these to negotiate over.
class relay_pipe final : public signaling_pipe {
 public:
  relay_pipe(boost::asio::any_io_executor executor, std::shared_ptr<signaling_pipe> way)
      : inbox_(std::move(executor)), way_(std::move(way)) {}

  bool send(peer_signal value) override { return !inbox_.ended() && way_->send(std::move(value)); }
  void close() override { inbox_.end({}); }
  [[nodiscard]] std::optional<bool> polite() const override { return way_->polite(); }

  void push(peer_signal value) { inbox_.push(std::move(value)); }
  void end(boost::system::error_code reason) { inbox_.end(reason); }

 protected:
  void start_receive(receive_handler handler) override { inbox_.async_pop(std::move(handler)); }

 private:
  pipe_queue inbox_;
  const std::shared_ptr<signaling_pipe> way_;
};

/// Used on the strand of the mesh.
struct room_member {
  room_member(const boost::asio::any_io_executor& strand, asiortc::signaling_peer who,
              std::shared_ptr<signaling_pipe> way)
      : peer(std::move(who)), pipe(std::move(way)), timer(strand) {}

  const asiortc::signaling_peer peer;
  const std::shared_ptr<signaling_pipe> pipe;
  std::shared_ptr<relay_pipe> relay;  ///< to the connection of the moment, or the next one
  std::optional<asiortc::negotiation> session;  ///< none while no connection could be made
  remote_session remote;
  std::chrono::steady_clock::time_point begun;  ///< the connection of the moment
  std::chrono::milliseconds delay{0};           ///< until the next try
  /// Runs until a connection must be there, or another try is due, or an offer that came too soon
  /// is looked at, or a member that left is removed.
  boost::asio::steady_timer timer;
  std::optional<peer_signal> held;  ///< the first offer of a new connection that came too soon
  bool present = true;              ///< in the room
  bool deaf = false;                ///< its pipe has ended
};

}  // namespace asiortc::signaling

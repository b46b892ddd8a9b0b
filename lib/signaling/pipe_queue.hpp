// The receiving half of a signaling pipe: a queue bounded in count and in bytes.
#pragma once

#include <asiortc/detail/event_queue.hpp>
#include <asiortc/signaling_pipe.hpp>

#include <atomic>
#include <cstddef>
#include <memory>

namespace asiortc::signaling {

/// Signals on their way to one reader. Thread-safe.
class pipe_queue {
 public:
  static constexpr std::size_t max_signals = 512;
  static constexpr std::size_t max_bytes = std::size_t{1024} * 1024;

  explicit pipe_queue(boost::asio::any_io_executor executor);

  /// False when the queue has ended, or ends now with `limit_reached` because it is full.
  bool push(peer_signal value);
  void end(boost::system::error_code reason);
  [[nodiscard]] bool ended() const { return ended_; }
  void async_pop(signaling_pipe::receive_handler handler) { queue_->async_pop(std::move(handler)); }

 private:
  std::atomic<bool> ended_ = false;
  std::shared_ptr<std::atomic<std::size_t>> bytes_;
  std::shared_ptr<detail::event_queue<peer_signal>> queue_;
};

/// What a signal counts for within a byte budget.
std::size_t size_of(const peer_signal& value);

}  // namespace asiortc::signaling

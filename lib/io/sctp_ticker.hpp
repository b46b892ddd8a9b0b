// Moves the SCTP engine's time for one context, as long as that has an association.
#pragma once

#include "io/guarded_strand.hpp"
#include "sctp/association.hpp"

#include <asiortc/detail/context_listener.hpp>

#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <cstddef>
#include <memory>

namespace asiortc::io {

/// Ticks every 10 ms while packets flow, and ten times less often when none did for half a second;
/// what is due then (a retransmission after at least 200 ms) is late by no more than that.
class sctp_ticker final : public detail::context_listener {
 public:
  static std::shared_ptr<sctp_ticker> create(const boost::asio::any_io_executor& executor,
                                             sctp::clock_source& clock);
  ~sctp_ticker() override;

  class lease_type;
  /// Ticks while any of these lives. Thread-safe.
  [[nodiscard]] std::shared_ptr<lease_type> lease();
  /// Packets flow. Thread-safe and cheap.
  void touch(base::time_point now);

  void on_context_shutdown() noexcept override;

 private:
  sctp_ticker(const boost::asio::any_io_executor& executor, sctp::clock_source& clock);
  void release();
  std::shared_ptr<sctp_ticker> self();
  void update();
  void arm();
  void tick();

  guarded_strand strand_;
  sctp::clock_source& clock_;
  std::unique_ptr<boost::asio::steady_timer> timer_;
  std::atomic<std::size_t> leases_ = 0;
  std::atomic<base::time_point::rep> last_touch_ = 0;
  std::atomic<bool> slow_ = false;
};

}  // namespace asiortc::io

#include "io/sctp_ticker.hpp"

#include "io/clock.hpp"

#include <chrono>
#include <utility>

namespace asiortc::io {
namespace {

using namespace std::chrono_literals;

constexpr base::duration busy_interval = 10ms;
constexpr base::duration idle_interval = 100ms;
constexpr base::duration idle_after = 500ms;

}  // namespace

std::shared_ptr<sctp_ticker> sctp_ticker::create(const boost::asio::any_io_executor& executor,
                                                 sctp::clock_source& clock) {
  std::shared_ptr<sctp_ticker> made(new sctp_ticker(executor, clock));
  made->watch_context(executor);
  return made;
}

sctp_ticker::sctp_ticker(const boost::asio::any_io_executor& executor, sctp::clock_source& clock)
    : strand_(executor), clock_(clock) {}

sctp_ticker::~sctp_ticker() = default;

std::shared_ptr<sctp_ticker> sctp_ticker::self() {
  return std::static_pointer_cast<sctp_ticker>(shared_from_this());
}

/// Says at its end that one association less needs the time.
class sctp_ticker::lease_type {
 public:
  explicit lease_type(std::shared_ptr<sctp_ticker> ticker) : ticker_(std::move(ticker)) {}
  lease_type(const lease_type&) = delete;
  lease_type& operator=(const lease_type&) = delete;
  ~lease_type() { ticker_->release(); }

 private:
  std::shared_ptr<sctp_ticker> ticker_;
};

std::shared_ptr<sctp_ticker::lease_type> sctp_ticker::lease() {
  ++leases_;
  touch(clock_now());
  strand_.post([self = self()] { self->update(); });
  return std::make_shared<lease_type>(self());
}

void sctp_ticker::release() {
  --leases_;
  strand_.post([self = self()] { self->update(); });
}

void sctp_ticker::touch(base::time_point now) {
  last_touch_.store(now.time_since_epoch().count(), std::memory_order_relaxed);
  if (!slow_.load(std::memory_order_relaxed) || !slow_.exchange(false)) return;
  strand_.post([self = self()] {
    if (self->timer_) self->arm();
  });
}

void sctp_ticker::update() {
  if (leases_ == 0) {
    timer_.reset();
  } else if (!timer_) {
    timer_ = std::make_unique<boost::asio::steady_timer>(strand_.get());
    arm();
  }
}

void sctp_ticker::arm() {
  const base::duration since_touch{clock_now().time_since_epoch().count() - last_touch_.load()};
  slow_ = since_touch > idle_after;
  timer_->expires_after(slow_ ? idle_interval : busy_interval);
  timer_->async_wait([self = self()](boost::system::error_code error) {
    if (!error) self->tick();
  });
}

void sctp_ticker::tick() {
  if (!timer_) return;
  clock_.tick(clock_now());
  arm();
}

void sctp_ticker::on_context_shutdown() noexcept {
  timer_.reset();
  strand_.drop();
}

}  // namespace asiortc::io

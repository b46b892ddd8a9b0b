#include "io/peer_driver.hpp"

#include "crypto/random.hpp"
#include "io/clock.hpp"
#include "io/peer_driver_impl.hpp"

#include <algorithm>
#include <utility>
#include <variant>

namespace asiortc::io {
namespace {

// After so many rounds of sending in one turn the others on this thread have theirs.
constexpr int max_rounds_a_turn = 4;
constexpr std::size_t max_packets_a_round = 256;

}  // namespace

peer_driver::impl::impl(const boost::asio::any_io_executor& executor, peer::settings settings,
                        driver_options given)
    : options(std::move(given)),
      strand(executor),
      resources(shared_resources::of(executor)),
      engine(sctp::usrsctp_engine(), resources->ticker()),
      timer(strand.get()) {
  peer::environment environment;
  environment.random = &crypto::system_random();
  environment.sctp = &engine;
  environment.log = options.log;
  environment.wake = [alarm = alarm] { alarm->wake(); };
  if (options.mux) {
    mux = mux_link::create(options.mux);
    settings.ice.ufrags = mux.get();
  }
  core.emplace(std::move(settings), std::move(environment));
}

peer_driver::impl::~impl() = default;

void peer_driver::impl::start(const boost::asio::any_io_executor& executor) {
  watch_context(executor);
  alarm->set_owner(self());
  if (mux) {
    mux->set_wake([weak = std::weak_ptr<impl>(self())] {
      if (const auto driver = weak.lock()) driver->strand.post([driver] { driver->handle_mux(); });
    });
  }
  alarm->wake();  // a pool of candidates is wanted from the start
}

void peer_driver::impl::pump() {
  if (stopping) return;
  if (std::exchange(pumping, true)) {
    pump_again = true;
    return;
  }
  const auto memory = resources->borrow();
  do {
    pump_again = false;
    transmit(*memory);
    deliver();
  } while (pump_again && !stopping);
  pumping = false;
  if (leaving && !core->is_leaving()) return halt();
  arm_timer();
}

void peer_driver::impl::transmit(turn_memory& memory) {
  for (int round = 0; !blocked(); ++round) {
    if (round == max_rounds_a_turn) {
      alarm->wake();
      return;
    }
    memory.transmit.clear();
    const bool more = core->poll_transmit(clock_now(), memory.transmit, max_packets_a_round);
    send(memory);
    if (!more) return;
  }
}

void peer_driver::impl::deliver() {
  while (!stopping) {
    auto event = core->poll_event();
    if (!event) return;
    handle(std::move(*event));
  }
}

void peer_driver::impl::handle(peer::event&& event) {
  if (const auto* wanted = std::get_if<peer::gathering_wanted>(&event)) {
    gather(wanted->generation);
    pump_again = true;
  } else if (auto* name = std::get_if<peer::resolution_wanted>(&event)) {
    look_up(name->name, [token = name->token](impl& driver, const auto& addresses) {
      driver.core->name_resolved(clock_now(), token, addresses);
    });
  } else if (observer != nullptr) {
    observer->on_event(std::move(event));
  }
}

void waker::wake() {
  if (posted_.exchange(true)) return;
  if (const auto owner = owner_.lock()) owner->strand.post([owner] { owner->handle_wake(); });
}

void peer_driver::impl::handle_wake() {
  alarm->rearm();
  if (stopping) return;
  core->handle_wake(clock_now());
  pump();
}

base::time_point peer_driver::impl::next_deadline() const {
  return std::min({core->next_deadline(), next_lookup_deadline(), next_stream_try()});
}

void peer_driver::impl::arm_timer() {
  if (stopping) return;
  const auto deadline = next_deadline();
  // A timer that runs out too early is cheaper than one that is set anew for each packet.
  if (deadline >= armed) return;
  armed = deadline;
  timer->expires_at(std::max(deadline, clock_now()));
  ++pending;
  timer->async_wait([self = self()](boost::system::error_code error) {
    // One that was replaced by an earlier one has nothing to do.
    if (self->resume() && !error) self->handle_timer();
  });
}

void peer_driver::impl::handle_timer() {
  armed = base::never;
  const auto now = clock_now();
  if (next_deadline() > now) {
    arm_timer();
    return;
  }
  give_up_lookups(now);
  try_streams(now);
  core->handle_timeout(now);
  pump();
}

void peer_driver::impl::stop(std::function<void()> done) {
  if (stopping || leaving) return;
  leaving = true;
  on_stopped = std::move(done);
  {
    const auto memory = resources->borrow();
    memory->transmit.clear();
    core->poll_transmit(clock_now(), memory->transmit, max_packets_a_round);
    send(*memory);
  }
  pump();
}

void peer_driver::impl::halt() {
  stopping = true;
  close_all();
  // `resume()` looks whether this was the last.
  ++pending;
  strand.post([self = self()] { self->resume(); });
}

void peer_driver::impl::close_all() noexcept {
  cancel_lookups();
  if (watch_token != 0) resources->interfaces().unsubscribe(std::exchange(watch_token, 0));
  for (const auto& socket : sockets) socket->close();
  sockets.clear();
  hidden.clear();
  for (const auto& each : streams) {
    if (each->stream) each->stream->close();
  }
  streams.clear();
  for (const auto& end : tcp_ends) end->close();
  for (const auto& connection : connections) connection->close();
  connections.clear();
  if (sweep_timer) sweep_timer->cancel();
  if (mux) mux->leave();
  blocked_sockets = 0;
  if (timer) timer->cancel();
  engine.release();
}

bool peer_driver::impl::resume() {
  --pending;
  if (!stopping) return true;
  if (pending == 0 && on_stopped) strand.post(std::exchange(on_stopped, nullptr));
  return false;
}

void peer_driver::impl::on_context_shutdown() noexcept {
  stopping = true;
  observer = nullptr;
  const auto dropped = std::exchange(on_stopped, nullptr);
  close_all();
  tcp_ends.clear();  // they hold the strand, whose service goes now
  timer.reset();
  sweep_timer.reset();
  strand.drop();
}

peer_driver::peer_driver(const boost::asio::any_io_executor& executor, peer::settings settings,
                         driver_options options)
    : impl_(std::make_shared<impl>(executor, std::move(settings), std::move(options))) {
  impl_->start(executor);
}

peer_driver::~peer_driver() {
  impl_->strand.post([driver = impl_] {
    driver->observer = nullptr;
    driver->stopping = true;
    driver->close_all();
  });
}

const peer_driver::strand_type& peer_driver::strand() const { return impl_->strand.get(); }

bool peer_driver::post(std::function<void()> function) {
  return impl_->strand.post(std::move(function));
}

void peer_driver::set_observer(peer_observer* observer) { impl_->observer = observer; }
base::time_point peer_driver::now() const { return clock_now(); }
peer::peer& peer_driver::core() { return *impl_->core; }
void peer_driver::set_servers(driver_options next) { impl_->next_options = std::move(next); }
void peer_driver::pump() { impl_->pump(); }
void peer_driver::stop(std::function<void()> on_stopped) { impl_->stop(std::move(on_stopped)); }

}  // namespace asiortc::io

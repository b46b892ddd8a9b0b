#include "io/stun_probe.hpp"

#include "crypto/random.hpp"
#include "io/clock.hpp"
#include "io/interfaces.hpp"
#include "io/udp_options.hpp"
#include "stun/message_builder.hpp"
#include "stun/message_view.hpp"

#include <boost/asio/error.hpp>

#include <algorithm>
#include <chrono>
#include <utility>

namespace asiortc::io {
namespace {

namespace asio = boost::asio;

// Over a stream nothing is sent again, and RFC 8489 6.2.2 lets a client wait for 39.5 s; nobody who
// wants to know whether a server works waits for more than this after the connection is there.
constexpr auto stream_patience = std::chrono::seconds(5);

std::string refusal_text(std::uint16_t code) {
  return "the server refused with " + std::to_string(code);
}

}  // namespace

std::shared_ptr<stun_probe> stun_probe::start(const asio::any_io_executor& executor,
                                              settings wanted, handler done) {
  auto made = std::make_shared<stun_probe>(executor, std::move(wanted), std::move(done));
  made->watch_context(executor);
  made->strand_.post([made] { made->begin(); });
  return made;
}

stun_probe::stun_probe(const asio::any_io_executor& executor, settings wanted, handler done)
    : wanted_(std::move(wanted)),
      done_(std::move(done)),
      strand_(executor),
      resources_(shared_resources::of(executor)),
      timer_(strand_.get()) {}

void stun_probe::cancel() {
  strand_.post([self = self()] { self->finish(asio::error::operation_aborted, {}); });
}

void stun_probe::on_context_shutdown() noexcept {
  const auto dropped = std::exchange(done_, nullptr);
  close();
  timer_.reset();
  strand_.drop();
}

void stun_probe::begin() {
  started_ = clock_now();
  if (wanted_.transport == turn_transport::udp) {
    ask_over_datagrams();
  } else {
    ask_over_stream();
  }
}

void stun_probe::close() noexcept {
  for (const auto& socket : sockets_) socket->close();
  sockets_.clear();
  if (stream_) stream_->close();
  if (timer_) timer_->cancel();
}

void stun_probe::finish(error_code error, std::string detail) {
  if (!done_) return;
  close();
  outcome_.error = error;
  outcome_.detail = std::move(detail);
  const auto done = std::exchange(done_, nullptr);
  done(std::move(outcome_));
}

// Over UDP.

void stun_probe::ask_over_datagrams() {
  const auto local = find_source(wanted_.server);
  if (!local) return finish(asio::error::network_unreachable, "no route to the server");
  stun::nat_discovery_settings how;
  how.server = wanted_.server;
  how.whole = wanted_.discover_nat;
  if (!open_socket(*local, how.mapping_socket)) return;
  if (!open_socket(*local, how.filtering_socket)) return;
  outcome_.local = sockets_.front()->local();
  core_.emplace(how, crypto::system_random());
  core_->start(started_);
  pump();
}

bool stun_probe::open_socket(const base::ip_address& local, base::socket_id id) {
  auto bound = open_udp(local, {}, 0);
  if (!bound) {
    finish(bound.error().code, bound.error().detail);
    return false;
  }
  sockets_.push_back(std::make_shared<udp_socket>(strand_.get(), id, std::move(*bound)));
  receive_from(sockets_.back());
  return true;
}

void stun_probe::receive_from(const std::shared_ptr<udp_socket>& socket) {
  socket->async_wait_readable([self = self(), socket](error_code error) {
    if (error || !self->done_) return;
    const auto memory = self->resources_->borrow();
    const auto now = clock_now();
    socket->receive(memory->receive, now, memory->failed);
    for (const auto& datagram : memory->receive.datagrams()) {
      self->core_->handle_datagram(now, datagram);
    }
    for (const auto& route : memory->failed) self->core_->handle_send_error(route);
    memory->failed.clear();
    self->pump();
    if (self->done_) self->receive_from(socket);
  });
}

void stun_probe::pump() {
  if (outcome_.answer_time == base::duration{} && core_->findings().mapped) {
    outcome_.answer_time = core_->findings().round_trip_time.value_or(clock_now() - started_);
  }
  const auto memory = resources_->borrow();
  memory->transmit.clear();
  core_->poll_transmit(memory->transmit);
  const auto& entries = memory->transmit.entries();
  for (std::size_t i = 0; i < entries.size(); ++i) {
    for (const auto& socket : sockets_) {
      if (socket->id() == entries[i].to.local) {
        socket->send(memory->transmit, i, i + 1, memory->failed);
      }
    }
  }
  for (const auto& route : memory->failed) core_->handle_send_error(route);
  memory->failed.clear();
  if (core_->done()) return finish_discovery();
  if (core_->next_deadline() == armed_) return;
  armed_ = core_->next_deadline();
  timer_->expires_at(armed_);
  timer_->async_wait([self = self()](error_code cancelled) {
    if (!cancelled && self->done_) self->handle_timer();
  });
}

void stun_probe::handle_timer() {
  armed_ = base::never;
  core_->handle_timeout(clock_now());
  pump();
}

void stun_probe::finish_discovery() {
  outcome_.findings = core_->findings();
  const auto& found = outcome_.findings;
  if (found.mapped) return finish({}, {});
  if (found.refused_with != 0) return finish(errc::not_supported, refusal_text(found.refused_with));
  if (found.unreachable) {
    return finish(asio::error::connection_refused, "nothing listens there, or it is out of reach");
  }
  finish(asio::error::timed_out, "no answer");
}

// Over TCP and TLS.

void stun_probe::ask_over_stream() {
  turn_stream::settings how;
  how.id = base::socket_id{1};
  how.server = wanted_.server;
  how.host = wanted_.host;
  how.tls = wanted_.transport == turn_transport::tls;
  how.trusted_certificates = wanted_.trusted_certificates;
  stream_ = std::make_shared<turn_stream>(strand_.get(), std::move(how));
  stream_->async_open([self = self(), stream = stream_](error_code error) {
    if (!self->done_) return;
    if (error) return self->finish(error, stream->explain(error));
    self->send_request();
    self->read_answer();
  });
}

void stun_probe::send_request() {
  crypto::system_random().fill(id_);
  const stun::message_builder request(stun::message_class::request, stun::method::binding, id_);
  stream_->append(request.bytes());
  // What becomes of the writing shows in the reading.
  static_cast<void>(stream_->async_flush([self = self(), stream = stream_](error_code) {}));
  timer_->expires_after(stream_patience);
  timer_->async_wait([self = self()](error_code cancelled) {
    if (!cancelled) self->finish(asio::error::timed_out, "connected, but no answer");
  });
}

void stun_probe::read_answer() {
  stream_->async_receive([self = self(), stream = stream_](error_code error) {
    if (!self->done_) return;
    while (const auto packet = stream->next()) {
      self->take_answer(*packet);
      if (!self->done_) return;
    }
    if (error) return self->finish(error, "connected, but: " + stream->explain(error));
    if (stream->broken()) {
      return self->finish(errc::not_supported, "what answers is no STUN server");
    }
    self->read_answer();
  });
}

void stun_probe::take_answer(base::mutable_byte_span packet) {
  const auto answer = stun::message_view::parse(packet);
  if (!answer || answer->transaction() != id_ || answer->method() != stun::method::binding) return;
  if (const auto error = answer->error()) {
    return finish(errc::not_supported, refusal_text(error->code));
  }
  outcome_.findings.mapped = answer->mapped_address();
  if (!outcome_.findings.mapped) return;
  outcome_.answer_time = clock_now() - started_;
  finish({}, {});
}

}  // namespace asiortc::io

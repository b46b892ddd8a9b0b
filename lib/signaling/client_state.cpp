// Connecting, closing and the socket of a signaling client. The room is in client_room.cpp.
#include "signaling/client_state.hpp"

#include "signaling/codec.hpp"

#include <asiortc/detail/event_queue_impl.hpp>
#include <asiortc/error.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>

#include <utility>

namespace asiortc::inline ASIORTC_ABI::detail {

namespace asio = boost::asio;
using boost::system::error_code;

template class event_queue<signaling_event>;

namespace {

constexpr std::size_t max_events = 65536;

std::string_view name_of(int phase) {
  static constexpr std::string_view names[] = {"fresh", "resolving", "connecting", "open", "ended"};
  return names[phase];
}

}  // namespace

client_state::client_state(asio::any_io_executor executor, signaling_client_options options)
    : executor_(std::move(executor)),
      strand_(asio::make_strand(executor_)),
      options_(std::move(options)),
      log_(options_.log, options_.log_threshold, "signaling"),
      events_(std::make_shared<event_queue<signaling_event>>(executor_, max_events)),
      resolver_(options_.resolver) {
  resolve_timer_.emplace(strand_);
  timer_.emplace(strand_);
}

std::shared_ptr<client_state> client_state::self() {
  return std::static_pointer_cast<client_state>(shared_from_this());
}

template <class Function>
void client_state::on_strand(Function function) {
  if (!shut_down_) asio::post(strand_, std::move(function));
}

/// A cancelled connect or join leaves a connection of no use, so it ends the client.
client_state::waiter client_state::start_ending_with_cancel(handler_type handler) {
  auto pending = void_operation::start(executor_, std::move(handler));
  pending->on_cancel([weak = std::weak_ptr<client_state>(self())] {
    const auto held = weak.lock();
    if (!held) return;
    held->on_strand([held] { held->finish(asio::error::operation_aborted, "cancelled"); });
  });
  return pending;
}

void client_state::complete(waiter& pending, error_code code) {
  if (const waiter done = std::exchange(pending, nullptr)) done->complete(code);
}

void client_state::set_phase(phase next, std::string_view reason) {
  log_(log_level::debug, [&] {
    return "client: " + std::string(name_of(static_cast<int>(phase_))) + " -> " +
           std::string(name_of(static_cast<int>(next))) + ": " + std::string(reason);
  });
  phase_ = next;
}

void client_state::async_connect(std::string url, handler_type handler) {
  if (shut_down_) return;
  const auto pending = start_ending_with_cancel(std::move(handler));
  on_strand([self = self(), url = std::move(url), pending] {
    if (self->phase_ != phase::fresh) return pending->complete(errc::invalid_state);
    signaling::websocket_url parsed;
    if (const auto code = signaling::websocket_url::parse(url, parsed)) {
      return pending->complete(code);
    }
    self->connecting_ = pending;
    self->connect(parsed);
  });
}

void client_state::connect(const signaling::websocket_url& url) {
  url_ = url;
  error_code not_literal;
  const auto address = asio::ip::make_address(url_.host, not_literal);
  set_phase(phase::resolving, url_.authority);
  if (not_literal) return resolve();
  resolved({}, {address});
}

void client_state::resolve() {
  if (!resolver_) resolver_ = make_name_resolver(executor_);
  auto done = [self = self()](error_code code, const std::vector<asio::ip::address>& addresses) {
    self->resolved(code, addresses);
  };
  resolve_timer_->expires_after(options_.connect_timeout);
  resolve_timer_->async_wait([self = self()](error_code code) {
    if (!code && self->phase_ == phase::resolving) {
      self->finish(asio::error::timed_out, "the name was not resolved in time");
    }
  });
  resolver_->async_resolve(
      url_.host, asio::bind_cancellation_slot(resolve_cancel_.slot(),
                                              asio::bind_executor(strand_, std::move(done))));
}

void client_state::resolved(error_code code, const std::vector<asio::ip::address>& addresses) {
  if (phase_ != phase::resolving) return;
  resolve_timer_->cancel();
  if (code) return finish(code, "the name could not be resolved");
  std::vector<asio::ip::tcp::endpoint> endpoints;
  endpoints.reserve(addresses.size());
  for (const auto& address : addresses) endpoints.emplace_back(address, url_.port);
  signaling::websocket_settings settings;
  settings.max_incoming = signaling::max_server_message;
  settings.handshake_timeout = options_.connect_timeout;
  settings.close_timeout = options_.close_timeout;
  set_phase(phase::connecting, "resolved");
  socket_ = signaling::make_websocket(asio::ip::tcp::socket(strand_), settings, self());
  socket_->connect(std::move(endpoints), url_.authority, url_.target);
}

void client_state::on_open(std::uint64_t) {
  if (phase_ != phase::connecting) return;
  signaling::session_options limits;
  limits.join_timeout = options_.join_timeout;
  limits.idle_timeout = options_.idle_timeout;
  session_.emplace(limits, timer_->time(), log_);
  set_phase(phase::open, "upgraded");
  complete(connecting_, {});
  pump();
}

void client_state::on_text(std::uint64_t, std::string_view text) {
  if (!session_) return;
  session_->handle_text(timer_->time(), text);
  pump();
}

void client_state::on_binary(std::uint64_t) {
  finish(errc::signaling_protocol, "the server sent a frame that is not text");
}

void client_state::on_alive(std::uint64_t) {
  if (session_) session_->handle_alive(timer_->time());
}

void client_state::on_sent(std::uint64_t, std::size_t size) {
  std::size_t before = unsent_;
  while (!unsent_.compare_exchange_weak(before, before - std::min(before, size))) {
  }
}

void client_state::on_gone(std::uint64_t, const signaling::websocket_end& end) {
  if (phase_ == phase::connecting) {
    finish(end.error ? end.error : error_code(errc::signaling_lost), {});
  } else if (end.error == errc::signaling_protocol) {
    finish(end.error, "the server sent a message of more than the bound");
  } else if (session_) {
    session_->handle_closed(end.error ? std::uint16_t{0} : end.code,
                            end.error ? end.error.message() : end.reason);
    pump();
  }
  socket_gone();
}

void client_state::async_close(handler_type handler) {
  if (shut_down_) return;
  const auto pending = void_operation::start(executor_, std::move(handler));
  on_strand([self = self(), pending] {
    self->closers_.push_back(pending);
    self->begin_close();
  });
}

void client_state::begin_close() {
  if (phase_ == phase::open) {
    session_->leave();
    pump();
  }
  finish({}, "closed");
  if (!socket_) socket_gone();
}

void client_state::socket_gone() {
  socket_.reset();
  for (const auto& each : std::exchange(closers_, {})) each->complete({});
}

/// The handle was dropped.
void client_state::abandon() {
  on_strand([self = self()] {
    self->finish(errc::signaling_lost, "the client was dropped");
    if (self->socket_) self->socket_->abort();
    self->socket_gone();
  });
}

void client_state::pump() {
  while (session_) {
    const auto output = session_->poll();
    if (!output) break;
    std::visit([this](const auto& what) { perform(what); }, *output);
  }
  if (!timer_) return;
  timer_->wake_at(session_ ? session_->next_deadline() : base::never,
                  [weak = std::weak_ptr<client_state>(self())] {
                    const auto held = weak.lock();
                    if (!held || !held->timer_ || !held->session_) return;
                    held->timer_->woken();
                    held->session_->handle_timeout(held->timer_->time());
                    held->pump();
                  });
}

void client_state::perform(const signaling::session_text& what) {
  if (socket_) socket_->send(what.text);
}

void client_state::perform(const signaling::session_news& what) {
  std::visit([this](const auto& message) { take(message); }, what.message);
}

void client_state::perform(const signaling::session_end& what) { finish(what.reason, what.words); }

void client_state::on_context_shutdown() noexcept {
  shut_down_ = true;
  resolve_timer_.reset();
  timer_.reset();
  socket_.reset();
  session_.reset();
  connecting_.reset();
  joining_.reset();
  closers_.clear();
  resolver_.reset();
  strand_ = asio::any_io_executor();
}

}  // namespace asiortc::inline ASIORTC_ABI::detail

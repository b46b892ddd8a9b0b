// The signaling server: sockets around the room service.
#include "crypto/random.hpp"
#include "signaling/room_service.hpp"
#include "signaling/wake_timer.hpp"
#include "signaling/websocket.hpp"

#include <asiortc/detail/context_listener.hpp>
#include <asiortc/detail/operation.hpp>
#include <asiortc/error.hpp>
#include <asiortc/signaling_server.hpp>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>

#include <atomic>
#include <map>
#include <optional>
#include <utility>

namespace asiortc::inline ASIORTC_ABI::detail {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

/// Sockets beyond `max_connections` that may be told so; more are dropped without a word.
constexpr std::size_t refusal_room = 64;
/// How long to wait after `accept` failed for want of descriptors or memory.
constexpr std::chrono::milliseconds accept_pause{100};
constexpr std::chrono::seconds accept_complaint_interval{5};

signaling::room_options room_options_of(const signaling_server_options& options) {
  signaling::room_options out;
  out.max_connections = options.max_connections;
  out.max_rooms = options.max_rooms;
  out.max_peers_per_room = options.max_peers_per_room;
  out.max_queue = options.max_queue;
  out.join_timeout = options.join_timeout;
  out.ping_interval = options.ping_interval;
  out.idle_timeout = options.idle_timeout;
  out.ice_servers = options.ice_servers;
  return out;
}

std::string authority(const std::string& host, std::uint16_t port) {
  const bool v6 = host.find(':') != std::string::npos;
  return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

}  // namespace

/// Everything but the constructor, `listen` and the getters runs on the strand.
class server_state final : public context_listener, public signaling::websocket_owner {
 public:
  using waiter = std::shared_ptr<void_operation>;

  server_state(asio::any_io_executor executor, signaling_server_options options)
      : executor_(std::move(executor)),
        strand_(asio::make_strand(executor_)),
        options_(std::move(options)),
        log_(options_.log, options_.log_threshold, "signaling"),
        service_(room_options_of(options_), crypto::system_random(), log_) {
    timer_.emplace(strand_);
  }

  void watch() { watch_context(executor_); }
  void listen();
  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] std::string url() const { return "ws://" + authority(options_.host, port_) + "/"; }
  void async_close(void_operation::handler_type handler);
  void abandon();

  void on_open(std::uint64_t key) override;
  void on_text(std::uint64_t key, std::string_view text) override;
  void on_binary(std::uint64_t key) override;
  void on_alive(std::uint64_t key) override;
  void on_sent(std::uint64_t key, std::size_t size) override;
  void on_gone(std::uint64_t key, const signaling::websocket_end& end) override;
  void on_context_shutdown() noexcept override;

 private:
  std::shared_ptr<server_state> self() {
    return std::static_pointer_cast<server_state>(shared_from_this());
  }
  void accept_next();
  void note_failed_accept(error_code code);
  void adopt(tcp::socket socket);
  void begin_close();
  void finish_close();
  void pump();
  void perform(const signaling::send_output& what);
  void perform(const signaling::ping_output& what);
  void perform(const signaling::close_output& what);
  std::shared_ptr<signaling::websocket> find(signaling::connection_id id) const;

  asio::any_io_executor executor_;
  asio::any_io_executor strand_;
  signaling_server_options options_;
  base::logger log_;
  signaling::room_service service_;
  std::optional<tcp::acceptor> acceptor_;
  std::optional<signaling::wake_timer> timer_;
  std::map<std::uint64_t, std::shared_ptr<signaling::websocket>> sockets_;
  std::vector<waiter> closers_;
  std::uint64_t last_key_ = 0;
  base::time_point next_accept_complaint_{};
  std::atomic<std::uint16_t> port_ = 0;
  std::atomic<bool> listening_ = false;
  std::atomic<bool> shut_down_ = false;
  bool closing_ = false;
};

void server_state::listen() {
  if (shut_down_ || listening_.exchange(true)) {
    throw error(errc::invalid_state, "listen: the server listens already or is closed");
  }
  const std::string where = authority(options_.host, options_.port);
  error_code code;
  const std::string host = options_.host == "localhost" ? "127.0.0.1" : options_.host;
  const auto address = asio::ip::make_address(host, code);
  if (code) {
    throw error(errc::syntax_error,
                "cannot listen on " + where + ": expected an IP address or localhost");
  }
  const tcp::endpoint endpoint(address, options_.port);
  tcp::acceptor acceptor(strand_);
  acceptor.open(endpoint.protocol(), code);
  // Not a second listener's way in (on Linux), only past the last one's closed connections.
  if (!code) acceptor.set_option(tcp::acceptor::reuse_address(true), code);
  if (!code) acceptor.bind(endpoint, code);
  if (!code) acceptor.listen(asio::socket_base::max_listen_connections, code);
  if (!code) port_ = acceptor.local_endpoint(code).port();
  if (code) {
    // Made anew, so that the text names the address and not a place in Asio's source.
    throw error(error_code(code.value(), code.category()), "cannot listen on " + where);
  }
  log_(log_level::info, [&] { return "listening on " + url(); });
  asio::post(strand_, [self = self(), taken = std::move(acceptor)]() mutable {
    if (self->closing_ || self->shut_down_) return;
    self->acceptor_.emplace(std::move(taken));
    self->accept_next();
  });
}

void server_state::accept_next() {
  if (!acceptor_) return;
  acceptor_->async_accept(strand_, [self = self()](error_code code, tcp::socket socket) {
    if (!self->acceptor_) return;
    if (!code) {
      self->adopt(std::move(socket));
      return self->accept_next();
    }
    self->note_failed_accept(code);
    auto pause = std::make_shared<asio::steady_timer>(self->strand_, accept_pause);
    pause->async_wait([self, pause](error_code) { self->accept_next(); });
  });
}

void server_state::note_failed_accept(error_code code) {
  const auto now = timer_->time();
  if (now < next_accept_complaint_) return;
  next_accept_complaint_ = now + accept_complaint_interval;
  log_(log_level::warning, [&] { return "accept failed: " + code.message(); });
}

void server_state::adopt(tcp::socket socket) {
  if (sockets_.size() >= options_.max_connections + refusal_room) return;
  signaling::websocket_settings settings;
  settings.key = ++last_key_;
  settings.max_incoming = signaling::max_client_message;
  settings.handshake_timeout = options_.handshake_timeout;
  settings.close_timeout = options_.close_timeout;
  auto made = signaling::make_websocket(std::move(socket), settings, self());
  sockets_.emplace(settings.key, made);
  signaling::origin_policy policy{options_.allow_any_origin, options_.allowed_origins};
  made->accept(std::move(policy));
}

void server_state::on_open(std::uint64_t key) {
  service_.handle_connect(timer_->time(), signaling::connection_id{key});
  pump();
}

void server_state::on_text(std::uint64_t key, std::string_view text) {
  service_.handle_text(timer_->time(), signaling::connection_id{key}, text);
  pump();
}

void server_state::on_binary(std::uint64_t key) {
  service_.handle_binary(timer_->time(), signaling::connection_id{key});
  pump();
}

void server_state::on_alive(std::uint64_t key) {
  service_.handle_alive(timer_->time(), signaling::connection_id{key});
}

void server_state::on_sent(std::uint64_t key, std::size_t size) {
  service_.handle_sent(signaling::connection_id{key}, size);
}

void server_state::on_gone(std::uint64_t key, const signaling::websocket_end& end) {
  if (!timer_) return;  // the context is going
  sockets_.erase(key);
  service_.handle_disconnect(signaling::connection_id{key}, end.error.failed());
  pump();
  finish_close();
}

void server_state::pump() {
  while (const auto output = service_.poll()) {
    std::visit([this](const auto& what) { perform(what); }, *output);
  }
  timer_->wake_at(service_.next_deadline(), [weak = std::weak_ptr<server_state>(self())] {
    const auto self = weak.lock();
    if (!self || !self->timer_) return;
    self->timer_->woken();
    self->service_.handle_timeout(self->timer_->time());
    self->pump();
  });
}

std::shared_ptr<signaling::websocket> server_state::find(signaling::connection_id id) const {
  const auto found = sockets_.find(static_cast<std::uint64_t>(id));
  return found == sockets_.end() ? nullptr : found->second;
}

void server_state::perform(const signaling::send_output& what) {
  if (const auto socket = find(what.to)) socket->send(what.text);
}

void server_state::perform(const signaling::ping_output& what) {
  if (const auto socket = find(what.to)) socket->ping();
}

void server_state::perform(const signaling::close_output& what) {
  if (const auto socket = find(what.to)) {
    socket->close(what.code, what.reason, what.last_words, what.discard);
  }
}

void server_state::async_close(void_operation::handler_type handler) {
  if (shut_down_) return;
  const auto waiting = void_operation::start(executor_, std::move(handler));
  asio::post(strand_, [self = self(), waiting] {
    self->closers_.push_back(waiting);
    self->begin_close();
    self->finish_close();
  });
}

void server_state::begin_close() {
  if (std::exchange(closing_, true)) return;
  listening_ = true;  // a `listen` from now on is refused
  acceptor_.reset();
  service_.handle_stop();
  pump();
  // Those that have not finished their HTTP request have nothing to be told.
  const auto sockets = sockets_;
  for (const auto& [key, socket] : sockets) {
    if (service_.knows(signaling::connection_id{key})) continue;
    socket->abort();
    sockets_.erase(key);
  }
}

void server_state::finish_close() {
  if (!closing_ || !sockets_.empty()) return;
  const auto waiting = std::exchange(closers_, {});
  for (const auto& each : waiting) each->complete({});
}

/// The handle was dropped.
void server_state::abandon() {
  if (shut_down_) return;
  asio::post(strand_, [self = self()] {
    self->closing_ = true;
    self->acceptor_.reset();
    for (const auto& [key, socket] : std::exchange(self->sockets_, {})) socket->abort();
    self->timer_.reset();
    self->finish_close();
  });
}

void server_state::on_context_shutdown() noexcept {
  shut_down_ = true;
  acceptor_.reset();
  timer_.reset();
  sockets_.clear();
  closers_.clear();
  strand_ = asio::any_io_executor();
}

}  // namespace asiortc::inline ASIORTC_ABI::detail

namespace asiortc::inline ASIORTC_ABI {

namespace {

/// A server that no peer can use would make each of them fail.
signaling_server_options checked(signaling_server_options options) {
  for (const auto& server : options.ice_servers) check_ice_server(server);
  return options;
}

}  // namespace

signaling_server::signaling_server(boost::asio::any_io_executor executor,
                                   signaling_server_options options)
    : state_(std::make_shared<detail::server_state>(std::move(executor),
                                                    checked(std::move(options)))) {
  state_->watch();
}

signaling_server::signaling_server(signaling_server&&) noexcept = default;

signaling_server& signaling_server::operator=(signaling_server&& other) noexcept {
  if (this == &other) return *this;
  if (state_) state_->abandon();
  state_ = std::move(other.state_);
  return *this;
}

signaling_server::~signaling_server() {
  if (state_) state_->abandon();
}

void signaling_server::listen() { state_->listen(); }
std::uint16_t signaling_server::port() const { return state_->port(); }
std::string signaling_server::url() const { return state_->url(); }

void signaling_server::close_operation::operator()(completion handler, state_ptr state) const {
  state->async_close(std::move(handler));
}

}  // namespace asiortc::inline ASIORTC_ABI

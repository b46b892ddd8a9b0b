// The one file of io that includes Asio's TLS, and OpenSSL with it.
#include "io/turn_stream.hpp"

#include "io/socket_address.hpp"
#include "stun/stream_framer.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>

#include <chrono>
#include <cstring>
#include <utility>

namespace asiortc::io {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr std::size_t turn_read_size = 16 * 1024;
// A packet of SCTP in DTLS with TURN around it stays far below this.
constexpr std::size_t largest_packet = 4096;

using socket_type = asio::basic_stream_socket<asio::ip::tcp, guarded_strand::strand_type>;

asio::ssl::context make_trust(const std::string& certificates, error_code& error) {
  asio::ssl::context trust(asio::ssl::context::tls_client);
  trust.set_options(asio::ssl::context::no_tlsv1 | asio::ssl::context::no_tlsv1_1, error);
  trust.set_verify_mode(asio::ssl::verify_peer, error);
  if (certificates.empty()) {
    trust.set_default_verify_paths(error);
  } else {
    trust.add_certificate_authority(asio::buffer(certificates), error);
  }
  return trust;
}

asio::ip::tcp::endpoint to_tcp(const base::endpoint& address) {
  asio::ip::tcp::endpoint endpoint;
  const socket_address native(address);
  endpoint.resize(native.size());
  std::memcpy(endpoint.data(), native.data(), native.size());
  return endpoint;
}

}  // namespace

struct turn_stream::impl {
  struct tls_layer {
    tls_layer(socket_type& socket, asio::ssl::context context)
        : trust(std::move(context)), stream(socket, trust) {}
    asio::ssl::context trust;
    asio::ssl::stream<socket_type&> stream;
  };

  impl(const guarded_strand::strand_type& strand, settings given)
      : wanted(std::move(given)), socket(strand), timer(strand) {}

  error_code prepare_tls() {
    error_code error;
    auto trust = make_trust(wanted.trusted_certificates, error);
    if (error) return error;
    tls.emplace(socket, std::move(trust));
    // RFC 6066 3: "Literal IPv4 and IPv6 addresses are not permitted" as a server name.
    if (!base::ip_address::parse(wanted.host) &&
        SSL_set_tlsext_host_name(tls->stream.native_handle(), wanted.host.c_str()) != 1) {
      return asio::error::invalid_argument;
    }
    tls->stream.set_verify_callback(asio::ssl::host_name_verification(wanted.host), error);
    return error;
  }

  void start_timer() {
    timer.expires_after(wanted.timeout);
    timer.async_wait([this, alive = std::weak_ptr<bool>(token)](error_code error) {
      if (error || alive.expired()) return;
      timed_out = true;
      close();
    });
  }

  /// Nothing to do where the system is to choose.
  error_code bind() {
    error_code error;
    if (!wanted.from) return error;
    const auto local = to_tcp(base::endpoint(*wanted.from, 0));
    socket.open(local.protocol(), error);
    if (!error) socket.bind(local, error);
    return error;
  }

  void finish_open(error_code error, const handler& done) {
    timer.cancel();
    done(timed_out ? error_code(asio::error::timed_out) : error);
  }

  void shake_hands(handler done) {
    if (const error_code error = prepare_tls()) return finish_open(error, done);
    tls->stream.async_handshake(
        asio::ssl::stream_base::client,
        [this, done = std::move(done)](error_code error) { finish_open(error, done); });
  }

  /// Nagle's algorithm would keep a small packet until the one before it is acknowledged.
  void send_without_delay() {
    error_code ignored;
    socket.set_option(asio::ip::tcp::no_delay(true), ignored);
  }

  void close() noexcept {
    error_code ignored;
    socket.close(ignored);
  }

  settings wanted;
  socket_type socket;
  std::optional<tls_layer> tls;
  asio::steady_timer timer;
  bool timed_out = false;
  stun::message_framer framer{largest_packet};
  base::bytes queued;
  base::bytes in_flight;
  /// The timer is the only thing that waits without the caller's handler, which keeps us alive.
  std::shared_ptr<bool> token = std::make_shared<bool>(true);
};

turn_stream::turn_stream(const guarded_strand::strand_type& strand, settings given)
    : impl_(std::make_unique<impl>(strand, std::move(given))) {}
turn_stream::~turn_stream() = default;

base::socket_id turn_stream::id() const { return impl_->wanted.id; }
const base::endpoint& turn_stream::server() const { return impl_->wanted.server; }
bool turn_stream::is_tls() const { return impl_->wanted.tls; }

std::optional<base::ip_address> turn_stream::local() const {
  socket_address bound;
  socklen_t size = socket_address::capacity();
  if (::getsockname(impl_->socket.native_handle(), bound.data(), &size) != 0) return std::nullopt;
  const base::ip_address address = bound.to_endpoint().address.unmapped();
  if (address.is_unspecified()) return std::nullopt;
  return address;
}

void turn_stream::async_open(handler done) {
  impl_->start_timer();
  if (const error_code refused = impl_->bind()) {
    return asio::post(impl_->socket.get_executor(),
                      [self = impl_.get(), done = std::move(done), refused] {
                        self->finish_open(refused, done);
                      });
  }
  impl_->socket.async_connect(to_tcp(impl_->wanted.server),
                              [self = impl_.get(), done = std::move(done)](error_code error) {
                                if (error) return self->finish_open(error, done);
                                self->send_without_delay();
                                if (!self->wanted.tls) return self->finish_open(error, done);
                                self->shake_hands(done);
                              });
}

std::string turn_stream::explain(error_code error) const {
  if (impl_->tls && error.category() == asio::error::get_ssl_category()) {
    const long verdict = SSL_get_verify_result(impl_->tls->stream.native_handle());
    // What Asio's check of the name leaves behind.
    if (verdict == X509_V_ERR_UNSPECIFIED) {
      return "the certificate is refused: it is not for " + impl_->wanted.host;
    }
    if (verdict != X509_V_OK) {
      return "the certificate is refused: " + std::string(X509_verify_cert_error_string(verdict));
    }
  }
  return error.message();
}

void turn_stream::async_receive(handler done) {
  const auto room = impl_->framer.prepare(turn_read_size);
  auto note = [self = impl_.get(), done = std::move(done)](error_code error, std::size_t size) {
    self->framer.commit(size);
    done(error);
  };
  const auto buffer = asio::buffer(room.data(), room.size());
  if (impl_->tls) {
    impl_->tls->stream.async_read_some(buffer, std::move(note));
  } else {
    impl_->socket.async_read_some(buffer, std::move(note));
  }
}

std::optional<base::mutable_byte_span> turn_stream::next() { return impl_->framer.next(); }
bool turn_stream::broken() const { return impl_->framer.broken(); }

void turn_stream::append(base::byte_span packet) {
  if (impl_->queued.size() + packet.size() > max_backlog_bytes) return;
  impl_->queued.insert(impl_->queued.end(), packet.begin(), packet.end());
}

bool turn_stream::async_flush(handler done) {
  if (impl_->queued.empty() || !impl_->in_flight.empty()) return false;
  impl_->in_flight.swap(impl_->queued);
  auto note = [self = impl_.get(), done = std::move(done)](error_code error, std::size_t) {
    self->in_flight.clear();
    done(error);
  };
  const auto buffer = asio::buffer(impl_->in_flight);
  if (impl_->tls) {
    asio::async_write(impl_->tls->stream, buffer, std::move(note));
  } else {
    asio::async_write(impl_->socket, buffer, std::move(note));
  }
  return true;
}

void turn_stream::close() noexcept {
  impl_->token.reset();
  impl_->timer.cancel();
  impl_->close();
}

}  // namespace asiortc::io

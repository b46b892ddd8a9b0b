#include "dtls/openssl_endpoint.hpp"

#include "dtls/alert.hpp"

#include <algorithm>
#include <cassert>

namespace asiortc::dtls {
namespace {

// What is kept of a peer that is ahead of us: its first flight before `start`, ...
constexpr std::size_t most_datagrams_before_start = 16;
constexpr std::size_t most_bytes_before_start = 16 * 1024;
// ... and its first messages while its Finished is on the way.
constexpr std::size_t most_datagrams_before_connected = 64;
constexpr std::size_t most_bytes_before_connected = 64 * 1024;

// What is sealed is a packet: whatever the MTU is, no caller has more than this for one.
constexpr std::size_t longest_plain_at_least = 2048;

// RFC 5764 4.2: SRTP takes 60 bytes or fewer; a bound well over what anyone needs.
constexpr std::size_t longest_export = 1024;

constexpr std::uint8_t finished_message = 20;  // RFC 5246 7.4

std::size_t longest_plain(std::size_t mtu) {
  return std::clamp(mtu, longest_plain_at_least, longest_plain_record);
}

}  // namespace

openssl_endpoint::openssl_endpoint(settings settings)
    : settings_(std::move(settings)),
      before_start_(most_datagrams_before_start, most_bytes_before_start),
      before_connected_(most_datagrams_before_connected, most_bytes_before_connected) {
  assert(settings_.identity != nullptr);
}

void openssl_endpoint::start(base::time_point now, role role) {
  if (state_ != state::new_) return;
  give_up_at_ = now + settings_.handshake_timeout;
  handshake_ = std::make_unique<openssl_handshake>(settings_, role);
  set_state(state::connecting,
            {boost::system::error_code{}, role == role::client ? "as client" : "as server"});
  follow(handshake_->start());
  for (const auto& datagram : before_start_.take()) handle_handshake_datagram(datagram);
  update_retransmission(now);
}

void openssl_endpoint::handle_datagram(base::time_point now, base::mutable_byte_span datagram,
                                       base::packet_batch& plain) {
  switch (state_) {
    case state::new_:
      if (!before_start_.keep(datagram)) ++dropped_;
      return;
    case state::connecting:
      handle_handshake_datagram(datagram);
      open_early(plain);
      update_retransmission(now);
      return;
    case state::connected:
      open(datagram, plain);
      return;
    case state::closed:
    case state::failed:
      return;
  }
}

void openssl_endpoint::handle_handshake_datagram(base::byte_span datagram) {
  while (state_ == state::connecting && !datagram.empty()) {
    if (const auto record = take_record(datagram)) {
      handle_handshake_record(*record);
    } else {
      ++dropped_;
    }
  }
  // The last flight may be followed by data in the same datagram.
  if (state_ == state::connected && !datagram.empty()) keep_early(datagram);
}

void openssl_endpoint::handle_handshake_record(const record& record) {
  // OpenSSL is given nothing that it would keep until after the handshake and take along then.
  if (record.type == content_type::application_data ||
      (record.type == content_type::alert && record.epoch != 0)) {
    if (record.epoch == 0) {
      ++dropped_;
    } else {
      keep_early(record.whole);
    }
    return;
  }
  follow(handshake_->take(record));
}

void openssl_endpoint::keep_early(base::byte_span datagram) {
  if (!before_connected_.keep(datagram)) ++dropped_;
}

void openssl_endpoint::follow(openssl_handshake::progress progress) {
  switch (progress) {
    case openssl_handshake::progress::going_on:
      return;
    case openssl_handshake::progress::refused:
      ++dropped_;
      return;
    case openssl_handshake::progress::done:
      connect();
      return;
    case openssl_handshake::progress::failed:
      set_state(state::failed, handshake_->reason());
      return;
  }
}

void openssl_endpoint::connect() {
  auto outcome = handshake_->outcome();
  if (!outcome) {
    set_state(state::failed, {errc::dtls_failed, "the keys cannot be taken out of the handshake"});
    return;
  }
  secrets_ = std::move(outcome->secrets);
  records_ = std::move(outcome->records);
  last_flight_ = std::move(outcome->repeatable);
  version_ = outcome->version;
  srtp_profile_ = outcome->srtp_profile;
  cipher_ = std::move(outcome->cipher_name);
  give_up_at_ = base::never;
  end_handshake();
  set_state(state::connected, {boost::system::error_code{}, cipher_});
}

/// Lets go of OpenSSL. What it wrote goes out yet.
void openssl_endpoint::end_handshake() {
  if (!handshake_) return;
  handshake_->poll_transmit(waiting_);
  remote_certificate_ = handshake_->remote_certificate();
  handshake_.reset();
  retransmit_at_ = base::never;
}

void openssl_endpoint::open_early(base::packet_batch& plain) {
  if (state_ != state::connected) return;
  for (const auto& datagram : before_connected_.take()) open(datagram, plain);
}

void openssl_endpoint::open(base::byte_span datagram, base::packet_batch& plain) {
  while (state_ == state::connected && !datagram.empty()) {
    const auto record = take_record(datagram);
    if (!record || !open_record(*record, plain)) ++dropped_;
  }
}

/// False for what is not authentic: dropped "silently", RFC 6347 4.1.2.7, so that nobody can end an
/// association with a forgery. All of epoch 0 is such by now.
bool openssl_endpoint::open_record(const record& sealed, base::packet_batch& plain) {
  const auto opened = records_->open(sealed, plain);
  if (!opened) return false;
  switch (opened->type) {
    case content_type::application_data:
      if (!opened->content.empty()) plain.commit(opened->content.size());
      return true;
    case content_type::alert:
      return handle_alert(opened->content);
    case content_type::handshake:
      // The Finished of a client that has not seen ours. Anything else would be a renegotiation:
      // a HelloRequest "MAY be ignored by the client" (RFC 5246 7.4.1.1), and so is a ClientHello.
      last_flight_due_ = last_flight_due_ || (last_flight_ && !opened->content.empty() &&
                                              opened->content.front() == finished_message);
      return true;
    case content_type::change_cipher_spec:
      break;
  }
  return true;
}

bool openssl_endpoint::handle_alert(base::byte_span content) {
  const auto alert = read_alert(content);
  if (!alert) return false;
  if (alert->is_close_notify()) {
    // RFC 5246 7.2.1: "The other party MUST respond with a close_notify alert of its own".
    send_close_notify();
    set_state(state::closed, {errc::remote_closed, "close_notify was received"});
  } else if (alert->level == alert_level::fatal) {
    set_state(state::failed, {errc::dtls_failed, "the peer's alert: " + alert->name()});
  }
  return true;
}

void openssl_endpoint::send_close_notify() {
  (void)records_->seal(content_type::alert, close_notify, waiting_);
}

bool openssl_endpoint::seal(base::byte_span plain, base::packet_batch& out) {
  if (state_ != state::connected || plain.empty() || plain.size() > longest_plain(settings_.mtu)) {
    return false;
  }
  if (records_->seal(content_type::application_data, plain, out)) return true;
  if (records_->exhausted()) {
    set_state(state::failed, {errc::dtls_failed, "the sequence numbers are used up"});
  }
  return false;
}

void openssl_endpoint::handle_timeout(base::time_point now) {
  if (state_ != state::connecting) return;
  if (now >= give_up_at_) {
    set_state(state::failed, {errc::dtls_timeout, "the handshake did not finish in time"});
    return;
  }
  follow(handshake_->handle_timeout());
  update_retransmission(now);
}

void openssl_endpoint::update_retransmission(base::time_point now) {
  const auto left = handshake_ ? handshake_->until_retransmission() : std::nullopt;
  retransmit_at_ = left ? now + *left : base::never;
}

base::time_point openssl_endpoint::next_deadline() const {
  return state_ == state::connecting ? std::min(retransmit_at_, give_up_at_) : base::never;
}

void openssl_endpoint::poll_transmit(base::packet_batch& out) {
  if (handshake_) handshake_->poll_transmit(out);
  for (const auto& packet : waiting_.entries()) out.append(waiting_.view(packet));
  if (!waiting_.empty()) waiting_.release();
  // Once, however often it was asked for since the last time.
  if (std::exchange(last_flight_due_, false) && records_) last_flight_->repeat(*records_, out);
}

std::optional<event> openssl_endpoint::poll_event() {
  if (events_.empty()) return std::nullopt;
  std::optional<event> first(std::move(events_.front()));
  events_.erase(events_.begin());
  return first;
}

void openssl_endpoint::close(base::time_point) {
  if (state_ == state::closed || state_ == state::failed) return;
  if (state_ == state::connected) send_close_notify();
  set_state(state::closed, {errc::closed, "closed by this side"});
}

base::byte_span openssl_endpoint::remote_certificate() const {
  return handshake_ ? handshake_->remote_certificate() : remote_certificate_;
}

base::result<base::bytes> openssl_endpoint::export_keying_material(std::string_view label,
                                                                   std::size_t length) {
  if (state_ != state::connected) {
    return base::failure(errc::invalid_state, "DTLS is not connected");
  }
  if (length == 0 || length > longest_export) {
    return base::failure(errc::type_error, "from 1 to 1024 bytes can be exported");
  }
  base::bytes material(length);
  if (!secrets_->export_material(label, material)) {
    ERR_clear_error();
    return base::failure(errc::operation_error, "nothing can be exported under this label");
  }
  return material;
}

void openssl_endpoint::set_state(state now, base::failure reason) {
  settings_.log(log_level::info, [&] {
    return std::string(to_string(state_)) + " -> " + std::string(to_string(now)) + ": " +
           (reason.detail.empty() ? reason.code.message() : reason.detail);
  });
  state_ = now;
  if (now == state::closed || now == state::failed) {
    end_handshake();
    ERR_clear_error();
    records_.reset();
    last_flight_.reset();
    secrets_.reset();
    (void)before_start_.take();
    (void)before_connected_.take();
  }
  events_.emplace_back(state_changed{now, std::move(reason)});
}

std::string_view to_string(state state) noexcept {
  switch (state) {
    case state::new_:
      return "new";
    case state::connecting:
      return "connecting";
    case state::connected:
      return "connected";
    case state::closed:
      return "closed";
    case state::failed:
      break;
  }
  return "failed";
}

std::unique_ptr<endpoint> make_openssl_endpoint(settings settings) {
  return std::make_unique<openssl_endpoint>(std::move(settings));
}

}  // namespace asiortc::dtls

#include "dtls/openssl_endpoint.hpp"

#include <algorithm>
#include <cassert>

namespace asiortc::dtls {
namespace {

// RFC 6347 4.2.4.1 advises an initial 1 s and doubling, and lets an application that knows its
// network begin lower: a lost ClientHello should not cost a call a second.
constexpr unsigned int first_retransmission_us = 400'000;
// OpenSSL gives up after 12 retransmissions; with this cap the handshake's own timeout is first.
constexpr unsigned int longest_retransmission_us = 4'000'000;

// What is kept of a peer that is ahead of us: its first flight before `start`, ...
constexpr std::size_t most_datagrams_before_start = 16;
constexpr std::size_t most_bytes_before_start = 16 * 1024;
// ... its first messages while its Finished is on the way, ...
constexpr std::size_t most_datagrams_before_connected = 64;
constexpr std::size_t most_bytes_before_connected = 64 * 1024;
// ... and its Finished before its ChangeCipherSpec. OpenSSL would keep 100 such records of any
// content, each in a buffer of 17 kB.
constexpr std::size_t most_next_epoch_records = 16;

// OpenSSL refuses an MTU below 256 - 28.
constexpr std::size_t smallest_mtu = 256;
// OpenSSL forgets AEAD's explicit nonce and tag (RFC 5288 3) when it fits a Finished into the MTU.
constexpr std::size_t aead_overhead = 8 + 16;
// OpenSSL's write buffer is made for the longest record; nothing larger than a packet is sealed.
constexpr std::size_t longest_plain_at_least = 2048;
constexpr std::size_t longest_plain_at_most = 16384;  // RFC 5246 6.2.1

constexpr base::duration idle_before_release = std::chrono::seconds(1);

// RFC 5764 4.2: SRTP takes 60 bytes or fewer; a bound well over what anyone needs.
constexpr std::size_t longest_export = 1024;

unsigned int next_retransmission(SSL*, unsigned int previous_us) {
  if (previous_us == 0) return first_retransmission_us;
  return std::min(previous_us * 2, longest_retransmission_us);
}

std::size_t longest_plain(std::size_t mtu) {
  return std::clamp(mtu, longest_plain_at_least, longest_plain_at_most);
}

}  // namespace

openssl_endpoint::openssl_endpoint(settings settings)
    : settings_(std::move(settings)),
      bio_(std::max(settings_.mtu, smallest_mtu)),
      before_start_(most_datagrams_before_start, most_bytes_before_start),
      before_connected_(most_datagrams_before_connected, most_bytes_before_connected) {
  assert(settings_.identity != nullptr);
}

void openssl_endpoint::start(base::time_point now, role role) {
  if (state_ != state::new_) return;
  last_now_ = now;
  give_up_at_ = now + settings_.handshake_timeout;
  if (!make_ssl(role)) {
    set_state(state::failed, {errc::dtls_failed, crypto::take_openssl_error()});
    return;
  }
  set_state(state::connecting,
            {boost::system::error_code{}, role == role::client ? "as client" : "as server"});
  advance_handshake();
  for (const auto& datagram : before_start_.take()) handle_handshake_datagram(datagram);
  update_retransmission(now);
}

bool openssl_endpoint::make_ssl(role role) {
  ssl_ = make_session(*settings_.identity);
  BIO* bio = ssl_ ? bio_.make_bio() : nullptr;
  if (bio == nullptr) return false;
  SSL_set_bio(ssl_.get(), bio, bio);  // takes the BIO
  if (!set_judge(ssl_.get(), this)) return false;
  const std::size_t mtu = std::max(settings_.mtu, smallest_mtu);
  SSL_set_mtu(ssl_.get(), static_cast<long>(mtu - aead_overhead));
  SSL_set_max_send_fragment(ssl_.get(), static_cast<long>(longest_plain(mtu)));
  DTLS_set_timer_cb(ssl_.get(), next_retransmission);
  records_.emplace(ssl_.get(), bio_, longest_plain(mtu));
  if (role == role::client) {
    SSL_set_connect_state(ssl_.get());
  } else {
    SSL_set_accept_state(ssl_.get());
  }
  return true;
}

void openssl_endpoint::handle_datagram(base::time_point now, base::mutable_byte_span datagram,
                                       base::packet_batch& plain) {
  last_now_ = now;
  switch (state_) {
    case state::new_:
      if (!before_start_.keep(datagram)) ++dropped_;
      return;
    case state::connecting:
      handle_handshake_datagram(datagram);
      if (state_ == state::connected) open_early(plain);
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
  if (state_ == state::connected && !datagram.empty() && !before_connected_.keep(datagram)) {
    ++dropped_;
  }
}

void openssl_endpoint::handle_handshake_record(const record& record) {
  if (record.type == content_type::application_data) {
    if (record.epoch == 0 || !before_connected_.keep(record.whole)) ++dropped_;
    return;
  }
  if (record.epoch != 0 && ++next_epoch_records_ > most_next_epoch_records) {
    ++dropped_;
    return;
  }
  bio_.give(record.whole);
  advance_handshake();
}

void openssl_endpoint::advance_handshake() {
  ERR_clear_error();  // SSL_get_error takes any older error of the thread for its own
  const int done = SSL_do_handshake(ssl_.get());
  bio_.give({});
  if (done == 1) {
    connect();
  } else if (SSL_get_error(ssl_.get(), done) != SSL_ERROR_WANT_READ) {
    fail_from_openssl();
  }
}

void openssl_endpoint::connect() {
  version_ = static_cast<std::uint16_t>(SSL_version(ssl_.get()));
  const SRTP_PROTECTION_PROFILE* profile = SSL_get_selected_srtp_profile(ssl_.get());
  if (profile != nullptr) srtp_profile_ = static_cast<std::uint16_t>(profile->id);
  give_up_at_ = base::never;
  release_at_ = last_now_ + idle_before_release;
  set_state(state::connected,
            {boost::system::error_code{}, std::string(SSL_get_cipher_name(ssl_.get()))});
}

bool openssl_endpoint::accepts(X509* certificate) {
  remote_certificate_ = crypto::der_of(certificate);
  const auto matches = [&](const crypto::fingerprint& announced) {
    return crypto::fingerprint_of(remote_certificate_, announced.algorithm) == announced;
  };
  fingerprint_mismatch_ = std::none_of(settings_.remote_fingerprints.begin(),
                                       settings_.remote_fingerprints.end(), matches);
  return !fingerprint_mismatch_;
}

void openssl_endpoint::open(base::byte_span datagram, base::packet_batch& plain) {
  used_since_check_ = true;
  if (release_at_ == base::never) release_at_ = last_now_ + idle_before_release;
  switch (records_->open(datagram, plain)) {
    case open_result::ok:
      return;
    case open_result::nothing:
      ++dropped_;
      return;
    case open_result::closed:
      // RFC 5246 7.2.1: "The other party MUST respond with a close_notify alert of its own".
      (void)SSL_shutdown(ssl_.get());
      set_state(state::closed, {errc::remote_closed, "close_notify was received"});
      return;
    case open_result::failed:
      fail_from_openssl();
      return;
  }
}

void openssl_endpoint::open_early(base::packet_batch& plain) {
  for (const auto& datagram : before_connected_.take()) {
    if (state_ == state::connected) open(datagram, plain);
  }
}

bool openssl_endpoint::seal(base::byte_span plain, base::packet_batch& out) {
  if (state_ != state::connected) return false;
  used_since_check_ = true;
  if (release_at_ == base::never) release_at_ = last_now_ + idle_before_release;
  return records_->seal(plain, out);
}

void openssl_endpoint::handle_timeout(base::time_point now) {
  last_now_ = now;
  if (state_ == state::connected) release_when_idle(now);
  if (state_ != state::connecting) return;
  if (now >= give_up_at_) {
    set_state(state::failed, {errc::dtls_timeout, "the handshake did not finish in time"});
    return;
  }
  if (DTLSv1_handle_timeout(ssl_.get()) < 0) fail_from_openssl();
  update_retransmission(now);
}

void openssl_endpoint::release_when_idle(base::time_point now) {
  if (now < release_at_) return;
  if (!std::exchange(used_since_check_, false)) records_->release_buffers();
  release_at_ = records_->has_buffers() ? now + idle_before_release : base::never;
}

void openssl_endpoint::update_retransmission(base::time_point now) {
  timeval left{};
  const bool armed = state_ == state::connecting && DTLSv1_get_timeout(ssl_.get(), &left) == 1;
  retransmit_at_ =
      armed ? now + std::chrono::seconds(left.tv_sec) + std::chrono::microseconds(left.tv_usec)
            : base::never;
}

base::time_point openssl_endpoint::next_deadline() const {
  if (state_ == state::connecting) return std::min(retransmit_at_, give_up_at_);
  return state_ == state::connected ? release_at_ : base::never;
}

void openssl_endpoint::poll_transmit(base::packet_batch& out) { bio_.drain(out); }

std::optional<event> openssl_endpoint::poll_event() {
  if (events_.empty()) return std::nullopt;
  std::optional<event> first(std::move(events_.front()));
  events_.pop_front();
  return first;
}

void openssl_endpoint::close(base::time_point now) {
  if (state_ == state::closed || state_ == state::failed) return;
  last_now_ = now;
  if (state_ == state::connected) {
    records_->restore_buffers();
    (void)SSL_shutdown(ssl_.get());
  }
  set_state(state::closed, {errc::closed, "closed by this side"});
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
  if (SSL_export_keying_material(ssl_.get(), material.data(), length, label.data(), label.size(),
                                 nullptr, 0, 0) != 1) {
    return base::failure(errc::operation_error, crypto::take_openssl_error());
  }
  return material;
}

void openssl_endpoint::fail_from_openssl() {
  const std::string why = crypto::take_openssl_error();
  if (fingerprint_mismatch_) {
    set_state(state::failed, {errc::fingerprint_mismatch,
                              "the certificate matches no fingerprint of the description"});
  } else {
    set_state(state::failed, {errc::dtls_failed, why});
  }
}

void openssl_endpoint::set_state(state now, base::failure reason) {
  settings_.log(log_level::info, [&] {
    return std::string(to_string(state_)) + " -> " + std::string(to_string(now)) + ": " +
           (reason.detail.empty() ? reason.code.message() : reason.detail);
  });
  state_ = now;
  if (now == state::closed || now == state::failed) {
    ERR_clear_error();
    records_.reset();
    ssl_.reset();  // alerts wait in bio_
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

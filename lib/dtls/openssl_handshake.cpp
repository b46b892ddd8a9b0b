#include "dtls/openssl_handshake.hpp"

#include <algorithm>

namespace asiortc::dtls {
namespace {

// RFC 6347 4.2.4.1 advises an initial 1 s and doubling, and lets an application that knows its
// network begin lower: a lost ClientHello should not cost a call a second.
constexpr unsigned int first_retransmission_us = 400'000;
// OpenSSL gives up after 12 retransmissions; with this cap the handshake's own timeout is first.
constexpr unsigned int longest_retransmission_us = 3'000'000;

// A Finished may come before its ChangeCipherSpec. OpenSSL would keep 100 such records of any
// content, each in a buffer of 17 kB.
constexpr std::size_t most_next_epoch_records = 16;

// OpenSSL refuses an MTU below 256 - 28.
constexpr std::size_t smallest_mtu = 256;
// OpenSSL forgets AEAD's explicit nonce and tag (RFC 5288 3) when it fits a Finished into the MTU.
constexpr std::size_t aead_overhead = 8 + 16;
// OpenSSL makes its write buffer for the longest record; a handshake needs none beyond a packet.
constexpr long longest_fragment = 2048;

unsigned int next_retransmission(SSL*, unsigned int previous_us) {
  if (previous_us == 0) return first_retransmission_us;
  return std::min(previous_us * 2, longest_retransmission_us);
}

std::size_t usable_mtu(const settings& settings) { return std::max(settings.mtu, smallest_mtu); }

/// Where our own records begin, behind OpenSSL's Finished.
std::optional<write_position> position_after(const written_records& written, aead kind) {
  base::byte_span rest = written.finished();
  const auto finished = take_record(rest);
  if (!finished) return std::nullopt;
  write_position position;
  position.sequence = written.next(1);
  if (explicit_nonce_size(kind) != 0) {
    const std::uint64_t number = std::uint64_t{finished->epoch} << 48 | finished->sequence;
    position.nonce_offset = base::byte_reader(finished->body).u64() - number;
  }
  return position;
}

}  // namespace

openssl_handshake::openssl_handshake(const settings& settings, role role)
    : settings_(settings), role_(role), bio_(usable_mtu(settings)) {}

openssl_handshake::progress openssl_handshake::start() { return make_ssl() ? advance() : fail(); }

bool openssl_handshake::make_ssl() {
  ssl_ = make_session(*settings_.identity);
  BIO* bio = ssl_ ? bio_.make_bio() : nullptr;
  if (bio == nullptr) return false;
  SSL_set_bio(ssl_.get(), bio, bio);  // takes the BIO
  if (!set_judge(ssl_.get(), this)) return false;
  SSL_set_mtu(ssl_.get(), static_cast<long>(usable_mtu(settings_) - aead_overhead));
  SSL_set_max_send_fragment(ssl_.get(), longest_fragment);
  DTLS_set_timer_cb(ssl_.get(), next_retransmission);
  if (role_ == role::client) {
    SSL_set_connect_state(ssl_.get());
  } else {
    SSL_set_accept_state(ssl_.get());
  }
  return true;
}

openssl_handshake::progress openssl_handshake::take(const record& record) {
  if (record.epoch != 0 && ++next_epoch_records_ > most_next_epoch_records) {
    return progress::refused;
  }
  bio_.give(record.whole);
  const progress now = advance();
  bio_.give({});
  return now;
}

openssl_handshake::progress openssl_handshake::advance() {
  ERR_clear_error();  // SSL_get_error takes any older error of the thread for its own
  const int done = SSL_do_handshake(ssl_.get());
  if (done == 1) return progress::done;
  return SSL_get_error(ssl_.get(), done) == SSL_ERROR_WANT_READ ? progress::going_on : fail();
}

openssl_handshake::progress openssl_handshake::handle_timeout() {
  return DTLSv1_handle_timeout(ssl_.get()) < 0 ? fail() : progress::going_on;
}

std::optional<base::duration> openssl_handshake::until_retransmission() const {
  timeval left{};
  if (DTLSv1_get_timeout(ssl_.get(), &left) != 1) return std::nullopt;
  return std::chrono::seconds(left.tv_sec) + std::chrono::microseconds(left.tv_usec);
}

std::optional<handshake_outcome> openssl_handshake::outcome() {
  handshake_outcome made;
  made.version = static_cast<std::uint16_t>(SSL_version(ssl_.get()));
  made.cipher_name = SSL_CIPHER_standard_name(SSL_get_current_cipher(ssl_.get()));
  const SRTP_PROTECTION_PROFILE* profile = SSL_get_selected_srtp_profile(ssl_.get());
  if (profile != nullptr) made.srtp_profile = static_cast<std::uint16_t>(profile->id);
  made.secrets = session_secrets::of(ssl_.get());
  key_block keys;
  if (!made.secrets || !made.secrets->derive(keys)) return std::nullopt;
  const auto position = position_after(bio_.written(), keys.kind);
  if (!position) return std::nullopt;
  const bool is_client = role_ == role::client;
  made.records = record_layer::make(keys, is_client, *position);
  if (!is_client) made.repeatable = last_flight::of(bio_.written(), keys);
  if (!made.records || made.repeatable.has_value() == is_client) return std::nullopt;
  return made;
}

bool openssl_handshake::accepts(X509* certificate) {
  remote_certificate_ = crypto::der_of(certificate);
  const auto matches = [&](const crypto::fingerprint& announced) {
    return crypto::fingerprint_of(remote_certificate_, announced.algorithm) == announced;
  };
  fingerprint_mismatch_ = std::none_of(settings_.remote_fingerprints.begin(),
                                       settings_.remote_fingerprints.end(), matches);
  return !fingerprint_mismatch_;
}

openssl_handshake::progress openssl_handshake::fail() {
  openssl_reason_ = crypto::take_openssl_error();
  return progress::failed;
}

base::failure openssl_handshake::reason() const {
  if (fingerprint_mismatch_) {
    return {errc::fingerprint_mismatch,
            "the certificate matches no fingerprint of the description"};
  }
  return {errc::dtls_failed, openssl_reason_};
}

}  // namespace asiortc::dtls

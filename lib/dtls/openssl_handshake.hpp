// The handshake over OpenSSL: from the first flight to the keys.
#pragma once

#include "dtls/datagram_bio.hpp"
#include "dtls/endpoint.hpp"
#include "dtls/last_flight.hpp"
#include "dtls/openssl_context.hpp"
#include "dtls/record.hpp"
#include "dtls/record_layer.hpp"
#include "dtls/session_secrets.hpp"

namespace asiortc::dtls {

/// All that goes on after a handshake; OpenSSL's SSL, some 60 kB, is not part of it.
struct handshake_outcome {
  std::unique_ptr<const session_secrets> secrets;
  std::optional<record_layer> records;
  std::optional<last_flight> repeatable;  ///< of a server
  std::uint16_t version = 0;
  std::uint16_t srtp_profile = 0;
  std::string cipher_name;
};

class openssl_handshake final : private certificate_judge {
 public:
  /// `refused`: the record was one too many of epoch 1, and nothing happened.
  enum class progress { going_on, refused, done, failed };

  /// The settings outlive it.
  openssl_handshake(const settings& settings, role role);

  /// Sends the first flight, or waits for it.
  progress start();
  /// Goes on with a record: any of epoch 0, and of epoch 1 those of the type handshake.
  progress take(const record& record);
  progress handle_timeout();
  /// How long to wait until OpenSSL wants to repeat itself; nothing when it waits for the peer.
  [[nodiscard]] std::optional<base::duration> until_retransmission() const;

  /// Appends what OpenSSL wrote.
  void poll_transmit(base::packet_batch& out) { bio_.drain(out); }

  /// Once, when it is done. Nothing when the keys cannot be taken out.
  std::optional<handshake_outcome> outcome();

  /// Why it failed.
  [[nodiscard]] base::failure reason() const;

  /// In DER form, once it was seen.
  [[nodiscard]] const base::bytes& remote_certificate() const { return remote_certificate_; }

 private:
  bool accepts(X509* certificate) override;
  bool make_ssl();
  progress advance();
  progress fail();

  const settings& settings_;
  role role_;
  datagram_bio bio_;  // before the SSL that uses it
  ssl_ptr ssl_;
  std::size_t next_epoch_records_ = 0;
  bool fingerprint_mismatch_ = false;
  std::string openssl_reason_;
  base::bytes remote_certificate_;
};

}  // namespace asiortc::dtls

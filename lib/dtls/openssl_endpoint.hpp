// The DTLS endpoint over OpenSSL: its handshake, its timer and its states.
#pragma once

#include "crypto/openssl.hpp"
#include "dtls/datagram_bio.hpp"
#include "dtls/early_datagrams.hpp"
#include "dtls/endpoint.hpp"
#include "dtls/openssl_context.hpp"
#include "dtls/record.hpp"
#include "dtls/record_layer.hpp"

#include <deque>

namespace asiortc::dtls {

class openssl_endpoint final : public endpoint, private certificate_judge {
 public:
  explicit openssl_endpoint(settings settings);

  void start(base::time_point now, role role) override;
  void handle_datagram(base::time_point now, base::mutable_byte_span datagram,
                       base::packet_batch& plain) override;
  void handle_timeout(base::time_point now) override;
  [[nodiscard]] base::time_point next_deadline() const override;
  bool seal(base::byte_span plain, base::packet_batch& out) override;
  void poll_transmit(base::packet_batch& out) override;
  std::optional<event> poll_event() override;
  void close(base::time_point now) override;

  [[nodiscard]] state current_state() const override { return state_; }
  [[nodiscard]] base::byte_span remote_certificate() const override { return remote_certificate_; }
  base::result<base::bytes> export_keying_material(std::string_view label,
                                                   std::size_t length) override;
  [[nodiscard]] std::uint16_t version() const override { return version_; }
  [[nodiscard]] std::uint16_t srtp_profile() const override { return srtp_profile_; }
  [[nodiscard]] std::uint64_t dropped() const override { return dropped_; }

 private:
  bool accepts(X509* certificate) override;

  bool make_ssl(role role);
  void handle_handshake_datagram(base::byte_span datagram);
  void handle_handshake_record(const record& record);
  void advance_handshake();
  void connect();
  void open(base::byte_span datagram, base::packet_batch& plain);
  void open_early(base::packet_batch& plain);
  void release_when_idle(base::time_point now);
  void update_retransmission(base::time_point now);
  void fail_from_openssl();
  void set_state(state now, base::failure reason);

  settings settings_;
  state state_ = state::new_;
  std::deque<event> events_;

  datagram_bio bio_;  // before the SSL that uses it
  ssl_ptr ssl_;
  std::optional<record_layer> records_;

  early_datagrams before_start_;
  early_datagrams before_connected_;
  std::size_t next_epoch_records_ = 0;  // handshake records of epoch 1 given to OpenSSL early

  base::time_point last_now_;
  base::time_point retransmit_at_ = base::never;
  base::time_point give_up_at_ = base::never;
  base::time_point release_at_ = base::never;
  bool used_since_check_ = false;

  bool fingerprint_mismatch_ = false;
  base::bytes remote_certificate_;
  std::uint16_t version_ = 0;
  std::uint16_t srtp_profile_ = 0;
  std::uint64_t dropped_ = 0;
};

}  // namespace asiortc::dtls

// The DTLS endpoint: OpenSSL's handshake, then records of our own.
#pragma once

#include "dtls/early_datagrams.hpp"
#include "dtls/endpoint.hpp"
#include "dtls/openssl_handshake.hpp"

namespace asiortc::dtls {

class openssl_endpoint final : public endpoint {
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
  [[nodiscard]] base::byte_span remote_certificate() const override;
  base::result<base::bytes> export_keying_material(std::string_view label,
                                                   std::size_t length) override;
  [[nodiscard]] std::uint16_t version() const override { return version_; }
  [[nodiscard]] std::uint16_t srtp_profile() const override { return srtp_profile_; }
  [[nodiscard]] const std::string& cipher() const override { return cipher_; }
  [[nodiscard]] std::uint64_t dropped() const override { return dropped_; }

 private:
  void handle_handshake_datagram(base::byte_span datagram);
  void handle_handshake_record(const record& record);
  void follow(openssl_handshake::progress progress);
  void connect();
  void keep_early(base::byte_span datagram);
  void open_early(base::packet_batch& plain);
  void update_retransmission(base::time_point now);

  void open(base::byte_span datagram, base::packet_batch& plain);
  bool open_record(const record& sealed, base::packet_batch& plain);
  bool handle_alert(base::byte_span content);
  void send_close_notify();
  void end_handshake();
  void set_state(state now, base::failure reason);

  settings settings_;
  state state_ = state::new_;
  std::vector<event> events_;

  std::unique_ptr<openssl_handshake> handshake_;    // while connecting
  std::unique_ptr<const session_secrets> secrets_;  // while connected, as the next two
  std::optional<record_layer> records_;
  std::optional<last_flight> last_flight_;
  bool last_flight_due_ = false;

  early_datagrams before_start_;
  early_datagrams before_connected_;
  base::packet_batch waiting_;  // what there is to send and was not polled

  base::time_point retransmit_at_ = base::never;
  base::time_point give_up_at_ = base::never;

  base::bytes remote_certificate_;
  std::uint16_t version_ = 0;
  std::uint16_t srtp_profile_ = 0;
  std::string cipher_;
  std::uint64_t dropped_ = 0;
};

}  // namespace asiortc::dtls

// One end of a DTLS association (RFC 6347, RFC 8842), free of any TLS library.
#pragma once

#include "base/bytes.hpp"
#include "base/log.hpp"
#include "base/packet.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "crypto/identity.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace asiortc::dtls {

/// Who sends the ClientHello: `client` is SDP's `active` (RFC 8842 5.2).
enum class role { client, server };

enum class state { new_, connecting, connected, closed, failed };

/// webrtc-pc 5.5.1 RTCDtlsTransportState's spelling, e.g. `connecting`.
std::string_view to_string(state state) noexcept;

struct settings {
  std::shared_ptr<const crypto::identity> identity;
  /// What the remote certificate must match: any one of them (RFC 8122 5).
  std::vector<crypto::fingerprint> remote_fingerprints;
  /// The largest datagram that the endpoint makes.
  std::size_t mtu = 1200;
  base::duration handshake_timeout = std::chrono::seconds(30);
  base::logger log;
};

/// The state changed; `failed` and `closed` carry the reason (`dtls_failed`, `dtls_timeout`,
/// `fingerprint_mismatch`, `remote_closed`, `closed`).
struct state_changed {
  state now = state::new_;
  base::failure reason = boost::system::error_code{};
};

using event = std::variant<state_changed>;

/// A core: it is told the time and the datagrams. Handshake packets, retransmissions and alerts
/// come out of `poll_transmit`; application data is sealed straight into the caller's batch.
class endpoint {
 public:
  virtual ~endpoint() = default;

  /// Begins the handshake in the role; once.
  virtual void start(base::time_point now, role role) = 0;

  /// Takes one datagram and appends what application data it carried to `plain`, a packet a
  /// record. Before `start` a bounded number of handshake datagrams is kept, so that a ClientHello
  /// that overtakes the answer is not lost. Malformed records are dropped and counted.
  virtual void handle_datagram(base::time_point now, base::mutable_byte_span datagram,
                               base::packet_batch& plain) = 0;

  /// Retransmits what is due (RFC 6347 4.2.4).
  virtual void handle_timeout(base::time_point now) = 0;
  [[nodiscard]] virtual base::time_point next_deadline() const = 0;

  /// Seals one record and appends it to `out`, whose route the caller has set. False when the
  /// endpoint is not connected; nothing is appended then.
  virtual bool seal(base::byte_span plain, base::packet_batch& out) = 0;

  /// Appends the handshake packets and alerts that wait.
  virtual void poll_transmit(base::packet_batch& out) = 0;
  virtual std::optional<event> poll_event() = 0;

  /// Queues a close_notify; the state becomes closed at once.
  virtual void close(base::time_point now) = 0;

  [[nodiscard]] virtual state current_state() const = 0;
  /// The remote certificate in DER form, once it was seen.
  [[nodiscard]] virtual base::byte_span remote_certificate() const = 0;
  /// RFC 5705 keying material; for SRTP later. Fails before `connected`.
  virtual base::result<base::bytes> export_keying_material(std::string_view label,
                                                           std::size_t length) = 0;
  /// The negotiated protocol version as on the wire, e.g. 0xfefd; 0 before.
  [[nodiscard]] virtual std::uint16_t version() const = 0;
  /// The negotiated SRTP profile (RFC 5764 4.1.2), 0 for none.
  [[nodiscard]] virtual std::uint16_t srtp_profile() const = 0;
  /// The cipher suite's name at IANA; empty before `connected`.
  [[nodiscard]] virtual const std::string& cipher() const = 0;
  /// Datagrams or records that were malformed or failed authentication.
  [[nodiscard]] virtual std::uint64_t dropped() const = 0;
};

/// The endpoint over OpenSSL. `settings.identity` must not be null.
std::unique_ptr<endpoint> make_openssl_endpoint(settings settings);

}  // namespace asiortc::dtls

// One SCTP association over DTLS (RFC 8831, RFC 9260), free of any SCTP engine.
#pragma once

#include "base/bytes.hpp"
#include "base/log.hpp"
#include "base/packet.hpp"
#include "base/result.hpp"
#include "base/time.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <variant>
#include <vector>

namespace asiortc::sctp {

enum class stream_id : std::uint16_t {};

/// RFC 8831 8's payload protocol identifiers.
enum class ppid : std::uint32_t {
  dcep = 50,
  string = 51,
  binary_partial = 52,  // deprecated: accepted, never sent
  binary = 53,
  string_partial = 54,  // deprecated: accepted, never sent
  string_empty = 56,
  binary_empty = 57,
};

struct settings {
  std::uint16_t local_port = 5000;
  std::uint16_t remote_port = 5000;
  /// SCTP packet with its header; RFC 8831 5: "the initial path MTU … 1200"; see docs for 1188.
  std::size_t max_packet_size = 1188;
  std::uint16_t max_streams = 65535;
  /// A larger incoming message ends the association's stream with `message_too_large`.
  std::size_t max_receive_message_size = 262144;
  base::logger log;
};

struct send_options {
  stream_id stream{};
  sctp::ppid ppid = sctp::ppid::binary;
  bool unordered = false;
  std::optional<std::uint16_t> max_retransmits;
  std::optional<std::chrono::milliseconds> lifetime;
};

// Events.
struct connected {
  std::uint16_t incoming_streams = 0;
  std::uint16_t outgoing_streams = 0;
};
struct message_received {
  stream_id stream{};
  sctp::ppid ppid{};
  bool unordered = false;
  base::bytes payload;
};
/// The peer reset its outgoing streams, so nothing more comes on them (RFC 6525 5.2.2).
struct incoming_streams_reset {
  std::vector<stream_id> streams;
};
/// Our own reset was performed by the peer: the streams may be reused once both are reset.
struct outgoing_streams_reset {
  std::vector<stream_id> streams;
};
/// After a send gave `false`: there is room again.
struct writable {};
/// The peer has acknowledged (or was told to skip) so many bytes of user data on the stream.
struct acknowledged {
  stream_id stream{};
  std::size_t bytes = 0;
};
/// An incoming message outgrew the limit; it was discarded.
struct message_too_large {
  stream_id stream{};
};
/// The end: `remote_closed` (shutdown or abort by the peer), `sctp_failed`, `closed`.
struct closed {
  base::failure reason = boost::system::error_code{};
};
using event =
    std::variant<connected, message_received, incoming_streams_reset, outgoing_streams_reset,
                 writable, acknowledged, message_too_large, closed>;

/// A core, but for its time: an engine may keep its own, moved by a `clock_source`. Packets and
/// events can thus also appear between calls; the association then calls its wake function.
class association {
 public:
  virtual ~association() = default;

  /// Sends the INIT; both sides do (RFC 8831 5). Packets that came before are handled now.
  virtual void connect(base::time_point now) = 0;

  /// Takes a batch of packets under one lock.
  virtual void handle_packets(base::time_point now, const base::packet_batch& packets) = 0;

  /// Queues one whole message: true when it was taken, false when the send buffer is full
  /// (`writable` follows). An error if the stream is not open at the engine or the association
  /// is gone. An empty payload is the caller's business (RFC 8831 6.6: one dummy byte).
  virtual base::result<bool> send(base::time_point now, const send_options& options,
                                  base::byte_span payload) = 0;

  /// Resets outgoing streams once what is queued on them is sent (RFC 6525). Requests are queued
  /// and batched, since one may be outstanding.
  virtual void reset_streams(base::time_point now, std::span<const stream_id> streams) = 0;

  /// While paused no messages are read, so that the peer's window closes; reading resumes what
  /// waits. Resets are told meanwhile, unless messages of their streams wait; those that wait for
  /// messages of other streams to arrive may have some of them read, a MiB a pause at most.
  virtual void pause_receive(bool paused) = 0;

  /// Sends an ABORT (RFC 9260 9.1), into the outbox.
  virtual void abort(base::time_point now) = 0;

  /// Appends waiting packets to `out`.
  virtual void poll_packets(base::packet_batch& out) = 0;
  virtual std::optional<event> poll_event() = 0;

  /// Bytes queued or in flight on the stream: not acknowledged yet.
  [[nodiscard]] virtual std::size_t unacknowledged(stream_id stream) const = 0;
  [[nodiscard]] virtual std::size_t unacknowledged() const = 0;
};

/// Called, from any thread and with no lock of the engine held, when the association has packets
/// or events that no call of its owner will fetch. It must only schedule the fetch.
using wake_function = std::function<void()>;

/// Moves an engine's time. A context that has associations calls `tick` about every 10 ms; two
/// contexts may, the engine advances by the time that really passed.
class clock_source {
 public:
  virtual ~clock_source() = default;
  virtual void tick(base::time_point now) = 0;
};

/// Makes associations and owns their time.
class engine : public clock_source {
 public:
  virtual std::unique_ptr<association> create(const settings& settings, wake_function wake) = 0;
};

/// The engine over usrsctp: one a process, made at the first call, never torn down. Thread-safe.
engine& usrsctp_engine();

}  // namespace asiortc::sctp

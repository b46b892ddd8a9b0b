// A TCP or TLS connection to a TURN or STUN server (RFC 8656 2.1, RFC 8489 6.2.2).
#pragma once

#include "base/bytes.hpp"
#include "base/endpoint.hpp"
#include "base/packet.hpp"
#include "base/time.hpp"
#include "io/guarded_strand.hpp"

#include <boost/system/error_code.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace asiortc::io {

class turn_stream {
 public:
  struct settings {
    base::socket_id id = base::socket_id::none;
    base::endpoint server;
    std::optional<base::ip_address> from;  ///< of this machine; none: the system chooses
    std::string host;  ///< the name or literal that the server's certificate must be for
    bool tls = false;
    std::string trusted_certificates;                   ///< PEM; empty: the system's
    base::duration timeout = std::chrono::seconds(10);  ///< for TCP and TLS together
  };
  /// Completes on the strand; captures what keeps the stream alive.
  using handler = std::function<void(boost::system::error_code)>;

  /// What is kept while the connection takes no more; packets beyond it are lost, as on a network.
  static constexpr std::size_t max_backlog_bytes = 1024 * 1024;

  turn_stream(const guarded_strand::strand_type& strand, settings given);
  ~turn_stream();
  turn_stream(const turn_stream&) = delete;
  turn_stream& operator=(const turn_stream&) = delete;

  [[nodiscard]] base::socket_id id() const;
  [[nodiscard]] const base::endpoint& server() const;
  [[nodiscard]] bool is_tls() const;
  /// The address of this machine that it goes from, once the system has chosen it.
  [[nodiscard]] std::optional<base::ip_address> local() const;

  /// Connects, and with TLS shakes hands: the certificate must be trusted and name the host.
  /// `timed_out` after `settings::timeout`.
  void async_open(handler done);
  /// Why the certificate was refused, where that was it; else the error's own words.
  [[nodiscard]] std::string explain(boost::system::error_code error) const;

  /// Completes when bytes have arrived; `next` takes the packets.
  void async_receive(handler done);
  std::optional<base::mutable_byte_span> next();
  /// What came is no STUN: nothing can be found in it any more.
  [[nodiscard]] bool broken() const;

  /// Queues one packet, already padded.
  void append(base::byte_span packet);
  /// Writes what is queued; true if `done` will be called. One at a time.
  bool async_flush(handler done);

  /// Waiting handlers complete with `operation_aborted`.
  void close() noexcept;

 private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

}  // namespace asiortc::io

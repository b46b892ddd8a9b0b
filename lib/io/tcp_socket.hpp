// ICE-TCP's sockets (RFC 6544): the ends at a local address, and the connections between them.
#pragma once

#include "base/packet.hpp"
#include "base/result.hpp"
#include "io/guarded_strand.hpp"
#include "io/udp_options.hpp"
#include "stun/stream_framer.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

namespace asiortc::io {

using tcp_descriptor = boost::asio::posix::basic_stream_descriptor<guarded_strand::strand_type>;

/// Listens, without blocking; `start` is as for `open_udp`.
base::result<bound_socket> listen_tcp(const base::ip_address& address, port_range ports,
                                      std::uint32_t start);
/// Has begun to connect, which is done or has failed when the socket is writable.
base::result<unique_fd> connect_tcp(const base::ip_address& from, const base::endpoint& to);

/// What connections are taken at, or made from. Each is a route of the end's id.
class tcp_end {
 public:
  /// An active end; the port is of no matter.
  tcp_end(base::socket_id id, const base::ip_address& address) : id_(id), local_(address, 0) {}
  /// A passive one.
  tcp_end(const guarded_strand::strand_type& strand, base::socket_id id, bound_socket bound)
      : id_(id), local_(bound.local), listener_(std::in_place, strand, bound.fd.release()) {}

  [[nodiscard]] base::socket_id id() const { return id_; }
  [[nodiscard]] const base::endpoint& local() const { return local_; }
  [[nodiscard]] bool is_passive() const { return listener_.has_value(); }
  [[nodiscard]] bool is_open() const { return open_; }

  template <class Handler>
  void async_wait_acceptable(Handler handler) {
    listener_->async_wait(tcp_descriptor::wait_read, std::move(handler));
  }
  /// Who has connected, and from where. `would_block` when nobody waits.
  base::result<std::pair<unique_fd, base::endpoint>> accept();

  /// Waiting handlers complete with `operation_aborted`.
  void close();

  bool short_of_resources = false;  ///< the owner's note: accepting is tried again later

 private:
  base::socket_id id_;
  base::endpoint local_;
  std::optional<tcp_descriptor> listener_;
  bool open_ = true;
};

/// Carries packets as RFC 4571 frames them. What the other side does not take in time is lost, as
/// on a network: SCTP slows down, and the newest packets are the ones that are dropped.
class tcp_connection {
 public:
  /// A STUN message or a DTLS record with a packet of SCTP in it stays far below this.
  static constexpr std::size_t largest_packet = 4096;
  static constexpr std::size_t max_backlog_bytes = 1024 * 1024;
  enum class progress { more, drained, ended };

  tcp_connection(const guarded_strand::strand_type& strand, unique_fd fd, const base::route& route)
      : route_(route), descriptor_(strand, fd.release()) {}

  [[nodiscard]] const base::route& route() const { return route_; }
  [[nodiscard]] bool is_open() const { return descriptor_.is_open(); }

  template <class Handler>
  void async_wait_readable(Handler handler) {
    descriptor_.async_wait(tcp_descriptor::wait_read, std::move(handler));
  }
  template <class Handler>
  void async_wait_writable(Handler handler) {
    descriptor_.async_wait(tcp_descriptor::wait_write, std::move(handler));
  }

  /// What became of connecting.
  [[nodiscard]] boost::system::error_code connect_error();

  /// Reads once; `next` takes the packets.
  progress receive();
  std::optional<base::mutable_byte_span> next() { return framer_.next(); }
  /// A packet was larger than any of ours.
  [[nodiscard]] bool broken() const { return framer_.broken(); }

  void append(base::byte_span packet);
  /// As much as the kernel takes. Errors are told by `receive`.
  void write();
  [[nodiscard]] bool blocked() const { return sent_ < queue_.size(); }
  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }

  /// Waiting handlers complete with `operation_aborted`.
  void close();

  // The owner's notes.
  bool connected = false;
  bool proven = false;             ///< the agent knows who is on the other side
  bool awaiting_writable = false;  ///< one wait at a time
  int unused = 0;                  ///< how often in a row it was found without use

 private:
  base::route route_;
  tcp_descriptor descriptor_;
  stun::rfc4571_framer framer_{largest_packet};
  base::bytes queue_;
  std::size_t sent_ = 0;
  std::uint64_t dropped_ = 0;
};

}  // namespace asiortc::io

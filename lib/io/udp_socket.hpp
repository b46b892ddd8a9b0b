// One UDP socket of a peer: readiness from Asio, datagrams in batches past it.
#pragma once

#include "base/packet.hpp"
#include "io/backlog_sender.hpp"
#include "io/guarded_strand.hpp"
#include "io/receive_buffers.hpp"
#include "io/udp_options.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace asiortc::io {

class udp_socket {
 public:
  using descriptor_type = boost::asio::posix::basic_stream_descriptor<guarded_strand::strand_type>;

  udp_socket(const guarded_strand::strand_type& strand, base::socket_id id, bound_socket bound,
             datagram_sender sender = datagram_sender())
      : id_(id), local_(bound.local), descriptor_(strand, bound.fd.release()), sender_(sender) {}

  [[nodiscard]] base::socket_id id() const { return id_; }
  [[nodiscard]] const base::endpoint& local() const { return local_; }
  [[nodiscard]] int native_handle() { return descriptor_.native_handle(); }

  /// `handler(error_code)` when there may be something to read.
  template <class Handler>
  void async_wait_readable(Handler handler) {
    descriptor_.async_wait(descriptor_type::wait_read, std::move(handler));
  }
  template <class Handler>
  void async_wait_writable(Handler handler) {
    descriptor_.async_wait(descriptor_type::wait_write, std::move(handler));
  }

  /// One call's worth of datagrams, in `buffers`. When there is nothing, looks for ICMP errors.
  receive_buffers::outcome receive(receive_buffers& buffers, base::time_point now,
                                   std::vector<base::route>& failed);
  /// Sends entries [first, last); what the kernel has no room for is kept.
  void send(const base::packet_batch& batch, std::size_t first, std::size_t last,
            std::vector<base::route>& failed) {
    sender_.send(native_handle(), batch, first, last, failed);
  }
  /// The socket has become writable: sends what was kept.
  void send_backlog(std::vector<base::route>& failed) {
    sender_.send_kept(native_handle(), failed);
  }
  [[nodiscard]] bool blocked() const { return sender_.blocked(); }
  [[nodiscard]] std::uint64_t dropped() const { return sender_.dropped(); }

  [[nodiscard]] bool is_open() const { return descriptor_.is_open(); }
  /// Waiting handlers complete with `operation_aborted`.
  void close();

  bool awaiting_writable = false;  ///< the owner's note: one wait at a time

 private:
  base::socket_id id_;
  base::endpoint local_;
  descriptor_type descriptor_;
  backlog_sender sender_;
};

}  // namespace asiortc::io

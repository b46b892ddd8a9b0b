#include "io/udp_socket.hpp"

namespace asiortc::io {

receive_buffers::outcome udp_socket::receive(receive_buffers& buffers, base::time_point now,
                                             std::vector<base::route>& failed) {
  const auto outcome = buffers.receive(native_handle(), id_, now);
  if (outcome.messages == 0) read_icmp_errors(native_handle(), id_, failed);
  return outcome;
}

void udp_socket::send(const base::packet_batch& batch, std::size_t first, std::size_t last,
                      std::vector<base::route>& failed) {
  if (blocked()) {
    keep(batch, first, last);
    return;
  }
  const std::size_t next = sender_.send(native_handle(), batch, first, last, failed);
  if (next < last) keep(batch, next, last);
}

void udp_socket::send_backlog(std::vector<base::route>& failed) {
  if (!blocked()) return;
  backlog_sent_ = sender_.send(native_handle(), backlog_, backlog_sent_, backlog_.size(), failed);
  if (blocked()) return;
  backlog_.release();
  backlog_sent_ = 0;
}

void udp_socket::keep(const base::packet_batch& batch, std::size_t first, std::size_t last) {
  for (std::size_t i = first; i < last; ++i) {
    const auto& packet = batch.entries()[i];
    if (backlog_.total_bytes() + packet.size > max_backlog_bytes) {
      ++dropped_;
      continue;
    }
    backlog_.set_route(packet.to, packet.kind);
    backlog_.append(batch.view(packet));
  }
}

void udp_socket::close() {
  boost::system::error_code ignored;
  descriptor_.close(ignored);
  backlog_.release();
  backlog_sent_ = 0;
}

}  // namespace asiortc::io

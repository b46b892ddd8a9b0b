#include "io/udp_socket.hpp"

namespace asiortc::io {

receive_buffers::outcome udp_socket::receive(receive_buffers& buffers, base::time_point now,
                                             std::vector<base::route>& failed) {
  const auto outcome = buffers.receive(native_handle(), id_, now);
  if (outcome.messages == 0) read_icmp_errors(native_handle(), id_, failed);
  return outcome;
}

void udp_socket::close() {
  boost::system::error_code ignored;
  descriptor_.close(ignored);
  sender_.clear();
}

}  // namespace asiortc::io

#include "io/datagram_sender.hpp"

#include "io/socket_address.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <netinet/udp.h>
#include <sys/socket.h>

namespace asiortc::io {
namespace {

constexpr std::size_t max_messages = 32;
constexpr std::size_t max_segments = 64;          // Linux: UDP_MAX_SEGMENTS, 64 before 6.9
constexpr std::size_t max_message_bytes = 65507;  // 65535 - 20 (IPv4) - 8 (UDP)
// A pending ICMP error of another destination fails the next send; trying again clears it.
constexpr int max_attempts = 4;

/// One past the last packet that goes into a message with `first`: packets that lie one after the
/// other in memory, with one route and one size, of which the last may be shorter.
std::size_t end_of_run(const base::packet_batch& batch, std::size_t first, std::size_t last) {
  const auto& entries = batch.entries();
  const std::size_t size = entries[first].size;
  std::size_t total = size;
  std::size_t end = first + 1;
  if (size == 0) return end;
  for (; end < last && end - first < max_segments; ++end) {
    const auto& previous = entries[end - 1];
    const auto& next = entries[end];
    const bool fits = previous.size == size && next.size <= size && next.size > 0 &&
                      next.offset == previous.offset + previous.size &&
                      total + next.size <= max_message_bytes && next.to == entries[first].to &&
                      next.dscp == entries[first].dscp;
    if (!fits) break;
    total += next.size;
  }
  return end;
}

/// The arguments of one sendmmsg. Lives on the stack and is filled only as far as it is used.
class message_table {
 public:
  void add(const base::packet_batch& batch, std::size_t first, std::size_t end) {
    const auto& head = batch.entries()[first];
    const auto& tail = batch.entries()[end - 1];
    const base::byte_span bytes = batch.view(head);
    const std::size_t total = tail.offset + tail.size - head.offset;
    vectors_[count_] = {const_cast<std::uint8_t*>(bytes.data()), total};
    targets_[count_].assign(head.to.remote);
    ends_[count_] = end;
    auto& header = headers_[count_].msg_hdr;
    header = msghdr{};
    header.msg_name = targets_[count_].data();
    header.msg_namelen = targets_[count_].size();
    header.msg_iov = &vectors_[count_];
    header.msg_iovlen = 1;
    if (end - first > 1) add_segment_size(header, static_cast<std::uint16_t>(head.size));
    ++count_;
  }

  [[nodiscard]] bool full() const { return count_ == max_messages; }
  /// One past the last packet of a message.
  [[nodiscard]] std::size_t end(std::size_t message) const { return ends_[message]; }

  int send(int fd) {
    int sent = 0;
    do {
      sent = ::sendmmsg(fd, headers_.data(), static_cast<unsigned>(count_),
                        MSG_DONTWAIT | MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    return sent;
  }

 private:
  struct alignas(8) control_space {
    std::array<std::uint8_t, CMSG_SPACE(sizeof(std::uint16_t))> bytes;
  };

  void add_segment_size(msghdr& header, std::uint16_t size) {
    auto& space = controls_[count_].bytes;
    space.fill(0);
    header.msg_control = space.data();
    header.msg_controllen = space.size();
    auto* control = CMSG_FIRSTHDR(&header);
    control->cmsg_level = SOL_UDP;
    control->cmsg_type = UDP_SEGMENT;
    control->cmsg_len = CMSG_LEN(sizeof size);
    std::memcpy(CMSG_DATA(control), &size, sizeof size);
  }

  std::array<mmsghdr, max_messages> headers_;
  std::array<iovec, max_messages> vectors_;
  std::array<control_space, max_messages> controls_;
  std::array<socket_address, max_messages> targets_;
  std::array<std::size_t, max_messages> ends_;
  std::size_t count_ = 0;
};

bool refuses_segmentation(int error) { return error == EIO || error == EINVAL; }

/// The packet is lost, which says nothing about the route.
bool is_loss(int error) { return error == ENOBUFS || error == ENOMEM || error == ECONNREFUSED; }

}  // namespace

std::size_t datagram_sender::send(int fd, const base::packet_batch& batch, std::size_t first,
                                  std::size_t last, std::vector<base::route>& failed) {
  std::size_t singles_until = first;  // packets before this go one by one
  bool suspicious = false;            // a run was refused in a way that may mean: no segmentation
  int attempts = 0;
  while (first < last) {
    message_table table;
    for (std::size_t next = first; next < last && !table.full();) {
      const bool grouped = segmentation_ && next >= singles_until;
      const std::size_t end = grouped ? end_of_run(batch, next, last) : next + 1;
      table.add(batch, next, end);
      next = end;
    }
    const int sent = table.send(fd);
    if (sent > 0) {
      first = table.end(static_cast<std::size_t>(sent) - 1);
      if (suspicious) segmentation_ = false;
      suspicious = false;
      attempts = 0;
      continue;
    }
    const int error = errno;
    if (error == EAGAIN || error == EWOULDBLOCK) return first;
    if (table.end(0) - first > 1 && (refuses_segmentation(error) || error == EMSGSIZE)) {
      singles_until = table.end(0);
      suspicious = refuses_segmentation(error);
      continue;
    }
    if (++attempts < max_attempts && error != EMSGSIZE) continue;
    if (!is_loss(error)) failed.push_back(batch.entries()[first].to);
    suspicious = false;  // it was not the run
    first = table.end(0);
    attempts = 0;
  }
  return first;
}

}  // namespace asiortc::io

#include "io/receive_buffers.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <netinet/udp.h>

namespace asiortc::io {
namespace {

/// The size of the merged datagrams, or 0 where nothing was merged.
std::size_t segment_size(const msghdr& header) {
  // CMSG_NXTHDR takes no const.
  auto& message = const_cast<msghdr&>(header);
  for (auto* control = CMSG_FIRSTHDR(&message); control != nullptr;
       control = CMSG_NXTHDR(&message, control)) {
    if (control->cmsg_level != SOL_UDP || control->cmsg_type != UDP_GRO) continue;
    int size = 0;
    std::memcpy(&size, CMSG_DATA(control), sizeof size);
    return size > 0 ? static_cast<std::size_t>(size) : 0;
  }
  return 0;
}

}  // namespace

void receive_buffers::prepare() {
  if (!memory_) memory_.reset(new std::uint8_t[slots * slot_size]);  // not zeroed on purpose
  for (std::size_t i = 0; i < slots; ++i) {
    vectors_[i] = {memory_.get() + i * slot_size, slot_size};
    auto& header = headers_[i].msg_hdr;
    header.msg_name = senders_[i].data();
    header.msg_namelen = socket_address::capacity();
    header.msg_iov = &vectors_[i];
    header.msg_iovlen = 1;
    header.msg_control = controls_[i].bytes.data();
    header.msg_controllen = sizeof controls_[i].bytes;
  }
}

receive_buffers::outcome receive_buffers::receive(int fd, base::socket_id local,
                                                  base::time_point now) {
  prepare();
  datagrams_.clear();
  int count = 0;
  do {
    count = ::recvmmsg(fd, headers_.data(), slots, MSG_DONTWAIT, nullptr);
  } while (count < 0 && errno == EINTR);
  if (count < 0) return {0, errno};
  for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
    base::datagram pattern;
    pattern.from = {local, senders_[i].to_endpoint()};
    pattern.arrival = now;
    split(headers_[i], i, pattern);
  }
  return {static_cast<std::size_t>(count), 0};
}

void receive_buffers::split(const mmsghdr& received, std::size_t slot, base::datagram pattern) {
  if ((received.msg_hdr.msg_flags & MSG_TRUNC) != 0) return;
  base::mutable_byte_span rest{memory_.get() + slot * slot_size, received.msg_len};
  const std::size_t merged = segment_size(received.msg_hdr);
  const std::size_t step = merged == 0 ? rest.size() : merged;
  do {
    pattern.bytes = rest.first(std::min(step, rest.size()));
    rest = rest.subspan(pattern.bytes.size());
    datagrams_.push_back(pattern);
  } while (!rest.empty());
}

}  // namespace asiortc::io

// Datagrams on their way in and out, and the arena that carries a batch of them.
#pragma once

#include "base/bytes.hpp"
#include "base/endpoint.hpp"
#include "base/time.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace asiortc::base {

/// Names a local socket to a core; the shell gives the numbers, from 1. 0 is none.
enum class socket_id : std::uint32_t { none = 0 };

/// From which socket to which address.
struct route {
  socket_id local = socket_id::none;
  endpoint remote;

  bool operator==(const route&) const = default;
};

/// What a packet is, for those who schedule (media comes later).
enum class traffic_class : std::uint8_t { control, data };

/// A datagram that arrived. The bytes belong to the caller and may be changed in place.
struct datagram {
  mutable_byte_span bytes;
  route from;  ///< `local` is where it came in, `remote` who sent it
  time_point arrival;
  std::uint8_t ecn = 0;
};

/// Packets in one reused block of memory, each with the route set last. `clear()` keeps the memory,
/// so a batch that lives in the context costs no allocation in the steady state.
class packet_batch {
 public:
  struct entry {
    std::size_t offset = 0;
    std::size_t size = 0;
    route to;
    traffic_class kind = traffic_class::control;
    std::uint8_t dscp = 0;
    time_point not_before = time_point::min();
  };

  /// What is appended from now on goes there.
  void set_route(const route& to, traffic_class kind) {
    next_.to = to;
    next_.kind = kind;
  }

  void append(byte_span packet) {
    const mutable_byte_span room = allocate(packet.size());
    std::copy(packet.begin(), packet.end(), room.begin());
    commit(packet.size());
  }

  /// Room for a packet of up to `size` bytes, valid until the next call; `commit` makes it one.
  mutable_byte_span allocate(std::size_t size) {
    if (arena_.size() < used_ + size) arena_.resize(std::max(used_ + size, arena_.size() * 2));
    return mutable_byte_span(arena_).subspan(used_, size);
  }

  void commit(std::size_t size) {
    next_.offset = used_;
    next_.size = size;
    entries_.push_back(next_);
    used_ += size;
  }

  void clear() {
    entries_.clear();
    used_ = 0;
  }

  /// Gives the memory back.
  void release() { *this = packet_batch{}; }

  [[nodiscard]] bool empty() const { return entries_.empty(); }
  [[nodiscard]] std::size_t size() const { return entries_.size(); }
  [[nodiscard]] std::size_t total_bytes() const { return used_; }
  [[nodiscard]] const std::vector<entry>& entries() const { return entries_; }
  [[nodiscard]] byte_span view(const entry& packet) const {
    return byte_span(arena_).subspan(packet.offset, packet.size);
  }
  [[nodiscard]] mutable_byte_span mutable_view(const entry& packet) {
    return mutable_byte_span(arena_).subspan(packet.offset, packet.size);
  }

 private:
  bytes arena_;
  std::vector<entry> entries_;
  std::size_t used_ = 0;
  entry next_;
};

}  // namespace asiortc::base

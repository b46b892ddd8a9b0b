// Cuts a TCP or TLS stream into the packets that it carries.
#pragma once

#include "base/bytes.hpp"
#include "stun/stream_buffer.hpp"

#include <cstddef>
#include <optional>

namespace asiortc::stun {

/// What both framers share. A stream that broke its framing cannot be followed any more: nothing
/// comes out of it, and the owner closes the connection.
class stream_framer {
 public:
  base::mutable_byte_span prepare(std::size_t size) { return buffer_.prepare(size); }
  void commit(std::size_t size) { buffer_.commit(size); }

  /// Bytes that are somewhere else already.
  void feed(base::byte_span bytes);

  [[nodiscard]] bool broken() const { return broken_; }

 protected:
  /// A frame's size on the wire, and how much of it is the packet.
  struct extent {
    std::size_t skipped_before = 0;
    std::size_t packet = 0;
    std::size_t skipped_after = 0;
  };

  std::optional<base::mutable_byte_span> take(const extent& frame);
  std::nullopt_t give_up() {
    broken_ = true;
    return std::nullopt;
  }

  stream_buffer buffer_;
  bool broken_ = false;
};

/// STUN messages, by the length in their header (RFC 8489 6.2.2), and between them the ChannelData
/// of TURN, padded to four bytes (RFC 8656 12.5).
class message_framer : public stream_framer {
 public:
  /// `largest` bounds a packet, and so the memory that a hostile server can take.
  explicit message_framer(std::size_t largest) : largest_(largest) {}

  /// The next whole packet, a ChannelData without its padding. Valid until the next `prepare` or
  /// `feed`; nothing if more bytes must arrive.
  std::optional<base::mutable_byte_span> next();

 private:
  std::size_t largest_;
};

/// RFC 4571 2: each packet behind its length in two bytes, as ICE-TCP has it (RFC 6544 3). Only a
/// packet that is larger than agreed breaks such a stream.
class rfc4571_framer : public stream_framer {
 public:
  static constexpr std::size_t header_size = 2;

  /// `largest` bounds a packet, and so the memory that a stranger can take.
  explicit rfc4571_framer(std::size_t largest = 0xFFFF) : largest_(largest) {}

  /// As `message_framer::next`. Empty packets are passed over.
  std::optional<base::mutable_byte_span> next();

  /// Appends the packet in its frame; it must not be larger than 65535 bytes.
  static void write(base::bytes& out, base::byte_span packet);

 private:
  std::size_t largest_;
};

}  // namespace asiortc::stun

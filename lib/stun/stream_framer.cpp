#include "stun/stream_framer.hpp"

#include "stun/types.hpp"

#include <algorithm>
#include <cassert>

namespace asiortc::stun {
namespace {

constexpr std::size_t channel_header_size = 4;

}  // namespace

void stream_framer::feed(base::byte_span bytes) {
  const auto room = prepare(bytes.size());
  std::copy(bytes.begin(), bytes.end(), room.begin());
  commit(bytes.size());
}

std::optional<base::mutable_byte_span> stream_framer::take(const extent& frame) {
  if (buffer_.waiting().size() < frame.skipped_before + frame.packet + frame.skipped_after) {
    return std::nullopt;
  }
  buffer_.take(frame.skipped_before);
  const auto packet = buffer_.take(frame.packet);
  buffer_.take(frame.skipped_after);
  return packet;
}

std::optional<base::mutable_byte_span> message_framer::next() {
  if (broken_) return std::nullopt;
  base::byte_reader header(buffer_.waiting());
  if (header.remaining() < channel_header_size) return std::nullopt;
  const std::uint16_t first = header.u16();
  const std::uint16_t length = header.u16();
  extent frame;
  if ((first & 0xC000) == 0) {
    // RFC 8489 5: "the last 2 bits of this field are always zero".
    if (length % 4 != 0) return give_up();
    if (header.remaining() >= 4 && header.u32() != magic_cookie) return give_up();
    frame.packet = stun::header_size + length;
  } else if (first >= 0x4000 && first <= 0x4FFF) {
    // RFC 8656 12.5: "the padding ... is not reflected in the length field".
    frame.packet = channel_header_size + length;
    frame.skipped_after = padded(length) - length;
  } else {
    return give_up();
  }
  if (frame.packet > largest_) return give_up();
  return take(frame);
}

std::optional<base::mutable_byte_span> rfc4571_framer::next() {
  while (!broken_ && buffer_.waiting().size() >= header_size) {
    const std::uint16_t length = base::byte_reader(buffer_.waiting()).u16();
    if (length > largest_) return give_up();
    const auto packet = take({header_size, length, 0});
    if (!packet || !packet->empty()) return packet;
  }
  return std::nullopt;
}

void rfc4571_framer::write(base::bytes& out, base::byte_span packet) {
  assert(packet.size() <= 0xFFFF);
  base::byte_writer writer(out);
  writer.u16(static_cast<std::uint16_t>(packet.size()));
  writer.append(packet);
}

}  // namespace asiortc::stun

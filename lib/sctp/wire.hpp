// As much of SCTP's packet format (RFC 9260 3) as the accounting beside an engine needs.
#pragma once

#include "base/bytes.hpp"

#include <cstddef>
#include <cstdint>

namespace asiortc::sctp {

/// RFC 9260 3.1: ports, verification tag, checksum.
inline constexpr std::size_t common_header_size = 12;
/// RFC 9260 3.3.4: a SACK with neither gap blocks nor duplicates.
inline constexpr std::size_t bare_sack_size = 16;

/// RFC 9260 3.2, RFC 6525 3.1.
enum class chunk_type : std::uint8_t { data = 0, sack = 3, abort = 6, reconfig = 130 };

struct chunk {
  chunk_type type{};
  std::uint8_t flags = 0;
  base::byte_span body;  ///< after the four bytes of the header, without padding
};

/// Calls `visit(chunk)` for each whole chunk of a packet; a malformed length ends the walk.
template <class Visit>
void for_each_chunk(base::byte_span packet, Visit visit) {
  base::byte_reader reader(packet);
  reader.take(common_header_size);
  while (reader.remaining() >= 4) {
    chunk next;
    next.type = static_cast<chunk_type>(reader.u8());
    next.flags = reader.u8();
    const std::size_t length = reader.u16();
    if (length < 4 || length - 4 > reader.remaining()) return;
    next.body = reader.take(length - 4);
    visit(next);
    // RFC 9260 3.2: padded to four bytes, which the length does not count.
    const std::size_t padding = (4 - length % 4) % 4;
    if (padding > reader.remaining()) return;
    reader.take(padding);
  }
}

/// Whether a RE-CONFIG chunk tells the peer that what it asked for is not done yet, "In progress"
/// (RFC 6525 4.4).
inline bool answers_in_progress(const chunk& part) {
  if (part.type != chunk_type::reconfig) return false;
  constexpr std::uint16_t response = 16;
  constexpr std::uint32_t in_progress = 6;
  base::byte_reader reader(part.body);
  while (reader.remaining() >= 4) {
    const std::uint16_t type = reader.u16();
    const std::size_t length = reader.u16();
    if (length < 4 || length - 4 > reader.remaining()) return false;
    base::byte_reader value(reader.take(length - 4));
    value.u32();  // the number of the request
    if (type == response && value.u32() == in_progress && value.ok()) return true;
    const std::size_t padding = (4 - length % 4) % 4;
    if (padding > reader.remaining()) return false;
    reader.take(padding);
  }
  return false;
}

/// Whether the packet is one SACK that reports no gap: a later one says all that it says.
inline bool is_bare_sack(base::byte_span packet) {
  return packet.size() == common_header_size + bare_sack_size &&
         packet[common_header_size] == static_cast<std::uint8_t>(chunk_type::sack) &&
         packet[common_header_size + 3] == bare_sack_size;
}

}  // namespace asiortc::sctp

// The DTLS 1.2 record header (RFC 6347 4.1).
#pragma once

#include "base/bytes.hpp"

#include <cstdint>
#include <optional>

namespace asiortc::dtls {

/// RFC 5246 6.2.1.
enum class content_type : std::uint8_t {
  change_cipher_spec = 20,
  alert = 21,
  handshake = 22,
  application_data = 23
};

/// type(1) version(2) epoch(2) sequence_number(6) length(2), RFC 6347 4.1.
inline constexpr std::size_t record_header_size = 13;
/// RFC 6347 4.1: "The use of version 254.253 is [...] for DTLS 1.2".
inline constexpr std::uint16_t dtls_1_2 = 0xfefd;
/// RFC 5246 6.2.1: "The length MUST NOT exceed 2^14."
inline constexpr std::size_t longest_plain_record = 16384;
/// The epoch and the sequence number are one number of 64 bits (RFC 6347 4.1.2.1) of which the
/// number takes 48.
inline constexpr std::uint64_t last_sequence = (std::uint64_t{1} << 48) - 1;

struct record {
  content_type type = content_type::handshake;
  std::uint16_t version = 0;
  std::uint16_t epoch = 0;
  std::uint64_t sequence = 0;
  base::byte_span whole;  ///< header and body
  base::byte_span body;

  [[nodiscard]] base::byte_span header() const { return whole.first(record_header_size); }
};

/// Takes the first record off `datagram`. Nothing, and the rest of the datagram with it, when what
/// is there is not a record: RFC 6347 4.1.2.7 says to drop it silently.
inline std::optional<record> take_record(base::byte_span& datagram) {
  base::byte_reader reader(datagram);
  record found;
  const std::uint8_t type = reader.u8();
  found.version = reader.u16();
  found.epoch = reader.u16();
  found.sequence = std::uint64_t{reader.u16()} << 32;
  found.sequence |= reader.u32();
  found.body = reader.take(reader.u16());
  // All versions of DTLS up to 1.2 have the major version 254 (RFC 6347 4.1).
  if (!reader.ok() || type < 20 || type > 23 || found.version >> 8 != 254) {
    datagram = {};
    return std::nullopt;
  }
  found.type = static_cast<content_type>(type);
  found.whole = datagram.first(datagram.size() - reader.remaining());
  datagram = reader.rest();
  return found;
}

/// Writes a header over the first bytes of `room`.
inline void put_record_header(base::mutable_byte_span room, content_type type, std::uint16_t epoch,
                              std::uint64_t sequence, std::size_t body_size) {
  const std::uint64_t number = std::uint64_t{epoch} << 48 | sequence;
  room[0] = static_cast<std::uint8_t>(type);
  room[1] = dtls_1_2 >> 8;
  room[2] = dtls_1_2 & 0xff;
  for (unsigned int i = 0; i < 8; ++i) {
    room[3 + i] = static_cast<std::uint8_t>(number >> (56 - 8 * i));
  }
  room[11] = static_cast<std::uint8_t>(body_size >> 8);
  room[12] = static_cast<std::uint8_t>(body_size);
}

}  // namespace asiortc::dtls

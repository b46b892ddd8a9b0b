// The DTLS 1.2 record header (RFC 6347 4.1), as much as is read before a record layer has keys.
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

struct record {
  content_type type = content_type::handshake;
  std::uint16_t epoch = 0;
  base::byte_span whole;  ///< header and body
};

/// Takes the first record off `datagram`. Nothing, and the rest of the datagram with it, when what
/// is there is not a record: RFC 6347 4.1.2.7 says to drop it silently.
inline std::optional<record> take_record(base::byte_span& datagram) {
  base::byte_reader reader(datagram);
  record found;
  const std::uint8_t type = reader.u8();
  const std::uint8_t major = static_cast<std::uint8_t>(reader.u16() >> 8);
  found.epoch = reader.u16();
  reader.take(6);
  reader.take(reader.u16());
  // All versions of DTLS up to 1.2 have the major version 254 (RFC 6347 4.1).
  if (!reader.ok() || type < 20 || type > 23 || major != 254) {
    datagram = {};
    return std::nullopt;
  }
  found.type = static_cast<content_type>(type);
  found.whole = datagram.first(datagram.size() - reader.remaining());
  datagram = reader.rest();
  return found;
}

}  // namespace asiortc::dtls

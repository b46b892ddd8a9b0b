// SCTP's checksum: CRC32c (RFC 9260 6.8 and appendix A).
#pragma once

#include "base/bytes.hpp"

#include <cstdint>

namespace asiortc::sctp {

/// CRC32c of the bytes, by the CPU's instruction where it has one.
std::uint32_t crc32c(base::byte_span data);

/// The same by tables alone; what `crc32c` falls back to.
std::uint32_t crc32c_portable(base::byte_span data);

/// Fills in the checksum of a packet of at least 12 bytes.
void write_checksum(base::mutable_byte_span packet);

/// Whether the checksum of a packet is the right one; false for less than a common header.
bool checksum_is_right(base::byte_span packet);

}  // namespace asiortc::sctp

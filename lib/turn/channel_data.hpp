// ChannelData, the short frame of a bound channel (RFC 8656 12.4).
#pragma once

#include "base/bytes.hpp"

#include <cstdint>
#include <optional>

namespace asiortc::turn {

inline constexpr std::size_t channel_header_size = 4;
// RFC 8656 12: "0x4000 through 0x4FFF: These values are the allowed channel numbers".
inline constexpr std::uint16_t first_channel = 0x4000;
inline constexpr std::uint16_t last_channel = 0x4FFF;

/// RFC 7983 7: a first byte of 64 to 79 is TURN channel data.
inline bool looks_like_channel_data(base::byte_span datagram) {
  return !datagram.empty() && datagram[0] >= 64 && datagram[0] <= 79;
}

struct channel_data {
  std::uint16_t number = 0;
  base::mutable_byte_span payload;
};

/// RFC 8656 12.6: what is longer than its length says is padded, what is shorter is discarded.
inline std::optional<channel_data> read_channel_data(base::mutable_byte_span datagram) {
  base::byte_reader reader(datagram);
  const std::uint16_t number = reader.u16();
  const std::uint16_t length = reader.u16();
  reader.take(length);
  if (!reader.ok() || number < first_channel || number > last_channel) return std::nullopt;
  return channel_data{number, datagram.subspan(channel_header_size, length)};
}

}  // namespace asiortc::turn

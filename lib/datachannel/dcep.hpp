// The Data Channel Establishment Protocol (RFC 8832): OPEN and ACK as bytes.
#pragma once

#include "base/bytes.hpp"

#include <asiortc/data_channel_init.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace asiortc::datachannel::dcep {

/// RFC 8832 8.2.1.
enum class message_type : std::uint8_t { ack = 0x02, open = 0x03 };

/// DATA_CHANNEL_OPEN (RFC 8832 5.1). `init` has the reliability and the protocol.
struct open_message {
  std::string label;
  data_channel_init init;
  /// RFC 8831 6.4: 128 below normal, 256 normal, 512 high, 1024 extra high.
  std::uint16_t priority = 256;

  bool operator==(const open_message&) const = default;
};

/// Longest label and protocol: their length fields have 16 bits.
inline constexpr std::size_t max_text = 65535;

/// The largest OPEN: twelve bytes, a label and a protocol.
inline constexpr std::size_t max_open_size = 12 + 2 * max_text;

/// Nothing if the message is empty or of a type that is not assigned.
std::optional<message_type> type_of(base::byte_span payload);

/// Nothing if it is not an OPEN, its channel type is unknown, a length points past the end, or a
/// text is not UTF-8. Bytes behind the protocol are ignored.
std::optional<open_message> parse_open(base::byte_span payload);

base::bytes write(const open_message& message);
base::bytes write_ack();

}  // namespace asiortc::datachannel::dcep

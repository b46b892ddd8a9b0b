#include "datachannel/dcep.hpp"

#include "base/utf8.hpp"

#include <algorithm>
#include <cassert>
#include <limits>

namespace asiortc::datachannel::dcep {
namespace {

// RFC 8832 5.1, "Channel Type": the reliability, and 0x80 for unordered delivery.
constexpr std::uint8_t unordered_flag = 0x80;
constexpr std::uint8_t reliable = 0x00;
constexpr std::uint8_t limited_retransmits = 0x01;
constexpr std::uint8_t limited_life_time = 0x02;

bool read_reliability(std::uint8_t channel_type, std::uint32_t parameter, data_channel_init& init) {
  init.ordered = (channel_type & unordered_flag) == 0;
  switch (channel_type & ~unordered_flag) {
    case reliable:
      // "the Reliability Parameter … MUST be ignored on reception".
      return true;
    case limited_retransmits:
      init.max_retransmits = static_cast<std::uint16_t>(
          std::min<std::uint32_t>(parameter, std::numeric_limits<std::uint16_t>::max()));
      return true;
    case limited_life_time:
      init.max_packet_life_time = std::chrono::milliseconds(parameter);
      return true;
    default:
      return false;
  }
}

}  // namespace

std::optional<message_type> type_of(base::byte_span payload) {
  if (payload.empty()) return std::nullopt;
  const auto type = static_cast<message_type>(payload[0]);
  if (type == message_type::open || type == message_type::ack) return type;
  return std::nullopt;
}

std::optional<open_message> parse_open(base::byte_span payload) {
  base::byte_reader reader(payload);
  if (reader.u8() != static_cast<std::uint8_t>(message_type::open)) return std::nullopt;
  open_message message;
  const std::uint8_t channel_type = reader.u8();
  message.priority = reader.u16();
  const std::uint32_t parameter = reader.u32();
  const std::size_t label_size = reader.u16();
  const std::size_t protocol_size = reader.u16();
  message.label = base::as_text(reader.take(label_size));
  message.init.protocol = base::as_text(reader.take(protocol_size));
  if (!reader.ok() || !read_reliability(channel_type, parameter, message.init) ||
      !base::is_valid_utf8(message.label) || !base::is_valid_utf8(message.init.protocol)) {
    return std::nullopt;
  }
  return message;
}

base::bytes write(const open_message& message) {
  const data_channel_init& init = message.init;
  assert(message.label.size() <= max_text && init.protocol.size() <= max_text);
  std::uint8_t channel_type = reliable;
  std::uint32_t parameter = 0;
  if (init.max_retransmits) {
    channel_type = limited_retransmits;
    parameter = *init.max_retransmits;
  } else if (init.max_packet_life_time) {
    channel_type = limited_life_time;
    parameter = static_cast<std::uint32_t>(init.max_packet_life_time->count());
  }
  if (!init.ordered) channel_type |= unordered_flag;

  base::bytes out;
  base::byte_writer writer(out);
  writer.u8(static_cast<std::uint8_t>(message_type::open));
  writer.u8(channel_type);
  writer.u16(message.priority);
  writer.u32(parameter);
  writer.u16(static_cast<std::uint16_t>(message.label.size()));
  writer.u16(static_cast<std::uint16_t>(init.protocol.size()));
  writer.append(base::as_bytes(message.label));
  writer.append(base::as_bytes(init.protocol));
  return out;
}

base::bytes write_ack() { return {static_cast<std::uint8_t>(message_type::ack)}; }

}  // namespace asiortc::datachannel::dcep

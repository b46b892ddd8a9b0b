// The options of a data channel (webrtc-pc 6.1.1 RTCDataChannelInit).
#pragma once

#include <asiortc/config.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace asiortc::inline ASIORTC_ABI {

/// Options of `peer_connection::create_data_channel` (RTCDataChannelInit).
class ASIORTC_EXPORT data_channel_init {
 public:
  data_channel_init() = default;

  bool ordered = true;  ///< whether messages come in the order in which they were sent
  /// Give a message up after so many retransmissions; 0 is one try. Not with a life time.
  std::optional<std::uint16_t> max_retransmits;
  /// Give a message up after so many milliseconds. Not with retransmissions.
  std::optional<std::chrono::milliseconds> max_packet_life_time;
  std::string protocol;  ///< UTF-8, up to 65535 bytes
  /// Both sides make the channel with the same `id`, and nothing is told in band.
  bool negotiated = false;
  std::optional<std::uint16_t> id;  ///< 0 to 65534; ignored unless `negotiated`

  /// Whether all members are equal.
  bool operator==(const data_channel_init&) const = default;
};

}  // namespace asiortc::inline ASIORTC_ABI

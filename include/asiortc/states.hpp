// The states of a peer connection and of a data channel, numbered as Godot numbers them.
#pragma once

#include <asiortc/config.hpp>

#include <string_view>

namespace asiortc::inline ASIORTC_ABI {

/// The aggregate of ICE and DTLS (webrtc-pc 4.3.3 RTCPeerConnectionState).
enum class ASIORTC_EXPORT connection_state {
  new_,
  connecting,
  connected,
  disconnected,
  failed,
  closed
};

/// webrtc-pc 4.3.2 RTCIceGatheringState.
enum class ASIORTC_EXPORT ice_gathering_state { new_, gathering, complete };

/// webrtc-pc 4.3.1 RTCSignalingState.
enum class ASIORTC_EXPORT signaling_state {
  stable,
  have_local_offer,
  have_remote_offer,
  have_local_pranswer,
  have_remote_pranswer,
  closed
};

/// webrtc-pc 4.3.4 RTCIceConnectionState.
enum class ASIORTC_EXPORT ice_connection_state {
  new_,
  checking,
  connected,
  completed,
  disconnected,
  failed,
  closed
};

/// webrtc-pc 6.2 RTCDataChannelState.
enum class ASIORTC_EXPORT data_channel_state { connecting, open, closing, closed };

/// webrtc-pc 6.1.1 RTCSctpTransportState.
enum class ASIORTC_EXPORT sctp_transport_state { connecting, connected, closed };

/// The W3C's spelling of a state, e.g. `connected`; `new` for `new_`. Thread-safe, never fails.
ASIORTC_EXPORT std::string_view to_string(connection_state state) noexcept;
/// The same for gathering, e.g. `gathering`.
ASIORTC_EXPORT std::string_view to_string(ice_gathering_state state) noexcept;
/// The same for signaling, e.g. `have-local-offer`.
ASIORTC_EXPORT std::string_view to_string(signaling_state state) noexcept;
/// The same for ICE, e.g. `checking`.
ASIORTC_EXPORT std::string_view to_string(ice_connection_state state) noexcept;
/// The same for a data channel, e.g. `open`.
ASIORTC_EXPORT std::string_view to_string(data_channel_state state) noexcept;
/// The same for SCTP, e.g. `connected`.
ASIORTC_EXPORT std::string_view to_string(sctp_transport_state state) noexcept;

}  // namespace asiortc::inline ASIORTC_ABI

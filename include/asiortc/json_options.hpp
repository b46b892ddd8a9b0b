// Options as JSON text, with the names that browsers and Godot have for them.
#pragma once

#include <asiortc/config.hpp>
#include <asiortc/configuration.hpp>
#include <asiortc/data_channel_init.hpp>

#include <string_view>

namespace asiortc::inline ASIORTC_ABI {

/// Reads an object such as `{"iceServers":[{"urls":["stun:example.org"]}]}` (webrtc-pc 4.2.1
/// RTCConfiguration): `iceServers`, each with `urls` (one or many), `username` and `credential` (or
/// Godot's `credentials`); `iceTransportPolicy`, `bundlePolicy`, `rtcpMuxPolicy`,
/// `iceCandidatePoolSize`. What the text does not name stays as it is in `defaults`. Other keys of
/// a server are passed over, since lists of servers come from elsewhere with keys of their own.
/// `peer_connection` checks the URLs.
/// Throws `error`: `syntax_error` for text that is no JSON object, with the place; `type_error` for
/// an unknown key or a value that is not allowed, by its name and with what was expected.
/// Thread-safe.
[[nodiscard]] ASIORTC_EXPORT configuration
parse_configuration(std::string_view json, configuration defaults = configuration());

/// Reads an object such as `{"ordered":false,"maxRetransmits":0}` (webrtc-pc 6.1.1
/// RTCDataChannelInit): `ordered`, `maxPacketLifeTime` (or Godot's `maxPacketLifetime`, ms),
/// `maxRetransmits`, `protocol`, `negotiated`, `id`. `create_data_channel` checks what goes
/// together. Throws as `parse_configuration`. Thread-safe.
[[nodiscard]] ASIORTC_EXPORT data_channel_init parse_data_channel_init(std::string_view json);

}  // namespace asiortc::inline ASIORTC_ABI

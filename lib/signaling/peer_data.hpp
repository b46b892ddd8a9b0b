// The `data` between peers: descriptions and candidates as a browser's `toJSON()` gives them.
#pragma once

#include "signaling/messages.hpp"

#include <asiortc/signaling_pipe.hpp>

#include <optional>

namespace asiortc::signaling {

json_text encode_peer_data(const peer_signal& value);
/// Nothing for data of another shape. A null candidate is the empty one: the end of candidates.
std::optional<peer_signal> decode_peer_data(const json_text& data);

}  // namespace asiortc::signaling

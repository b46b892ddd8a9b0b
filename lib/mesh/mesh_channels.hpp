// The three channels of a peer of a mesh.
#pragma once

#include "mesh/mesh_member.hpp"

#include <array>
#include <chrono>
#include <cstdint>

namespace asiortc::inline ASIORTC_ABI::detail {

using mesh_channels = std::array<data_channel, mesh_member::channel_count>;

inline constexpr std::array<std::uint16_t, mesh_member::channel_count> mesh_channel_ids{1, 2, 3};

/// By `transfer_mode`. Packets of the two unreliable ones are given up after `lifetime`.
mesh_channels make_mesh_channels(peer_connection& connection, std::chrono::milliseconds lifetime);

}  // namespace asiortc::inline ASIORTC_ABI::detail

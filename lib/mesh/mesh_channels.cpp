#include "mesh/mesh_channels.hpp"

#include <optional>

namespace asiortc::inline ASIORTC_ABI::detail {
namespace {

data_channel_init channel_init(std::uint16_t id, bool ordered,
                               std::optional<std::chrono::milliseconds> lifetime) {
  data_channel_init init;
  init.negotiated = true;
  init.id = id;
  init.ordered = ordered;
  init.max_packet_life_time = lifetime;
  return init;
}

}  // namespace

/// Labels, ids and options are those of Godot.
mesh_channels make_mesh_channels(peer_connection& connection, std::chrono::milliseconds lifetime) {
  mesh_channels made;
  const auto make = [&](transfer_mode mode, const char* label, const data_channel_init& init) {
    made[static_cast<std::size_t>(mode)] = connection.create_data_channel(label, init);
  };
  const auto [reliable, ordered, unreliable] = mesh_channel_ids;
  make(transfer_mode::reliable, "reliable", channel_init(reliable, true, std::nullopt));
  make(transfer_mode::unreliable_ordered, "ordered", channel_init(ordered, true, lifetime));
  make(transfer_mode::unreliable, "unreliable", channel_init(unreliable, false, lifetime));
  return made;
}

}  // namespace asiortc::inline ASIORTC_ABI::detail

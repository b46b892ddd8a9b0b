// A peer of a mesh: its connection, its channels, and how far it has got.
#pragma once

#include <asiortc/data_channel.hpp>
#include <asiortc/mesh_types.hpp>
#include <asiortc/peer_connection.hpp>

#include <boost/asio/steady_timer.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

namespace asiortc::inline ASIORTC_ABI::detail {

/// Guarded by the mutex of the mesh, but for what is constant.
struct mesh_member {
  static constexpr std::size_t channel_count = 3;

  mesh_member(mesh_id given, std::shared_ptr<peer_connection> to,
              std::array<data_channel, channel_count> made)
      : id(given), connection(std::move(to)), channels(std::move(made)) {}

  [[nodiscard]] data_channel& channel(transfer_mode mode) {
    return channels[static_cast<std::size_t>(mode)];
  }
  /// An empty handle has no state; its channel was closed when it was dropped.
  [[nodiscard]] data_channel_state channel_state(transfer_mode mode) const {
    const auto& each = channels[static_cast<std::size_t>(mode)];
    return each ? each.state() : data_channel_state::closed;
  }

  const mesh_id id;
  const std::shared_ptr<peer_connection> connection;
  std::array<data_channel, channel_count> channels;  ///< by `transfer_mode`
  bool up = false;                                   ///< all channels have opened
  bool announced = false;                            ///< `peer_connected` was told
  bool present = true;                               ///< it was not removed
  std::uint64_t max_message_size = 0;                ///< what it takes, once up
  /// The readers that run, and the close of the connection: what a member that was removed waits
  /// for.
  std::size_t open_ends = 0;
  std::optional<boost::asio::steady_timer> grace;  ///< runs while it is disconnected
};

using member_ptr = std::shared_ptr<mesh_member>;

inline constexpr std::array<transfer_mode, mesh_member::channel_count> all_modes{
    transfer_mode::unreliable, transfer_mode::unreliable_ordered, transfer_mode::reliable};

}  // namespace asiortc::inline ASIORTC_ABI::detail

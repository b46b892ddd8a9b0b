#include <asiortc/mesh_types.hpp>

namespace asiortc::inline ASIORTC_ABI {

std::string_view to_string(transfer_mode mode) noexcept {
  switch (mode) {
    case transfer_mode::unreliable:
      return "unreliable";
    case transfer_mode::unreliable_ordered:
      return "unreliable-ordered";
    case transfer_mode::reliable:
      return "reliable";
  }
  return "?";
}

std::string_view to_string(mesh_status status) noexcept {
  switch (status) {
    case mesh_status::disconnected:
      return "disconnected";
    case mesh_status::connecting:
      return "connecting";
    case mesh_status::connected:
      return "connected";
  }
  return "?";
}

std::string_view to_string(mesh_event_kind kind) noexcept {
  switch (kind) {
    case mesh_event_kind::peer_connected:
      return "peer-connected";
    case mesh_event_kind::peer_disconnected:
      return "peer-disconnected";
    case mesh_event_kind::peer_failed:
      return "peer-failed";
    case mesh_event_kind::connection_succeeded:
      return "connection-succeeded";
    case mesh_event_kind::server_disconnected:
      return "server-disconnected";
  }
  return "?";
}

}  // namespace asiortc::inline ASIORTC_ABI

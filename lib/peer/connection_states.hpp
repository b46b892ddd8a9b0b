// The aggregate states of a peer connection (webrtc-pc 4.3.3, 4.3.4), from those of its transport.
#pragma once

#include "dtls/endpoint.hpp"
#include "ice/agent.hpp"

#include <asiortc/states.hpp>

namespace asiortc::peer {

/// webrtc-pc 4.3.3, in its order: the first row that fits.
constexpr connection_state aggregate(ice::agent_state ice, dtls::state dtls) {
  if (ice == ice::agent_state::failed || dtls == dtls::state::failed) {
    return connection_state::failed;
  }
  if (ice == ice::agent_state::disconnected) return connection_state::disconnected;
  const bool ice_idle = ice == ice::agent_state::new_ || ice == ice::agent_state::closed;
  const bool dtls_idle = dtls == dtls::state::new_ || dtls == dtls::state::closed;
  if (ice_idle && dtls_idle) return connection_state::new_;
  const bool ice_up = ice == ice::agent_state::connected || ice == ice::agent_state::completed;
  const bool dtls_up = dtls == dtls::state::connected || dtls == dtls::state::closed;
  return ice_up && dtls_up ? connection_state::connected : connection_state::connecting;
}

constexpr ice_connection_state to_public(ice::agent_state state) {
  switch (state) {
    case ice::agent_state::new_:
      return ice_connection_state::new_;
    case ice::agent_state::checking:
      return ice_connection_state::checking;
    case ice::agent_state::connected:
      return ice_connection_state::connected;
    case ice::agent_state::completed:
      return ice_connection_state::completed;
    case ice::agent_state::disconnected:
      return ice_connection_state::disconnected;
    case ice::agent_state::failed:
      return ice_connection_state::failed;
    case ice::agent_state::closed:
      return ice_connection_state::closed;
  }
  return ice_connection_state::new_;
}

}  // namespace asiortc::peer

// The aggregate of ICE and DTLS, row by row (webrtc-pc 4.3.3).
#include "peer/connection_states.hpp"

#include <doctest/doctest.h>

namespace asiortc::test {

using ice_state = ice::agent_state;
using dtls_state = dtls::state;
using peer::aggregate;

TEST_CASE("a failure of either layer wins") {
  CHECK(aggregate(ice_state::failed, dtls_state::connected) == connection_state::failed);
  CHECK(aggregate(ice_state::connected, dtls_state::failed) == connection_state::failed);
  CHECK(aggregate(ice_state::disconnected, dtls_state::failed) == connection_state::failed);
}

TEST_CASE("disconnected ICE shows whatever DTLS does") {
  CHECK(aggregate(ice_state::disconnected, dtls_state::connected) ==
        connection_state::disconnected);
  CHECK(aggregate(ice_state::disconnected, dtls_state::new_) == connection_state::disconnected);
}

TEST_CASE("it is new until one of them begins") {
  CHECK(aggregate(ice_state::new_, dtls_state::new_) == connection_state::new_);
  CHECK(aggregate(ice_state::checking, dtls_state::new_) == connection_state::connecting);
  CHECK(aggregate(ice_state::new_, dtls_state::connecting) == connection_state::connecting);
}

TEST_CASE("it is connected when both are, and not before") {
  CHECK(aggregate(ice_state::connected, dtls_state::new_) == connection_state::connecting);
  CHECK(aggregate(ice_state::completed, dtls_state::connecting) == connection_state::connecting);
  CHECK(aggregate(ice_state::connected, dtls_state::connected) == connection_state::connected);
  CHECK(aggregate(ice_state::completed, dtls_state::connected) == connection_state::connected);
  CHECK(aggregate(ice_state::checking, dtls_state::connected) == connection_state::connecting);
}

}  // namespace asiortc::test

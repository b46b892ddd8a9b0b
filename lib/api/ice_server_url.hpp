// STUN and TURN URLs (RFC 7064, RFC 7065).
#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace asiortc::inline ASIORTC_ABI::detail {

struct ice_server_url {
  enum class scheme_type { stun, stuns, turn, turns };
  enum class transport_type { udp, tcp };

  scheme_type scheme = scheme_type::stun;
  std::string host;  ///< without brackets
  std::uint16_t port = 0;
  transport_type transport = transport_type::udp;

  [[nodiscard]] bool is_turn() const {
    return scheme == scheme_type::turn || scheme == scheme_type::turns;
  }
};

/// `syntax_error` names the URL and what was expected.
base::result<ice_server_url> parse_ice_server_url(std::string_view text);

}  // namespace asiortc::inline ASIORTC_ABI::detail

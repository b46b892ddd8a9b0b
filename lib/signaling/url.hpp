// The address of a signaling server.
#pragma once

#include <asiortc/error.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace asiortc::signaling {

struct websocket_url {
  std::string host;  ///< without brackets
  std::uint16_t port = 80;
  std::string target = "/";
  std::string authority;  ///< as the Host header has it

  /// `ws://HOST[:PORT][/PATH]` (RFC 6455 3). Gives `not_supported` for `wss:`, else
  /// `syntax_error`, and then `out` is of no use.
  static boost::system::error_code parse(std::string_view text, websocket_url& out);
};

}  // namespace asiortc::signaling

// The error codes of `asiortc.v1` and the WebSocket close codes that go with them.
#pragma once

#include <cstdint>
#include <string_view>

namespace asiortc::signaling {

/// The values of `error.code`.
enum class error_kind {
  bad_message,
  unauthorized,
  forbidden,
  peer_not_found,
  resume_failed,
  join_timeout,
  idle,
  replaced,
  slow_consumer,
  kicked,
  room_full,
  sealed,
  rate_limited,
  server_full,
  going_away
};

/// WebSocket close codes (RFC 6455 7.4.1; 4000 to 4999 are the application's own, 7.4.2).
enum class close_code : std::uint16_t {
  normal = 1000,
  too_large = 1009,
  going_away = 1012,   // IANA: "Service Restart"
  server_full = 1013,  // IANA: "Try Again Later"
  bad_message = 4000,
  unauthorized = 4001,
  forbidden = 4003,
  resume_failed = 4004,
  timeout = 4008,
  replaced = 4009,
  slow_consumer = 4010,
  kicked = 4011,
  room_full = 4022,
  sealed = 4023,
  rate_limited = 4029
};

/// As on the wire, e.g. `peer-not-found`.
std::string_view to_string(error_kind kind);
/// With what the socket is closed where the error is fatal.
close_code close_code_of(error_kind kind);

}  // namespace asiortc::signaling

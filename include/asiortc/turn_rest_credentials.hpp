// Credentials for a TURN server that end by themselves (draft-uberti-behave-turn-rest 2.2).
#pragma once

#include <asiortc/config.hpp>

#include <chrono>
#include <string>
#include <string_view>

namespace asiortc::inline ASIORTC_ABI {

/// What goes into `ice_server::username` and `ice_server::credential`.
class ASIORTC_EXPORT turn_rest_credentials {
 public:
  turn_rest_credentials() = default;

  std::string username;    ///< when it ends, in seconds since 1970, and the name: `1735689600:anna`
  std::string credential;  ///< the base64 of HMAC-SHA1 of the username under the secret

  /// Whether all members are equal.
  bool operator==(const turn_rest_credentials&) const = default;
};

/// Makes credentials that the TURN server checks without knowing the user: both sides share a
/// secret. That is coturn's `use-auth-secret` with `static-auth-secret`. They are made where the
/// secret may be, on the signaling side, and handed out with the server's URL; an hour or a day is
/// usual, and an allocation ends when its next refresh comes after the end.
///
/// `secret` is the shared one, as its bytes are. `user` tells the server's log who it is, and may
/// be empty; then the username is the time alone. `expires` counts in whole seconds.
///
/// Throws `error` with `errc::type_error` for an empty secret, a time before 1970, or a username
/// that gets longer than the 508 bytes of RFC 8489 14.3. Thread-safe.
[[nodiscard]] ASIORTC_EXPORT turn_rest_credentials make_turn_rest_credentials(
    std::string_view secret, std::string_view user, std::chrono::system_clock::time_point expires);

}  // namespace asiortc::inline ASIORTC_ABI

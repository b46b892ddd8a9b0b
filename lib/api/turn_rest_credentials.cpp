#include "base/bytes.hpp"
#include "crypto/base64.hpp"
#include "crypto/hash.hpp"

#include <asiortc/error.hpp>
#include <asiortc/turn_rest_credentials.hpp>

#include <cstddef>

namespace asiortc::inline ASIORTC_ABI {
namespace {

constexpr std::size_t max_username = 508;  // RFC 8489 14.3: "less than 509 bytes"

}  // namespace

turn_rest_credentials make_turn_rest_credentials(std::string_view secret, std::string_view user,
                                                 std::chrono::system_clock::time_point expires) {
  const auto refuse = [](const char* why) {
    throw error(errc::type_error, std::string("make_turn_rest_credentials: ") + why);
  };
  const auto seconds = std::chrono::floor<std::chrono::seconds>(expires.time_since_epoch());
  if (secret.empty()) refuse("expected a secret");
  if (seconds.count() < 0) refuse("expected a time after 1970");
  turn_rest_credentials made;
  made.username = std::to_string(seconds.count());
  if (!user.empty()) made.username.append(":").append(user);
  if (made.username.size() > max_username) refuse("expected a username of at most 508 bytes");
  made.credential =
      crypto::base64(crypto::hmac_sha1(base::as_bytes(secret), base::as_bytes(made.username)));
  return made;
}

}  // namespace asiortc::inline ASIORTC_ABI

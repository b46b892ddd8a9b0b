#include "turn/refusal.hpp"

#include <algorithm>
#include <string_view>

namespace asiortc::turn {
namespace {

constexpr std::size_t longest_quote = 80;

std::string quoted(std::string_view reason) {
  std::string text(reason.substr(0, longest_quote));
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  return text;
}

std::string_view meaning_of(std::uint16_t code) {
  switch (code) {
    case stun::error_try_alternate:
      return "names another server";
    case stun::error_bad_request:
      return "takes the request for malformed";
    case stun::error_unauthenticated:
    case error_wrong_credentials:
      return "refused the credentials";
    case error_forbidden:
      return "forbids it";
    case stun::error_unknown_attribute:
      return "does not know an attribute of the request";
    case error_allocation_mismatch:
      return "has no such allocation, or has one already for this local port";
    case stun::error_stale_nonce:
      return "took no nonce, not even its own";
    case error_family_not_supported:
      return "does not relay this address family";
    case error_transport_not_supported:
      return "does not relay UDP";
    case error_peer_family_mismatch:
      return "relays no packets to the peer's address family from this allocation";
    case error_connection_exists:
      return "has a connection to that peer already";
    case error_quota_reached:
      return "has given this user all that the quota allows";
    case error_insufficient_capacity:
      return "has no capacity left";
    default:
      return "refused";
  }
}

}  // namespace

refusal refusal_of(const stun::message_view& answer) {
  const auto error = answer.error();
  // Pion refuses a permission without saying more.
  if (!error) return {error_server, "without an ERROR-CODE"};
  return {error->code, quoted(error->reason)};
}

base::failure failure_of(const refusal& why, const base::endpoint& server) {
  const std::string name = "TURN server " + server.to_string() + " ";
  if (why.code == 0) return {errc::turn_unreachable, name + why.words};
  std::string words = name + std::string(meaning_of(why.code)) + " (" + std::to_string(why.code);
  if (!why.words.empty()) words += " " + why.words;
  words += ")";
  const bool unauthorized =
      why.code == stun::error_unauthenticated || why.code == error_wrong_credentials;
  return {unauthorized ? errc::turn_unauthorized : errc::turn_refused, std::move(words)};
}

}  // namespace asiortc::turn

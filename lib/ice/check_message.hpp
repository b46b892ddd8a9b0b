// The STUN messages of connectivity checks (RFC 8445 7).
#pragma once

#include "base/bytes.hpp"
#include "base/endpoint.hpp"
#include "base/random.hpp"
#include "ice/agent.hpp"
#include "stun/message_view.hpp"

#include <cstdint>
#include <optional>
#include <string_view>

namespace asiortc::ice {

stun::transaction_id make_transaction_id(base::random_source& random);

struct check_request {
  stun::transaction_id id{};
  /// What the candidate would have that the check makes known if a NAT is in between.
  std::uint32_t priority = 0;
  role as = role::controlled;
  std::uint64_t tie_breaker = 0;
  bool use_candidate = false;
};

/// RFC 8445 7.2.2: the user name is the remote fragment, a colon, the local one; the key is the
/// remote password.
base::bytes build_check(const check_request& request, const credentials& local,
                        const credentials& remote);

/// RFC 8445 7.3: answers are keyed with the password that keyed the request: our own.
base::bytes build_success(const stun::message_view& request, const base::endpoint& mapped,
                          const credentials& local);
base::bytes build_error(const stun::message_view& request, std::uint16_t code,
                        std::string_view reason, const credentials& local);
/// 420 with the list of what was not understood.
base::bytes build_unknown_attribute(const stun::message_view& request,
                                    const stun::unknown_types& unknown, const credentials& local);

/// A plain request to a STUN server (RFC 8489 2).
base::bytes build_server_request(const stun::transaction_id& id);

struct user_name_view {
  std::string_view receiver;  ///< the fragment of who gets the request
  std::string_view sender;
};

std::optional<user_name_view> read_user_name(const stun::message_view& request);

/// A request that the agent may act on.
struct check_view {
  std::uint32_t priority = 0;
  bool use_candidate = false;
  std::optional<role> sender_role;
  std::uint64_t tie_breaker = 0;
};

/// Nothing where PRIORITY is missing (RFC 8445 7.1.1: a check "MUST include" it).
std::optional<check_view> read_check(const stun::message_view& request);

}  // namespace asiortc::ice

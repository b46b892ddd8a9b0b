// Long-term credentials: what a server's challenge asks for, and how requests are signed
// (RFC 8489 9.2).
#pragma once

#include "base/bytes.hpp"
#include "stun/message_builder.hpp"
#include "stun/message_view.hpp"

#include <string>
#include <string_view>

namespace asiortc::turn {

/// Name and password are used as they are, which for ASCII is what OpaqueString (RFC 8265) makes of
/// them; others are prepared by whoever gives them.
class long_term_credentials {
 public:
  long_term_credentials(std::string username, std::string password)
      : username_(std::move(username)), password_(std::move(password)) {}

  enum class challenge {
    accepted,
    malformed,     ///< REALM or NONCE is missing or longer than RFC 8489 allows
    bid_down,      ///< the nonce announces PASSWORD-ALGORITHMS and there are none
    no_algorithm,  ///< none of the algorithms on the list is known here
  };

  /// Takes realm, nonce and algorithm from a 401 or 438; they change only if it is accepted.
  challenge take(const stun::message_view& answer);

  /// Whether an answer's nonce announces a list of algorithms that is not there: somebody took it
  /// out, and the answer does not count (RFC 8489 9.2.5).
  [[nodiscard]] static bool lacks_algorithms(const stun::message_view& answer);

  /// RFC 8489 14.3: a user name has less than 509 bytes; longer ones are none.
  [[nodiscard]] bool given() const { return !username_.empty() && username_.size() < 509; }
  [[nodiscard]] bool challenged() const { return !nonce_.empty(); }
  [[nodiscard]] const std::string& realm() const { return realm_; }

  /// Adds the credentials and the integrity attribute; only after a challenge.
  void sign(stun::message_builder& request) const;
  [[nodiscard]] bool verify(const stun::message_view& answer) const {
    return answer.verify_integrity(key_);
  }

 private:
  // RFC 8489 18.5.1.
  enum class algorithm : std::uint16_t { none = 0, md5 = 1, sha256 = 2 };

  static algorithm first_known(base::byte_span list);
  void derive_key();

  std::string username_;
  std::string password_;
  std::string realm_;
  std::string nonce_;
  base::bytes
      offered_;  ///< PASSWORD-ALGORITHMS as it came; echoed so that the server sees a change
  algorithm algorithm_ = algorithm::none;
  bool anonymous_ = false;
  base::bytes key_;
};

}  // namespace asiortc::turn

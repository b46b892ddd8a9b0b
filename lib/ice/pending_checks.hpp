// Requests of connectivity checks that wait for their answer.
#pragma once

#include "base/time.hpp"
#include "ice/agent.hpp"
#include "ice/pair.hpp"
#include "stun/retransmission.hpp"
#include "stun/types.hpp"

#include <optional>
#include <vector>

namespace asiortc::ice {

enum class check_kind : std::uint8_t {
  /// Finds out whether the pair works; retransmitted.
  connectivity,
  /// Carries USE-CANDIDATE; retransmitted.
  nomination,
  /// Renews consent; sent once.
  consent
};

struct pending_check {
  stun::transaction_id id{};
  pair_id pair = pair_id::none;
  check_kind kind = check_kind::connectivity;
  role sent_as = role::controlled;
  bool sent_once = true;
  base::time_point sent_at;
  stun::retransmission clock;
};

/// A bounded table; a new check beyond the bound takes the place of the oldest consent check, and
/// if there is none it is refused.
class pending_checks {
 public:
  bool add(const pending_check& check);
  [[nodiscard]] pending_check* find(const stun::transaction_id& id);
  /// The connectivity or nomination check under way on the pair.
  [[nodiscard]] pending_check* find(pair_id pair, check_kind kind);
  /// Takes one out; nothing if it is not there.
  std::optional<pending_check> take(const stun::transaction_id& id);
  void remove_of(pair_id pair);
  void remove_of(pair_id pair, check_kind kind);

  /// The next check whose clock has run out.
  [[nodiscard]] pending_check* due(base::time_point now);
  [[nodiscard]] base::time_point next_deadline() const;
  [[nodiscard]] std::size_t size() const { return checks_.size(); }

 private:
  std::vector<pending_check> checks_;
};

}  // namespace asiortc::ice

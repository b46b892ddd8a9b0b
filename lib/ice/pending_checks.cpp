#include "ice/pending_checks.hpp"

#include <algorithm>

namespace asiortc::ice {
namespace {

// One check and one nomination for each of 100 pairs, and the consent checks of the valid ones.
constexpr std::size_t max_pending = 256;

}  // namespace

bool pending_checks::add(const pending_check& check) {
  if (checks_.size() >= max_pending) {
    const auto oldest = std::find_if(checks_.begin(), checks_.end(), [](const pending_check& c) {
      return c.kind == check_kind::consent;
    });
    if (oldest == checks_.end()) return false;
    checks_.erase(oldest);
  }
  checks_.push_back(check);
  return true;
}

pending_check* pending_checks::find(const stun::transaction_id& id) {
  const auto found = std::find_if(checks_.begin(), checks_.end(),
                                  [&](const pending_check& check) { return check.id == id; });
  return found == checks_.end() ? nullptr : &*found;
}

pending_check* pending_checks::find(pair_id pair, check_kind kind) {
  const auto found = std::find_if(checks_.begin(), checks_.end(), [&](const pending_check& check) {
    return check.pair == pair && check.kind == kind;
  });
  return found == checks_.end() ? nullptr : &*found;
}

std::optional<pending_check> pending_checks::take(const stun::transaction_id& id) {
  pending_check* const found = find(id);
  if (found == nullptr) return std::nullopt;
  const pending_check taken = *found;
  checks_.erase(checks_.begin() + (found - checks_.data()));
  return taken;
}

void pending_checks::remove_of(pair_id pair) {
  std::erase_if(checks_, [=](const pending_check& check) { return check.pair == pair; });
}

void pending_checks::remove_of(pair_id pair, check_kind kind) {
  std::erase_if(checks_, [=](const pending_check& check) {
    return check.pair == pair && check.kind == kind;
  });
}

pending_check* pending_checks::due(base::time_point now) {
  const auto found = std::find_if(checks_.begin(), checks_.end(), [=](const pending_check& check) {
    return check.clock.deadline() <= now;
  });
  return found == checks_.end() ? nullptr : &*found;
}

base::time_point pending_checks::next_deadline() const {
  base::time_point next = base::never;
  for (const pending_check& check : checks_) next = std::min(next, check.clock.deadline());
  return next;
}

}  // namespace asiortc::ice

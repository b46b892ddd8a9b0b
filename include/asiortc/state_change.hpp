// The item of a stream of states.
#pragma once

#include <asiortc/config.hpp>

#include <boost/system/error_code.hpp>

#include <cstddef>
#include <string>
#include <utility>

namespace asiortc::inline ASIORTC_ABI {

/// A transition, with what caused it. A stream keeps every transition up to 256 unread ones; past
/// that the oldest is merged into the one after it, which then says how many it stands for.
template <class State>
class ASIORTC_EXPORT state_change {
 public:
  /// `new_state` becomes `state`, `why` `reason` and `in_words` `detail`.
  state_change(State new_state, boost::system::error_code why, std::string in_words = {})
      : state(new_state), reason(why), detail(std::move(in_words)) {}

  State state;                       ///< the one that was entered
  boost::system::error_code reason;  ///< why, for disconnected, failed and closed
  std::string detail;                ///< more about it, for people; may be empty
  std::size_t merged = 0;            ///< earlier transitions that were dropped for this one

  /// For the library itself: stands for `older` as well, which came right before.
  void absorb(const state_change& older) { merged += older.merged + 1; }

  /// Whether all members are equal.
  bool operator==(const state_change&) const = default;
};

}  // namespace asiortc::inline ASIORTC_ABI

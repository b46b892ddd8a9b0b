// The check list of one generation: which pairs there are, in which state, and which is checked
// next (RFC 8445 6.1.2, 6.1.4).
#pragma once

#include "base/log.hpp"
#include "ice/agent.hpp"
#include "ice/pair.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace asiortc::ice {

/// A local base that pairs start from: a bound socket or a relayed address.
struct local_base {
  base::socket_id socket = base::socket_id::none;
  std::shared_ptr<const candidate> own;  ///< of type host or relayed
  std::uint16_t local_preference = 0;
  /// Of a server that is no longer asked: of use to the generation that knows it, not to later
  /// ones.
  bool retired = false;
};

/// Whether a packet from one could reach the other at all (RFC 8445 6.1.2.2).
bool can_pair(const base::ip_address& local, const base::ip_address& remote);
/// Whether we send checks from one to the other. Over TCP that is active to passive: RFC 6544 6.2
/// pairs passive with active too, and then prunes these; the other side's check makes them known.
bool can_pair(const candidate& local, const candidate& remote);

class check_list {
 public:
  check_list(std::size_t max_pairs, base::logger log) : max_pairs_(max_pairs), log_(log) {}

  /// The pair of the base and the remote candidate, made if it is not there. Nothing when the list
  /// is full of pairs that are better or in use.
  pair* add(const local_base& local, std::shared_ptr<const candidate> remote, role as);
  void remove_socket(base::socket_id socket);
  void remove(pair_id id);
  /// The role or a candidate's priority has changed (RFC 8445 7.3.1.1).
  void update_priorities(role as);

  [[nodiscard]] pair* find(pair_id id);
  [[nodiscard]] const pair* find(pair_id id) const;
  [[nodiscard]] pair* find(const base::route& route);
  /// Highest priority first.
  [[nodiscard]] const std::vector<std::unique_ptr<pair>>& pairs() const { return pairs_; }

  void set_state(pair& which, pair_state state, std::string_view reason);
  /// RFC 8445 7.2.5.3.3: pairs of the same foundation leave Frozen when one succeeds.
  void unfreeze_like(const pair& succeeded);

  /// Queues the pair for a triggered check (RFC 8445 6.1.4.1), once.
  void trigger(pair& which);
  [[nodiscard]] bool has_triggered() const { return !triggered_.empty(); }
  pair* take_triggered();
  [[nodiscard]] bool has_ordinary() const;
  /// The best Waiting pair, else the best Frozen one. (RFC 8445 6.1.4.2 lets a frozen pair wait
  /// while its foundation is in progress, which may be 39.5 s; the pacing bounds us as well.)
  pair* next_ordinary();

  [[nodiscard]] bool has_undecided() const;
  /// An undecided pair with a higher priority than this one.
  [[nodiscard]] bool has_undecided_above(const pair& which) const;
  [[nodiscard]] pair* best_valid() const;
  /// Each pair is one that a TURN server does not relay to.
  [[nodiscard]] bool all_refused() const;
  /// How many pairs failed and of what, in words: `3 failed (2 no answer, 1 not reachable)`.
  [[nodiscard]] std::string describe_failures() const;

 private:
  bool make_room(std::uint64_t priority);
  void sort();

  std::vector<std::unique_ptr<pair>> pairs_;
  std::vector<pair_id> triggered_;
  std::uint32_t last_id_ = 0;
  std::size_t max_pairs_;
  base::logger log_;
};

}  // namespace asiortc::ice

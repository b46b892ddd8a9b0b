// What a restart replaces: credentials, the remote candidates, the check list and its outcome.
#pragma once

#include "ice/agent.hpp"
#include "ice/check_list.hpp"
#include "ice/pending_checks.hpp"
#include "ice/remote_candidates.hpp"
#include "ice/ufrag_registry.hpp"

#include <optional>
#include <string>
#include <vector>

namespace asiortc::ice {

/// A check that came before the remote credentials did (RFC 8445 7.3).
struct early_check {
  base::route from;
  std::uint32_t priority = 0;
  bool use_candidate = false;
  std::uint64_t requests = 1;  ///< it came so often
  std::string remote_ufrag;
};

struct generation {
  generation(const agent_settings& settings, std::uint32_t which, credentials own,
             const base::logger& log)
      : serial(which),
        local(std::move(own)),
        remotes(settings.max_remote_candidates),
        checks(settings.max_pairs, log),
        ufrags(settings.ufrags),
        relay_only(settings.relay_only) {}
  generation(const generation&) = delete;
  generation& operator=(const generation&) = delete;
  ~generation() {
    if (ufrags != nullptr) ufrags->remove(local.ufrag);
  }

  const std::uint32_t serial;  ///< the first is 1
  credentials local;
  std::optional<credentials> remote;
  remote_candidates remotes;
  check_list checks;
  pending_checks pending;
  std::vector<early_check> early;

  bool end_of_candidates = false;
  int held_candidates = 0;
  bool any_remote_candidate = false;
  /// When checks could start, from which the PAC timer runs (RFC 8863 4).
  std::optional<base::time_point> started;
  base::time_point last_remote_candidate = base::time_point::min();
  std::optional<base::time_point> first_valid;

  /// The pair that the controlling side is nominating at the moment.
  pair_id nominating = pair_id::none;
  /// The pair that was nominated and is valid (RFC 8445 8.1.1).
  pair_id selected = pair_id::none;
  base::time_point selected_at = base::never;
  ufrag_registry* ufrags;  ///< none where no other agent has the same sockets
  bool relay_only;         ///< as it was when the generation began

  [[nodiscard]] bool has_valid() const { return checks.best_valid() != nullptr; }
  /// Makes what is unique here unique in the agent.
  [[nodiscard]] std::uint64_t number_of(std::uint64_t in_here) const {
    return std::uint64_t{serial} << 32 | in_here;
  }
  /// For reports: with the generation's name where the other side's text had none.
  [[nodiscard]] candidate shown_remote(const candidate& known) const {
    candidate shown = known;
    shown.number = number_of(known.number);
    if (shown.ufrag.empty() && remote) shown.ufrag = remote->ufrag;
    return shown;
  }
};

}  // namespace asiortc::ice

// The other side's candidates on their way to the ICE agent: those that come before its credentials
// are in force wait, and names wait for their addresses.
#pragma once

#include "base/log.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "ice/agent.hpp"
#include "ice/candidate.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace asiortc::peer {

/// A name to be resolved.
struct name_lookup {
  std::uint64_t token = 0;
  std::string name;
};

struct unresolved_candidate {
  std::uint64_t token = 0;
  ice::candidate candidate;
};

/// What is known of the candidates of one ufrag. (Outside the class, because clang 14 does not see
/// that a nested type with initializers can be default-constructed in an optional.)
struct candidate_generation {
  std::string ufrag;
  std::vector<ice::candidate> waiting;
  std::vector<unresolved_candidate> names;
  std::vector<std::pair<base::endpoint, std::string>> resolved;
  std::size_t names_seen = 0;
  bool ended = false;
};

/// Candidates belong to a generation, named by its ufrag. One is applied (its credentials are the
/// agent's), one may be pending (it came with an offer that is not answered yet).
class remote_candidates {
 public:
  /// With `tcp`, those over TCP that we could connect to are taken too.
  remote_candidates(base::logger log, bool tcp) : log_(std::move(log)), tcp_(tcp) {}

  /// A description with other credentials came; what was pending before is forgotten.
  void begin_pending(std::string ufrag);
  void drop_pending() { pending_.reset(); }
  /// The credentials of that generation are the agent's now. Candidates that wait go to it.
  void apply(base::time_point now, ice::agent& agent, const std::string& ufrag);

  [[nodiscard]] bool is_applied(std::string_view ufrag) const { return applied_.ufrag == ufrag; }

  /// A candidate of a generation that is applied or pending. What is not for us is ignored.
  base::result<void> add(base::time_point now, ice::agent& agent, std::string_view ufrag,
                         const ice::candidate& candidate);
  void end(base::time_point now, ice::agent& agent, std::string_view ufrag);

  void resolved(base::time_point now, ice::agent& agent, std::uint64_t token,
                std::span<const base::ip_address> addresses);

  /// The name by which the other side told that address, if it did.
  [[nodiscard]] std::optional<std::string> name_of(const base::endpoint& address) const;

  /// A look-up that is wanted and was not given out yet.
  std::optional<name_lookup> poll_lookup();

 private:
  using generation = candidate_generation;

  [[nodiscard]] bool is_for_us(const ice::candidate& candidate) const;
  generation* find(std::string_view ufrag);
  base::result<void> take(base::time_point now, ice::agent& agent, generation& into,
                          const ice::candidate& candidate);
  base::result<void> look_up(base::time_point now, ice::agent& agent, generation& into,
                             const ice::candidate& candidate);
  void release_names(base::time_point now, ice::agent& agent);

  base::logger log_;
  bool tcp_;
  generation applied_;
  std::optional<generation> pending_;
  std::vector<name_lookup> lookups_;
  std::uint64_t next_token_ = 1;
};

}  // namespace asiortc::peer

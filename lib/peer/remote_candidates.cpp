#include "peer/remote_candidates.hpp"

#include <algorithm>
#include <utility>

namespace asiortc::peer {
namespace {

// A browser hides each of its few interface addresses behind a name of its own.
constexpr std::size_t max_names = 32;

// As many as the agent takes; the rest could not be used anyway.
constexpr std::size_t max_waiting = 100;

// RFC 1035 2.3.4: "names 255 octets or less".
constexpr std::size_t max_name_length = 255;

bool same_name(const ice::candidate& a, const ice::candidate& b) {
  return a.host_name == b.host_name && a.address.port == b.address.port && a.protocol == b.protocol;
}

}  // namespace

/// RFC 8445 5.1.1.1 has component 2 for RTCP, which rtcp-mux does without.
bool remote_candidates::is_for_us(const ice::candidate& candidate) const {
  const bool is_tcp = candidate.protocol == ice::transport_protocol::tcp;
  return candidate.component == 1 && (!is_tcp || (tcp_ && candidate.tcp == ice::tcp_type::passive));
}

remote_candidates::generation* remote_candidates::find(std::string_view ufrag) {
  if (!applied_.ufrag.empty() && applied_.ufrag == ufrag) return &applied_;
  return pending_ && pending_->ufrag == ufrag ? &*pending_ : nullptr;
}

void remote_candidates::begin_pending(std::string ufrag) {
  pending_.emplace();
  pending_->ufrag = std::move(ufrag);
}

void remote_candidates::release_names(base::time_point now, ice::agent& agent) {
  for (std::size_t count = applied_.names.size(); count > 0; --count) {
    agent.release_remote_candidate(now);
  }
  applied_.names.clear();
}

void remote_candidates::apply(base::time_point now, ice::agent& agent, const std::string& ufrag) {
  if (applied_.ufrag == ufrag) {
    pending_.reset();
    return;
  }
  release_names(now, agent);
  if (pending_ && pending_->ufrag == ufrag) {
    applied_ = std::move(*pending_);
  } else {
    applied_ = generation{};
    applied_.ufrag = ufrag;
  }
  pending_.reset();
  for (std::size_t count = applied_.names.size(); count > 0; --count) {
    agent.hold_remote_candidate(now);
  }
  for (const auto& candidate : std::exchange(applied_.waiting, {})) {
    if (auto added = agent.add_remote_candidate(now, candidate); !added) {
      log_(log_level::debug, [&] { return "remote candidate refused: " + added.error().detail; });
    }
  }
  if (applied_.ended) agent.end_of_remote_candidates(now);
}

base::result<void> remote_candidates::add(base::time_point now, ice::agent& agent,
                                          std::string_view ufrag, const ice::candidate& candidate) {
  generation* const into = find(ufrag);
  if (into == nullptr) {
    return base::failure{errc::operation_error, "the candidate belongs to an old generation"};
  }
  if (!is_for_us(candidate)) return {};
  if (!candidate.host_name.empty()) return look_up(now, agent, *into, candidate);
  return take(now, agent, *into, candidate);
}

base::result<void> remote_candidates::take(base::time_point now, ice::agent& agent,
                                           generation& into, const ice::candidate& candidate) {
  if (&into == &applied_) return agent.add_remote_candidate(now, candidate);
  if (std::find(into.waiting.begin(), into.waiting.end(), candidate) != into.waiting.end()) {
    return {};
  }
  if (into.waiting.size() >= max_waiting) {
    return base::failure{errc::limit_reached,
                         "more than " + std::to_string(max_waiting) + " remote candidates"};
  }
  into.waiting.push_back(candidate);
  return {};
}

base::result<void> remote_candidates::look_up(base::time_point now, ice::agent& agent,
                                              generation& into, const ice::candidate& candidate) {
  if (candidate.host_name.size() > max_name_length) {
    return base::failure{errc::syntax_error, "the candidate's name is longer than 255 characters"};
  }
  const bool waits = std::any_of(into.names.begin(), into.names.end(), [&](const auto& name) {
    return same_name(name.candidate, candidate);
  });
  if (waits) return {};
  if (into.names_seen >= max_names) {
    return base::failure{errc::limit_reached,
                         "more than " + std::to_string(max_names) + " remote names"};
  }
  ++into.names_seen;
  into.names.push_back({next_token_, candidate});
  lookups_.push_back({next_token_, candidate.host_name});
  ++next_token_;
  if (&into == &applied_) agent.hold_remote_candidate(now);
  return {};
}

void remote_candidates::end(base::time_point now, ice::agent& agent, std::string_view ufrag) {
  generation* const into = find(ufrag);
  if (into == nullptr) return;
  into->ended = true;
  if (into == &applied_) agent.end_of_remote_candidates(now);
}

void remote_candidates::resolved(base::time_point now, ice::agent& agent, std::uint64_t token,
                                 std::span<const base::ip_address> addresses) {
  for (generation* into : {&applied_, pending_ ? &*pending_ : nullptr}) {
    if (into == nullptr) continue;
    const auto found = std::find_if(into->names.begin(), into->names.end(),
                                    [token](const auto& name) { return name.token == token; });
    if (found == into->names.end()) continue;
    ice::candidate candidate = std::move(found->candidate);
    const std::string name = candidate.host_name;
    into->names.erase(found);
    bool v4 = false;
    bool v6 = false;
    for (const auto& address : addresses) {
      // One address a family: a name must not multiply the checks that the peer makes us send.
      if (std::exchange(address.is_v4() ? v4 : v6, true)) continue;
      candidate.address.address = address;
      candidate.host_name.clear();
      candidate.is_hidden = true;
      into->resolved.emplace_back(candidate.address, name);
      if (auto added = take(now, agent, *into, candidate); !added) {
        log_(log_level::debug,
             [&] { return "resolved candidate refused: " + added.error().detail; });
      }
    }
    if (into == &applied_) agent.release_remote_candidate(now);
    return;
  }
}

std::optional<std::string> remote_candidates::name_of(const base::endpoint& address) const {
  for (const auto& [known, name] : applied_.resolved) {
    if (known == address) return name;
  }
  return std::nullopt;
}

std::optional<name_lookup> remote_candidates::poll_lookup() {
  if (lookups_.empty()) return std::nullopt;
  name_lookup first = std::move(lookups_.front());
  lookups_.erase(lookups_.begin());
  return first;
}

}  // namespace asiortc::peer

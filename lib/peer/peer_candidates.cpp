// Candidates in both directions.
#include "peer/peer_impl.hpp"

#include <algorithm>
#include <utility>

namespace asiortc::peer {
namespace {

// As many lines as candidates can be in use; more would only grow the description.
constexpr std::size_t max_candidate_lines = 100;

/// The W3C has trickled candidates show in the remote description (webrtc-pc 4.4.1.6).
void show_candidate(sdp::media& media, const ice::candidate& candidate) {
  constexpr std::string_view prefix = "candidate:";
  std::string value = to_string(candidate).substr(prefix.size());
  const auto known = media.attributes.values("candidate");
  if (known.size() >= max_candidate_lines ||
      std::find(known.begin(), known.end(), value) != known.end()) {
    return;
  }
  media.attributes.add("candidate", std::move(value));
}

}  // namespace

local_generation& peer::impl::generation() {
  const std::string& ufrag = transport_->agent().local_credentials().ufrag;
  if (!generations_.empty() && generations_.back().ufrag == ufrag) return generations_.back();
  // Beside the newest those are kept that a description of ours may still show.
  const auto shows = [](const std::optional<negotiation::local>& local, const std::string& name) {
    return local && local->session.credentials.ufrag == name;
  };
  std::erase_if(generations_, [&](const local_generation& each) {
    return !shows(jsep_.current_local(), each.ufrag) && !shows(jsep_.pending_local(), each.ufrag);
  });
  const auto known = std::find_if(generations_.begin(), generations_.end(),
                                  [&](const auto& each) { return each.ufrag == ufrag; });
  if (known == generations_.end()) {
    generations_.emplace_back().ufrag = ufrag;
  } else {
    std::rotate(known, known + 1, generations_.end());
  }
  return generations_.back();
}

const local_generation* peer::impl::generation_of(const std::string& ufrag) const {
  const auto found =
      std::find_if(generations_.begin(), generations_.end(),
                   [&ufrag](const local_generation& known) { return known.ufrag == ufrag; });
  return found == generations_.end() ? nullptr : &*found;
}

void peer::impl::restart_agent(base::time_point now) {
  settle(now);  // what was gathered before belongs to the generation that ends
  apply_gathering_options(now);
  transport_->agent().restart(now);
  settle(now);  // what is gathered at once goes into the description that asked for the restart
}

/// RFC 9429 5.7: a rollback discards "any proposed changes". A restart that the description in
/// force does not tell of, rolled back or never set, is none: ICE goes on as before.
void peer::impl::abandon_restart(base::time_point now) {
  auto& agent = transport_->agent();
  const local_session* told = jsep_.effective_local();
  const std::string ufrag = agent.local_credentials().ufrag;
  if (!agent.is_restarting() || told == nullptr || !told->data ||
      told->credentials.ufrag == ufrag) {
    return;
  }
  settle(now);  // what was gathered for it is not told
  agent.abandon_restart(now);
  if (gathering_ufrag_ == ufrag) gathering_ufrag_ = agent.local_credentials().ufrag;
  if (!next_gathering_) next_gathering_ = std::exchange(restart_options_, std::nullopt);
  settle(now);
  finish_gathering();
}

void peer::impl::set_gathering_options(base::time_point now, gathering_options options) {
  const bool pool = options.pool_candidates && !jsep_.effective_local();
  next_gathering_ = std::move(options);
  if (gathering_generation_ == 0) apply_gathering_options(now);
  // A pool that nobody was told of is gathered again; an offer that was created tells of it.
  if (pooling_ && !jsep_.has_created(sdp_type::offer)) {
    restart_agent(now);
    want_gathering();
  }
  if (pool && gathering_generation_ == 0) {
    pooling_ = true;
    want_gathering();
  }
}

void peer::impl::apply_gathering_options(base::time_point now) {
  if (!next_gathering_) return;
  transport_->agent().set_relay_only(next_gathering_->relay_only);
  transport_->keep_servers(now, next_gathering_->servers);
  restart_options_ = std::exchange(next_gathering_, std::nullopt);
}

void peer::impl::start_gathering(base::time_point) {
  local_generation& current = generation();
  const local_session& session = *jsep_.effective_local();
  current.told = std::max(current.told, session.candidates_included);
  current.end_told = current.end_told || session.end_included;
  const bool pooled = std::exchange(pooling_, false) && gathering_ufrag_ == current.ufrag;
  if (pooled || gathering_ufrag_ != current.ufrag) {
    set_gathering_state(ice_gathering_state::gathering);
  }
  want_gathering();
  tell_local_candidates();
  finish_gathering();
}

void peer::impl::want_gathering() {
  if (std::exchange(gathering_ufrag_, generation().ufrag) == generation().ufrag) return;
  transport_->begin_gathering();
  socket_failure_.clear();
  push(gathering_wanted{++gathering_generation_});
}

void peer::impl::finish_gathering() {
  if (pooling_) return;  // webrtc-pc 4.4.1.6: the pool is no transport's yet, so no state tells
  // A restart gathers from the sockets that are there, which can be done before it is asked for.
  if (!generation().complete || gathering_ufrag_ != generation().ufrag) return;
  tell_local_candidates();
  set_gathering_state(ice_gathering_state::complete);
}

void peer::impl::set_gathering_state(ice_gathering_state next) {
  if (std::exchange(gathering_state_, next) == next) return;
  log_(log_level::debug, [&] { return "gathering is " + std::string(to_string(next)); });
  push(ice_gathering_state_event{next});
}

void peer::impl::note_local_candidate(const ice::candidate& candidate) {
  generation().candidates.push_back(to_string(candidate));
  tell_local_candidates();
}

void peer::impl::tell_local_candidates() {
  // Where none is set, nobody would know what they belong to; they go into the next description.
  const local_session* session = jsep_.effective_local();
  if (session == nullptr || !session->data) return;
  local_generation& current = generation();
  if (session->credentials.ufrag != current.ufrag) return;
  ice_candidate value;
  value.sdp_mid = session->sections[session->tag].mid;
  value.sdp_m_line_index = static_cast<std::uint16_t>(session->tag);
  value.username_fragment = current.ufrag;
  for (; current.told < current.candidates.size(); ++current.told) {
    value.candidate = current.candidates[current.told];
    push(ice_candidate_event{value});
  }
  if (current.complete && !std::exchange(current.end_told, true)) {
    value.candidate.clear();
    push(ice_candidate_event{value});
  }
}

void peer::impl::take_candidates(base::time_point now, const remote_session& session) {
  auto& candidates = transport_->candidates();
  auto& agent = transport_->agent();
  const std::string& ufrag = session.transport.credentials.ufrag;
  for (const auto& candidate : session.candidates) {
    if (!candidate.ufrag.empty() && candidate.ufrag != ufrag) continue;
    if (auto added = candidates.add(now, agent, ufrag, candidate); !added) {
      log_(log_level::debug, [&] { return "remote candidate refused: " + added.error().detail; });
    }
  }
  if (session.candidates_ended) candidates.end(now, agent, ufrag);
}

base::result<std::optional<std::size_t>> peer::impl::find_section(
    const remote_session& session, const ice_candidate& candidate) const {
  const auto& sections = session.sections;
  // No mid is empty (RFC 5888 4), but Pion says so where it has none to tell.
  if (candidate.sdp_mid && !candidate.sdp_mid->empty()) {
    const auto found = std::find_if(
        sections.begin(), sections.end(),
        [&candidate](const m_section& section) { return section.mid == candidate.sdp_mid; });
    if (found == sections.end()) {
      return base::failure{errc::operation_error,
                           "no m-section has the mid " + candidate.sdp_mid->substr(0, 64)};
    }
    return std::optional{static_cast<std::size_t>(found - sections.begin())};
  }
  if (candidate.sdp_m_line_index) {
    if (*candidate.sdp_m_line_index >= sections.size()) {
      return base::failure{errc::operation_error, "there is no m-section with the index " +
                                                      std::to_string(*candidate.sdp_m_line_index)};
    }
    return std::optional{static_cast<std::size_t>(*candidate.sdp_m_line_index)};
  }
  return std::optional<std::size_t>{};
}

base::result<std::string> peer::impl::find_generation(const std::string& ufrag) const {
  const auto names = [&ufrag](const std::optional<negotiation::remote>& remote) {
    return remote && remote->session.data && remote->session.transport.credentials.ufrag == ufrag;
  };
  if (ufrag.empty()) return jsep_.effective_remote()->transport.credentials.ufrag;
  if (names(jsep_.pending_remote()) || names(jsep_.current_remote())) return ufrag;
  return base::failure{errc::operation_error,
                       "no remote description has the ufrag " + ufrag.substr(0, 64)};
}

base::result<void> peer::impl::add_candidate(base::time_point now, const ice_candidate& given) {
  if (closed()) return closed_failure();
  remote_session* const session = jsep_.effective_remote();
  if (session == nullptr) {
    return base::failure{errc::invalid_state, "there is no remote description yet"};
  }
  if (given.candidate.empty()) return end_candidates(now, given);
  auto section = find_section(*session, given);
  if (!section) return section.error();
  if (!*section) {
    return base::failure{errc::type_error, "a candidate needs sdp_mid or sdp_m_line_index"};
  }
  auto candidate = ice::parse_candidate(given.candidate);
  if (!candidate) {
    // RFC 8839 5.1: a type or transport that is not known is ignored, not refused.
    if (candidate.error().code == make_error_code(errc::not_supported)) return {};
    return candidate.error();
  }
  if (!session->carries(**section)) return {};
  auto ufrag = find_generation(given.username_fragment.value_or(candidate->ufrag));
  if (!ufrag) return ufrag.error();
  auto added = transport_->candidates().add(now, transport_->agent(), *ufrag, *candidate);
  if (added && *ufrag == session->transport.credentials.ufrag) {
    show_candidate(session->description.sections[**section], *candidate);
  }
  settle(now);
  return added;
}

base::result<void> peer::impl::end_candidates(base::time_point now, const ice_candidate& given) {
  remote_session& session = *jsep_.effective_remote();
  auto section = find_section(session, given);
  if (!section) return section.error();
  if (!session.data || (*section && !session.carries(**section))) return {};
  auto ufrag = find_generation(given.username_fragment.value_or(""));
  if (!ufrag) return ufrag.error();
  transport_->candidates().end(now, transport_->agent(), *ufrag);
  if (*ufrag == session.transport.credentials.ufrag) {
    auto& attributes = session.description.sections[section->value_or(session.tag)].attributes;
    if (!attributes.has("end-of-candidates")) attributes.add("end-of-candidates");
  }
  settle(now);
  return {};
}

void peer::impl::emit_lookups() {
  while (auto lookup = transport_->candidates().poll_lookup()) {
    push(resolution_wanted{lookup->token, std::move(lookup->name)});
  }
}

}  // namespace asiortc::peer

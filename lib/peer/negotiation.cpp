#include "peer/negotiation.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

namespace asiortc::peer {
namespace {

std::string name_of(const std::vector<m_section>& sections, std::size_t index) {
  return "m-section " + std::to_string(index) + " (" + sections[index].kind + ")";
}

base::failure changed(std::string detail) {
  return {errc::invalid_modification, std::move(detail)};
}

/// Kind and mid of the sections that both have; where ours was stopped, the offer may reuse it.
base::result<void> check_same_sections(const std::vector<m_section>& ours,
                                       const std::vector<m_section>& theirs, bool may_reuse) {
  for (std::size_t index = 0; index < std::min(ours.size(), theirs.size()); ++index) {
    if (may_reuse && ours[index].stopped) continue;
    if (ours[index].kind != theirs[index].kind) {
      return changed(name_of(theirs, index) + ": was m=" + ours[index].kind + " before");
    }
    const auto& mid = theirs[index].mid;
    if (mid && ours[index].mid && *mid != *ours[index].mid) {
      return changed(name_of(theirs, index) + ": a=mid:" + *mid + " was " + *ours[index].mid +
                     " before");
    }
  }
  return {};
}

bool is_any_of(signaling_state state, std::initializer_list<signaling_state> allowed) {
  return std::find(allowed.begin(), allowed.end(), state) != allowed.end();
}

bool allows(signaling_state state, side from, sdp_type type) {
  using s = signaling_state;
  switch (type) {
    case sdp_type::offer:
      // A remote offer in have-local-offer rolls ours back.
      if (from == side::local) return is_any_of(state, {s::stable, s::have_local_offer});
      return is_any_of(state, {s::stable, s::have_remote_offer, s::have_local_offer});
    case sdp_type::pranswer:
    case sdp_type::answer:
      if (from == side::local) {
        return is_any_of(state, {s::have_remote_offer, s::have_local_pranswer});
      }
      return is_any_of(state, {s::have_local_offer, s::have_remote_pranswer});
    case sdp_type::rollback:
      return is_any_of(state, {s::have_local_offer, s::have_remote_offer});
  }
  return false;
}

}  // namespace

void negotiation::set_state(signaling_state next, std::string_view reason) {
  if (state_ == next) return;
  log_(log_level::debug, [&] {
    return "signaling " + std::string(to_string(state_)) + " -> " + std::string(to_string(next)) +
           ": " + std::string(reason);
  });
  state_ = next;
}

std::optional<negotiation::last_created>& negotiation::slot(sdp_type type) {
  return type == sdp_type::offer ? offer_ : answer_;
}

void negotiation::remember(sdp_type type, std::string text, local_session session) {
  slot(type) = last_created{std::move(text), std::move(session)};
}

bool negotiation::has_created(sdp_type type) const {
  return (type == sdp_type::offer ? offer_ : answer_).has_value();
}

base::result<local_session> negotiation::created(sdp_type type, std::string_view text) const {
  const auto& last = type == sdp_type::offer ? offer_ : answer_;
  if (!last || (!text.empty() && text != last->text)) {
    return base::failure{errc::invalid_modification,
                         "a local " + std::string(to_string(type)) +
                             " must be the last one that was created, unchanged (RFC 9429 5.4)"};
  }
  return last->session;
}

base::result<void> negotiation::check_state(side from, sdp_type type) const {
  if (allows(state_, from, type)) return {};
  return base::failure{errc::invalid_state,
                       "a " + std::string(from == side::local ? "local " : "remote ") +
                           std::string(to_string(type)) + " is not allowed in the state " +
                           std::string(to_string(state_))};
}

base::result<void> negotiation::check_offer(const remote_session& offer) const {
  if (offer.sections.size() < negotiated_.size()) {
    return changed("the offer has " + std::to_string(offer.sections.size()) +
                   " m-sections, at least " + std::to_string(negotiated_.size()) + " are expected");
  }
  return check_same_sections(negotiated_, offer.sections, true);
}

base::result<void> negotiation::check_answer(const remote_session& answer) const {
  assert(pending_local_);
  const auto& offered = pending_local_->session;
  if (answer.sections.size() != offered.sections.size()) {
    return changed("the answer has " + std::to_string(answer.sections.size()) +
                   " m-sections, the offer has " + std::to_string(offered.sections.size()));
  }
  if (answer.data && answer.data != offered.data) {
    return changed(name_of(answer.sections, *answer.data) + ": was offered with port 0");
  }
  return check_same_sections(offered.sections, answer.sections, false);
}

void negotiation::set_local(sdp_type type, local_session session) {
  assert(allows(state_, side::local, type));
  pending_local_ = local{type, std::move(session)};
  if (type == sdp_type::offer) {
    set_state(signaling_state::have_local_offer, "local offer");
  } else if (type == sdp_type::pranswer) {
    set_state(signaling_state::have_local_pranswer, "local pranswer");
  } else {
    finish();
  }
}

void negotiation::set_remote(sdp_type type, remote_session session) {
  // A local offer is rolled back by the caller before a remote one takes its place.
  assert(allows(state_, side::remote, type));
  assert(type != sdp_type::offer || state_ != signaling_state::have_local_offer);
  pending_remote_ = remote{type, std::move(session)};
  if (type == sdp_type::offer) {
    set_state(signaling_state::have_remote_offer, "remote offer");
  } else if (type == sdp_type::pranswer) {
    set_state(signaling_state::have_remote_pranswer, "remote pranswer");
  } else {
    finish();
  }
}

void negotiation::finish() {
  assert(pending_local_ && pending_remote_);
  const bool offered = pending_local_->type == sdp_type::offer;
  negotiated_ = pending_local_->session.sections;
  if (offered) {
    const auto& answer = pending_remote_->session;
    for (std::size_t index = 0; index < negotiated_.size(); ++index) {
      auto& section = negotiated_[index];
      const bool live_data = answer.data == index;
      section.stopped = section.stopped || answer.sections[index].stopped ||
                        (section.kind == "application" && !live_data);
    }
  }
  current_local_ = std::exchange(pending_local_, std::nullopt);
  current_remote_ = std::exchange(pending_remote_, std::nullopt);
  offer_.reset();
  answer_.reset();
  set_state(signaling_state::stable, "answered");
}

void negotiation::roll_back() {
  pending_local_.reset();
  pending_remote_.reset();
  offer_.reset();
  answer_.reset();
  set_state(signaling_state::stable, "rolled back");
}

const local_session* negotiation::effective_local() const {
  if (pending_local_) return &pending_local_->session;
  return current_local_ ? &current_local_->session : nullptr;
}

remote_session* negotiation::effective_remote() {
  return const_cast<remote_session*>(std::as_const(*this).effective_remote());
}

const remote_session* negotiation::effective_remote() const {
  if (pending_remote_) return &pending_remote_->session;
  return current_remote_ ? &current_remote_->session : nullptr;
}

bool negotiation::has_live_data() const {
  return std::any_of(negotiated_.begin(), negotiated_.end(),
                     [](const m_section& section) { return section.is_live_data(); });
}

}  // namespace asiortc::peer

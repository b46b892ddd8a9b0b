// Offers and answers, and what they set in motion.
#include "peer/peer_impl.hpp"
#include "peer/remote_session.hpp"

#include <utility>

namespace asiortc::peer {

base::failure peer::impl::closed_failure() {
  return {errc::invalid_state, "the peer connection is closed"};
}

/// Those of the next description: of the restart that it tells, else those that were told before.
const ice::credentials& peer::impl::local_credentials() const {
  const auto& agent = transport_->agent();
  const local_session* told = jsep_.effective_local();
  const bool goes_on = told != nullptr && told->data && !agent.is_restarting();
  return goes_on ? told->credentials : agent.local_credentials();
}

local_facts peer::impl::facts() const {
  local_facts facts;
  facts.session_id = session_id_;
  facts.session_version = session_version_;
  facts.credentials = local_credentials();
  facts.fingerprint =
      settings_.identity->get_fingerprint(crypto::hash_algorithm::sha256).to_string();
  facts.max_message_size = settings_.channels.max_message_size;
  facts.lite = settings_.ice.lite;
  return facts;
}

base::result<session_description> peer::impl::create(base::time_point, sdp_type type) {
  local_session session;
  if (type == sdp_type::offer) {
    // RFC 9429 5.2.1 and 5.2.2: an offer says actpass, a later one too.
    session = write_session(facts(), plan_offer(jsep_.negotiated(), data_wanted_),
                            sdp::setup_role::actpass);
  } else {
    const auto& offer = jsep_.pending_remote()->session;
    const bool client = answer_role_.value_or(dtls::role::client) == dtls::role::client;
    const auto tag = offer.data ? std::optional{offer.tag} : std::nullopt;
    session = write_session(facts(), plan_answer(offer),
                            client ? sdp::setup_role::active : sdp::setup_role::passive, tag);
  }
  const local_generation* known = generation_of(session.credentials.ufrag);
  session.candidates_included = known != nullptr ? known->candidates.size() : 0;
  session.end_included = known != nullptr && known->complete;
  session_description created(type, to_text(session, known));
  jsep_.remember(type, created.sdp, std::move(session));
  return created;
}

base::result<session_description> peer::impl::create_offer(base::time_point now, bool ice_restart) {
  if (closed()) return closed_failure();
  if (auto allowed = jsep_.check_state(side::local, sdp_type::offer); !allowed) {
    return allowed.error();
  }
  const local_session* told = jsep_.effective_local();
  if (told != nullptr && told->data) {
    const std::string& ufrag = told->credentials.ufrag;
    const bool restarts = ice_restart || ufrag == ufrag_to_replace_;
    const bool is_open = transport_->agent().is_restarting() &&
                         ufrag != transport_->agent().local_credentials().ufrag;
    if (!restarts) {
      abandon_restart(now);
    } else if (!is_open) {
      restart_agent(now);
    }
  }
  return create(now, sdp_type::offer);
}

base::result<session_description> peer::impl::create_answer(base::time_point now) {
  if (closed()) return closed_failure();
  if (auto allowed = jsep_.check_state(side::local, sdp_type::answer); !allowed) {
    return allowed.error();
  }
  // RFC 8839 4.4.1.1.1: an offer with other credentials restarts ICE; so must the answer.
  const auto& offer = jsep_.pending_remote()->session;
  const auto known = transport_->agent().remote_credentials();
  const bool restarted = known && *known != offer.transport.credentials;
  if (offer.data && restarted && !transport_->agent().is_restarting()) restart_agent(now);
  return create(now, sdp_type::answer);
}

base::result<local_session> peer::impl::choose_local(
    base::time_point now, sdp_type type, const std::optional<session_description>& given) {
  // webrtc-pc 4.4.1.5: none given, or an empty one that was not created yet, is created now.
  if (!given || (given->sdp.empty() && !jsep_.has_created(type))) {
    auto created = type == sdp_type::offer ? create_offer(now, false) : create_answer(now);
    if (!created) return created.error();
    return jsep_.created(type, {});
  }
  auto session = jsep_.created(type, given->sdp);
  if (session && session->data && session->credentials != local_credentials()) {
    return base::failure{errc::invalid_modification,
                         "ICE was restarted after this description was created"};
  }
  return session;
}

base::result<void> peer::impl::set_local(base::time_point now,
                                         std::optional<session_description> given) {
  if (closed()) return closed_failure();
  sdp_type type = given ? given->type : sdp_type::answer;
  if (type == sdp_type::rollback) return roll_back(now, side::local);
  if (!given && jsep_.state() != signaling_state::have_remote_offer &&
      jsep_.state() != signaling_state::have_local_pranswer) {
    type = sdp_type::offer;
  }
  if (auto allowed = jsep_.check_state(side::local, type); !allowed) return allowed;
  auto session = choose_local(now, type, given);
  if (!session) return session.error();
  ++session_version_;
  if (type == sdp_type::offer) {
    set_local_offer(now, std::move(*session));
  } else {
    set_local_answer(now, type, std::move(*session));
  }
  settle(now);
  return {};
}

void peer::impl::set_local_offer(base::time_point now, local_session offer) {
  const bool data = offer.data.has_value();
  jsep_.set_local(sdp_type::offer, std::move(offer));
  announce_signaling();
  if (data && !transport_->has_session()) {
    // RFC 8445 6.1.1: who begins the session controls. Later a restart must not change the role.
    auto& agent = transport_->agent();
    if (!previous_role_) previous_role_ = agent.current_role();
    agent.set_role(ice::role::controlling);
  }
  if (data) start_gathering(now);
}

void peer::impl::set_local_answer(base::time_point now, sdp_type type, local_session answer) {
  const bool data = answer.data.has_value();
  const bool data_expected = jsep_.has_live_data();
  jsep_.set_local(type, std::move(answer));
  const remote_session& offer = *jsep_.effective_remote();
  if (data && !transport_->has_session()) {
    // RFC 8445 6.1.1: a full agent controls a lite one, whoever offered.
    transport_->agent().set_role(offer.transport.lite ? ice::role::controlling
                                                      : ice::role::controlled);
  }
  apply(now, offer, data ? answer_role_ : std::nullopt);
  announce_signaling();
  if (data) start_gathering(now);
  if (type == sdp_type::answer) finish_exchange(now, data_expected);
}

base::result<void> peer::impl::set_remote(base::time_point now, const session_description& given) {
  if (closed()) return closed_failure();
  if (given.type == sdp_type::rollback) return roll_back(now, side::remote);
  if (auto allowed = jsep_.check_state(side::remote, given.type); !allowed) return allowed;
  auto session = read_remote_session(given.type, given.sdp);
  if (!session) return session.error();
  if (given.type == sdp_type::offer) refuse_data(*session);
  auto done = given.type == sdp_type::offer
                  ? set_remote_offer(now, std::move(*session))
                  : set_remote_answer(now, given.type, std::move(*session));
  if (done) settle(now);
  return done;
}

/// RFC 9429 5.3.1: under "max-bundle" an m-section is rejected that is neither the first nor
/// bundled with it. Where an association was, and data were stopped, none can follow.
void peer::impl::refuse_data(remote_session& offer) const {
  if (data_.ended()) offer.data.reset();
  if (settings_.bundle_policy != bundle_policy::max_bundle || !offer.data || *offer.data == 0) {
    return;
  }
  const bool together = offer.sections.front().bundled && offer.sections[*offer.data].bundled;
  if (!together) offer.data.reset();
}

base::result<std::optional<dtls::role>> peer::impl::plan_transport(const remote_session& remote,
                                                                   sdp_type type) const {
  if (!remote.data) return std::optional<dtls::role>{};
  if (auto same = transport_->check_remote(remote.transport); !same) return same.error();
  auto role = transport_->decide_role(type, remote.transport.setup);
  if (!role) return role.error();
  return std::optional<dtls::role>{*role};
}

base::result<void> peer::impl::set_remote_offer(base::time_point now, remote_session offer) {
  if (auto fits = jsep_.check_offer(offer); !fits) return fits;
  auto role = plan_transport(offer, sdp_type::offer);
  if (!role) return role.error();
  if (jsep_.state() == signaling_state::have_local_offer) undo_exchange();
  abandon_restart(now);
  answer_role_ = *role;
  jsep_.set_remote(sdp_type::offer, std::move(offer));
  announce_signaling();
  const remote_session& session = *jsep_.effective_remote();
  auto& candidates = transport_->candidates();
  const std::string& ufrag = session.transport.credentials.ufrag;
  candidates.drop_pending();
  if (session.data && !candidates.is_applied(ufrag)) candidates.begin_pending(ufrag);
  if (session.data) take_candidates(now, session);
  return {};
}

base::result<void> peer::impl::set_remote_answer(base::time_point now, sdp_type type,
                                                 remote_session answer) {
  if (auto fits = jsep_.check_answer(answer); !fits) return fits;
  auto role = plan_transport(answer, type);
  if (!role) return role.error();
  const bool data_expected = jsep_.pending_local()->session.data.has_value();
  jsep_.set_remote(type, std::move(answer));
  apply(now, *jsep_.effective_remote(), *role);
  announce_signaling();
  if (type == sdp_type::answer) finish_exchange(now, data_expected);
  return {};
}

void peer::impl::apply(base::time_point now, const remote_session& remote,
                       std::optional<dtls::role> role) {
  if (!remote.data || !role) return;
  abandon_restart(now);
  restart_options_.reset();
  transport_->negotiate(now, remote.transport, *role);
  data_.negotiate(remote.sctp, *role == dtls::role::client);
  take_candidates(now, remote);
}

void peer::impl::finish_exchange(base::time_point now, bool data_expected) {
  previous_role_.reset();
  answer_role_.reset();
  if (data_expected && !jsep_.has_live_data()) {
    data_.end(now, {errc::not_supported, "the data section was rejected or stopped"});
    data_wanted_ = false;
    // Where nothing has begun, either side may ask again.
    if (!transport_->has_session()) data_.revive();
  }
  const auto& local = jsep_.current_local();
  const std::string& ufrag = local->session.credentials.ufrag;
  if (local->session.data && ufrag != transport_->agent().local_credentials().ufrag) {
    // The answer restarted ICE unasked, so ours are new and untold.
    ufrag_to_replace_ = ufrag;
  } else if (ufrag != ufrag_to_replace_) {
    ufrag_to_replace_.clear();
  }
  negotiation_needed_ = false;
  update_negotiation_needed();
}

base::result<void> peer::impl::roll_back(base::time_point now, side from) {
  if (auto allowed = jsep_.check_state(from, sdp_type::rollback); !allowed) return allowed;
  undo_exchange();
  abandon_restart(now);
  negotiation_needed_ = false;
  update_negotiation_needed();
  settle(now);
  return {};
}

void peer::impl::undo_exchange() {
  jsep_.roll_back();
  announce_signaling();
  transport_->candidates().drop_pending();
  answer_role_.reset();
  if (previous_role_) transport_->agent().set_role(*previous_role_);
  previous_role_.reset();
}

void peer::impl::announce_signaling() {
  if (std::exchange(announced_, jsep_.state()) != jsep_.state()) {
    push(signaling_state_event{jsep_.state()});
  }
}

void peer::impl::restart_ice() {
  if (closed()) return;
  // webrtc-pc 4.4.1.2: before anything was negotiated there is nothing to replace.
  const auto& local = jsep_.current_local();
  if (!local || !local->session.data) return;
  ufrag_to_replace_ = local->session.credentials.ufrag;
  update_negotiation_needed();
}

bool peer::impl::needs_negotiation() const {
  if (data_wanted_ && !data_.ended() && !jsep_.has_live_data()) return true;
  return !ufrag_to_replace_.empty();
}

void peer::impl::update_negotiation_needed() {
  // webrtc-pc 4.7.3: told once, in stable, until a finished exchange clears it.
  if (closed() || jsep_.state() != signaling_state::stable) return;
  const bool needed = needs_negotiation();
  if (needed && !negotiation_needed_) push(negotiation_needed_event{});
  negotiation_needed_ = needed;
}

std::optional<session_description> peer::impl::text_of(
    const std::optional<negotiation::local>& local) const {
  if (!local) return std::nullopt;
  const auto& session = local->session;
  return session_description(local->type,
                             to_text(session, generation_of(session.credentials.ufrag)));
}

}  // namespace asiortc::peer

#include "ice/consent.hpp"

#include <algorithm>
#include <chrono>

namespace asiortc::ice {
namespace {

using namespace std::chrono_literals;

constexpr int quick_checks = 3;
constexpr base::duration quick_interval = 1s;
constexpr base::duration urgent_interval = 500ms;
// How long an answer may take before its absence means something: one RTO of RFC 8445 14.3.
constexpr base::duration answer_time = 500ms;
// Before the third retransmission of an SCTP whose RTO begins at 400 ms, as browsers have it (0.4,
// 1.2 and 2.8 s), with the time to move: the fourth comes at 6 s.
constexpr base::duration doubt_after = 2s;
constexpr int doubt_checks = 2;

/// So long that two consent checks of the other side (RFC 7675 5.1: up to 1.2 intervals apart) may
/// have been lost.
base::duration lite_silence(const agent_settings& settings) {
  return std::max(settings.disconnected_after, settings.consent_interval * 3);
}

}  // namespace

base::duration consent::interval(const agent_settings& settings,
                                 base::random_source& random) const {
  // One in reserve is asked as often while it does not answer, or losses would let it expire.
  const bool close = watch_ == watch::selected || unanswered_ > 0;
  const base::duration basic = close ? settings.consent_interval : settings.keepalive_interval;
  // RFC 7675 5.1: "each interval MUST be randomized from between 0.8 and 1.2 times the basic
  // period".
  const auto spread = static_cast<std::uint64_t>(basic.count() * 2 / 5) + 1;
  return basic * 4 / 5 + base::duration(static_cast<std::int64_t>(random.below(spread)));
}

void consent::start(base::time_point now, const agent_settings& settings,
                    base::random_source& random, watch how) {
  watch_ = how;
  note_answer(now, settings, random);
}

void consent::note_sent(base::time_point now, const agent_settings& settings,
                        base::random_source& random) {
  ++unanswered_;
  last_sent_ = now;
  const base::duration quick =
      std::min(unheard() ? urgent_interval : quick_interval, settings.consent_interval);
  next_check_ = now + (unanswered_ < quick_checks ? quick : interval(settings, random));
}

void consent::note_answer(base::time_point now, const agent_settings& settings,
                          base::random_source& random) {
  unanswered_ = 0;
  note_received(now);
  expires_ = now + settings.consent_timeout;
  schedule(now, settings, random);
}

void consent::set_watch(base::time_point now, const agent_settings& settings,
                        base::random_source& random, watch how) {
  if (watch_ == how) return;
  watch_ = how;
  if (unanswered_ == 0) schedule(now, settings, random);
}

void consent::schedule(base::time_point now, const agent_settings& settings,
                       base::random_source& random) {
  next_check_ = settings.lite ? base::never : now + interval(settings, random);
}

void consent::hurry(base::time_point now) {
  next_check_ = std::min(next_check_, std::max(now, last_sent_ + quick_interval));
}

base::time_point consent::next_check_at() const {
  // While an answer is missing, the quick checks follow anyway.
  const bool quiet = unheard() && unanswered_ == 0;
  return quiet ? std::min(next_check_, unheard_since_ + patience) : next_check_;
}

bool consent::unanswered(base::time_point now, int checks) const {
  return unanswered_ > checks || (unanswered_ == checks && now >= last_sent_ + answer_time);
}

bool consent::doubtful(base::time_point now) const {
  return unanswered(now, doubt_checks) && now >= last_received_ + doubt_after;
}

bool consent::silent(base::time_point now, const agent_settings& settings) const {
  // A lite agent asks nothing, so only the length of the silence tells.
  if (settings.lite) return now >= last_received_ + lite_silence(settings);
  return unanswered(now, quick_checks) && now >= last_received_ + settings.disconnected_after;
}

base::time_point consent::next_deadline(base::time_point now,
                                        const agent_settings& settings) const {
  base::time_point next = std::min(expires_, next_check_at());
  if (settings.lite && !silent(now, settings)) {
    next = std::min(next, last_received_ + lite_silence(settings));
  }
  if (unanswered_ >= doubt_checks) {
    for (const auto turn : {last_sent_ + answer_time, last_received_ + doubt_after,
                            last_received_ + settings.disconnected_after}) {
      if (turn > now) next = std::min(next, turn);
    }
  }
  return next;
}

}  // namespace asiortc::ice

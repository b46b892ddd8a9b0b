// Which pair carries data: the rules, free of any state of their own.
#pragma once

#include "base/time.hpp"
#include "ice/agent.hpp"
#include "ice/generation.hpp"

namespace asiortc::ice {

/// Controlling: the pair to nominate now (RFC 8445 8.1.1, regular nomination), if any.
///
/// The best valid pair, at once when no better pair is undecided and it is direct; otherwise after
/// `settle_direct` or `settle_costly`. Once one is selected, another is nominated only when that
/// one is in doubt and the other one has been heard since, or to leave a relay or TCP for a cheaper
/// path that works by now.
pair* choose_nomination(generation& gen, const agent_settings& settings, base::time_point now);

/// When the answer above may change by itself.
base::time_point nomination_deadline(const generation& gen, const agent_settings& settings);

/// Controlled: whether a pair that the other side nominates replaces the selected one. With
/// aggressive nomination the highest priority wins (RFC 5245 8.1.1.2); a worse pair wins over one
/// that has gone quiet, since that is how a controlling browser leaves a dead pair.
bool accept_nomination(const pair& nominated, const pair* selected, base::time_point now);

/// The pair that carries data: the selected one while it lives, else the best valid one that has
/// been heard from, else the best.
pair* choose_active(generation& gen, base::time_point now);

}  // namespace asiortc::ice

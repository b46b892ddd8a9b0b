#include "ice/check_list.hpp"

#include "ice/priority.hpp"

#include <algorithm>
#include <cassert>
#include <map>
#include <string>

namespace asiortc::ice {
namespace {

std::uint64_t priority_of(const pair& which, role as) {
  return as == role::controlling ? pair_priority(which.local->priority, which.remote->priority)
                                 : pair_priority(which.remote->priority, which.local->priority);
}

/// RFC 8445 6.1.2.6: a pair's foundation is that of both candidates.
bool same_foundation(const pair& a, const pair& b) {
  return a.local->foundation == b.local->foundation && a.remote->foundation == b.remote->foundation;
}

}  // namespace

bool can_pair(const base::ip_address& local, const base::ip_address& remote) {
  // RFC 8445 6.1.2.2: IPv6 link-local addresses "MUST NOT be paired with other than link-local".
  const bool scopes_fit = local.is_v4() || local.is_link_local() == remote.is_link_local();
  return local.is_v4() == remote.is_v4() && scopes_fit &&
         local.is_loopback() == remote.is_loopback();
}

bool can_pair(const candidate& local, const candidate& remote) {
  const bool checks = local.protocol == transport_protocol::udp ||
                      (local.tcp == tcp_type::active && remote.tcp == tcp_type::passive);
  return checks && local.protocol == remote.protocol &&
         can_pair(local.address.address, remote.address.address);
}

pair* check_list::add(const local_base& local, std::shared_ptr<const candidate> remote, role as) {
  const base::route route{local.socket, remote->address};
  if (pair* const known = find(route)) return known;
  auto made = std::make_unique<pair>();
  made->route = route;
  made->local = local.own;
  made->remote = std::move(remote);
  made->local_preference = local.local_preference;
  made->priority = priority_of(*made, as);
  if (!make_room(made->priority)) return nullptr;
  made->id = static_cast<pair_id>(++last_id_);
  // RFC 8838 12: a new pair waits if it is the first of its foundation or one of them succeeded.
  const auto twin_state = [&](auto accept) {
    return std::any_of(pairs_.begin(), pairs_.end(), [&](const auto& other) {
      return same_foundation(*other, *made) && accept(other->state);
    });
  };
  const bool succeeded = twin_state([](pair_state s) { return s == pair_state::succeeded; });
  const bool undecided = twin_state(
      [](pair_state s) { return s != pair_state::succeeded && s != pair_state::failed; });
  made->state = succeeded || !undecided ? pair_state::waiting : pair_state::frozen;
  pair* const added = made.get();
  pairs_.push_back(std::move(made));
  sort();
  return added;
}

bool check_list::make_room(std::uint64_t priority) {
  if (pairs_.size() < max_pairs_) return true;
  const auto discard = [this](auto may_go) {
    // The worst that may go: the list is sorted, so look from its end.
    const auto worst = std::find_if(pairs_.rbegin(), pairs_.rend(), may_go);
    if (worst == pairs_.rend()) return false;
    remove((*worst)->id);
    return true;
  };
  return discard([](const auto& p) { return p->state == pair_state::failed; }) ||
         discard([=](const auto& p) {
           const bool idle = p->state == pair_state::frozen || p->state == pair_state::waiting;
           return idle && !p->valid && p->priority < priority;
         });
}

void check_list::sort() {
  std::stable_sort(pairs_.begin(), pairs_.end(),
                   [](const auto& a, const auto& b) { return a->priority > b->priority; });
}

void check_list::remove_socket(base::socket_id socket) {
  std::erase_if(triggered_, [&](pair_id id) {
    const pair* const queued = find(id);
    return queued == nullptr || queued->route.local == socket;
  });
  std::erase_if(pairs_, [=](const auto& p) { return p->route.local == socket; });
}

void check_list::remove(pair_id id) {
  std::erase(triggered_, id);
  std::erase_if(pairs_, [=](const auto& p) { return p->id == id; });
}

void check_list::update_priorities(role as) {
  for (const auto& p : pairs_) p->priority = priority_of(*p, as);
  sort();
}

const pair* check_list::find(pair_id id) const {
  const auto found =
      std::find_if(pairs_.begin(), pairs_.end(), [=](const auto& p) { return p->id == id; });
  return found == pairs_.end() ? nullptr : found->get();
}

pair* check_list::find(pair_id id) {
  return const_cast<pair*>(static_cast<const check_list&>(*this).find(id));
}

pair* check_list::find(const base::route& route) {
  const auto found =
      std::find_if(pairs_.begin(), pairs_.end(), [&](const auto& p) { return p->route == route; });
  return found == pairs_.end() ? nullptr : found->get();
}

void check_list::set_state(pair& which, pair_state state, std::string_view reason) {
  if (which.state == state) return;
  log_(log_level::debug, [&] {
    return "pair " + which.local->address.to_string() + " -> " + which.route.remote.to_string() +
           ": " + std::string(to_string(which.state)) + " -> " + std::string(to_string(state)) +
           ", " + std::string(reason);
  });
  which.state = state;
  which.failure = state == pair_state::failed ? reason : std::string_view();
  which.refused = false;
}

void check_list::unfreeze_like(const pair& succeeded) {
  for (const auto& p : pairs_) {
    if (p->state == pair_state::frozen && same_foundation(*p, succeeded)) {
      set_state(*p, pair_state::waiting, "its foundation succeeded");
    }
  }
}

void check_list::trigger(pair& which) {
  if (std::find(triggered_.begin(), triggered_.end(), which.id) == triggered_.end()) {
    triggered_.push_back(which.id);
  }
}

pair* check_list::take_triggered() {
  while (!triggered_.empty()) {
    pair* const next = find(triggered_.front());
    triggered_.erase(triggered_.begin());
    if (next != nullptr) return next;
  }
  return nullptr;
}

pair* check_list::next_ordinary() {
  for (const auto state : {pair_state::waiting, pair_state::frozen}) {
    for (const auto& p : pairs_) {
      if (p->state == state) return p.get();
    }
  }
  return nullptr;
}

bool check_list::has_ordinary() const {
  return std::any_of(pairs_.begin(), pairs_.end(), [](const auto& p) {
    return p->state == pair_state::waiting || p->state == pair_state::frozen;
  });
}

bool check_list::has_undecided() const {
  return std::any_of(pairs_.begin(), pairs_.end(), [](const auto& p) { return p->undecided(); });
}

bool check_list::has_undecided_above(const pair& which) const {
  return std::any_of(pairs_.begin(), pairs_.end(),
                     [&](const auto& p) { return p->undecided() && p->priority > which.priority; });
}

pair* check_list::best_valid() const {
  const auto found =
      std::find_if(pairs_.begin(), pairs_.end(), [](const auto& p) { return p->valid; });
  return found == pairs_.end() ? nullptr : found->get();
}

bool check_list::all_refused() const {
  return std::all_of(pairs_.begin(), pairs_.end(), [](const auto& each) { return each->refused; });
}

std::string check_list::describe_failures() const {
  std::map<std::string_view, std::size_t> counts;
  std::size_t failed = 0;
  for (const auto& p : pairs_) {
    if (p->state != pair_state::failed) continue;
    ++counts[p->failure];
    ++failed;
  }
  std::string text;
  for (const auto& [why, count] : counts) {
    text += (text.empty() ? "" : ", ") + std::to_string(count) + " " + std::string(why);
  }
  // A lite agent's pairs may all be fine, and none of them chosen.
  if (failed == 0) return "none was nominated";
  return std::to_string(failed) + " failed (" + text + ")";
}

}  // namespace asiortc::ice

#include "turn/peers.hpp"

#include "turn/channel_data.hpp"

#include <algorithm>

namespace asiortc::turn {
namespace {

template <class Entries, class Is>
auto* find_entry(Entries& entries, Is is) {
  const auto found = std::find_if(entries.begin(), entries.end(), is);
  return found == entries.end() ? nullptr : &*found;
}

}  // namespace

permission* peer_table::find(const base::ip_address& address) {
  return find_entry(permissions_, [&](const permission& p) { return p.address == address; });
}

channel* peer_table::find(const base::endpoint& peer) {
  return find_entry(channels_, [&](const channel& c) { return c.peer == peer; });
}

channel* peer_table::find(std::uint16_t number) {
  return find_entry(channels_, [=](const channel& c) { return c.number == number; });
}

permission* peer_table::add(base::time_point now, const base::ip_address& address) {
  if (permissions_.size() == max_permissions) {
    // What was refused is remembered only to spare the server; it gives way.
    const auto refused = std::find_if(permissions_.begin(), permissions_.end(), [](const auto& p) {
      return p.now == permission::status::refused;
    });
    if (refused == permissions_.end()) return nullptr;
    permissions_.erase(refused);
  }
  permission added;
  added.address = address;
  added.last_used = now;
  return &permissions_.emplace_back(std::move(added));
}

channel* peer_table::add(base::time_point now, const base::endpoint& peer) {
  if (channels_.size() == max_channels) return nullptr;
  channel added;
  added.peer = peer;
  added.number = free_number();
  added.last_used = now;
  return &channels_.emplace_back(added);
}

std::uint16_t peer_table::free_number() {
  // There are sixteen times as many numbers as channels.
  do {
    last_number_ = last_number_ < first_channel || last_number_ == last_channel
                       ? first_channel
                       : static_cast<std::uint16_t>(last_number_ + 1);
  } while (find(last_number_) != nullptr);
  return last_number_;
}

bool peer_table::in_use(base::time_point now, const permission& which) const {
  const auto recent = [&](base::time_point used) { return now - used < permission_lifetime; };
  return recent(which.last_used) ||
         std::any_of(channels_.begin(), channels_.end(), [&](const channel& c) {
           return c.peer.address == which.address && recent(c.last_used);
         });
}

base::time_point peer_table::next_deadline() const {
  base::time_point next = base::never;
  for (const auto& p : permissions_) next = std::min({next, p.ask_at, p.expires_at});
  for (const auto& c : channels_) next = std::min({next, c.ask_at, c.expires_at});
  return next;
}

void peer_table::clear() {
  permissions_.clear();
  channels_.clear();
}

}  // namespace asiortc::turn

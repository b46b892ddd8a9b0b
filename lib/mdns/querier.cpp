#include "mdns/querier.hpp"

#include "mdns/message.hpp"

#include <algorithm>
#include <utility>

namespace asiortc::mdns {
namespace {

using namespace std::chrono_literals;

// When the queries of one name are sent, from its start. RFC 6762 5.2 wants a second between the
// first two of a continuous query; this one ends with the first answer, and a peer's set-up waits
// for it, so the first losses (frequent for multicast over radio) are mended sooner.
constexpr std::array<base::duration, 5> schedule{0ms, 100ms, 400ms, 1s, 3s};
constexpr base::duration timeout = 5s;

/// RFC 6762 10.1: a record of TTL zero says goodbye. The others can be no one's address.
bool usable(const address_record& record) {
  return record.ttl != 0 && !record.address.is_unspecified() && !record.address.is_multicast();
}

std::vector<base::ip_address> addresses_of(const message& message, std::string_view name) {
  std::vector<base::ip_address> found;
  for (const auto& record : message.addresses) {
    if (record.name != name || !usable(record)) continue;
    if (std::find(found.begin(), found.end(), record.address) != found.end()) continue;
    if (found.size() < querier::max_addresses) found.push_back(record.address);
  }
  std::stable_partition(found.begin(), found.end(), [](const auto& a) { return a.is_v6(); });
  return found;
}

}  // namespace

resolution_id querier::resolve(base::time_point now, std::string_view text) {
  const resolution_id id{++last_id_};
  std::string name = canonical_name(text);
  const auto known = names_.find(name);
  const bool refused = !is_local_name(name) || !valid_name(name) || wish_count_ >= max_wishes ||
                       (known == names_.end() && names_.size() >= max_names);
  if (refused) {
    log_(log_level::warning, [] { return "refused to resolve a name"; });
    events_.push_back({id, {}});
    return id;
  }
  ++wish_count_;
  if (known != names_.end()) {
    known->second.wishes.push_back(id);
    return id;
  }
  auto& pending = names_[name];
  pending.started = now;
  pending.wishes.push_back(id);
  ask(name, pending);
  return id;
}

void querier::cancel(resolution_id id) {
  std::erase_if(events_, [&](const resolution& event) { return event.id == id; });
  for (auto it = names_.begin(); it != names_.end(); ++it) {
    const auto removed = std::erase(it->second.wishes, id);
    if (removed == 0) continue;
    wish_count_ -= removed;
    if (it->second.wishes.empty()) names_.erase(it);
    return;
  }
}

void querier::handle_datagram(base::time_point, base::byte_span data, const base::endpoint& from) {
  // RFC 6762 6: responses "where the source UDP port is not 5353" are silently ignored.
  if (from.port != port || names_.empty()) return;
  const auto message = parse_message(data);
  if (!message || !message->response) return;
  for (const auto& record : message->addresses) {
    const auto it = names_.find(record.name);
    if (it == names_.end()) continue;
    auto addresses = addresses_of(*message, it->first);
    if (!addresses.empty()) finish(it, std::move(addresses));
  }
}

void querier::handle_timeout(base::time_point now) {
  for (auto it = names_.begin(); it != names_.end();) {
    auto& pending = it->second;
    if (pending.next > now) {
      ++it;
    } else if (now - pending.started >= timeout) {
      it = finish(it, {});
    } else {
      ask(it->first, pending);
      ++it;
    }
  }
}

base::time_point querier::next_deadline() const {
  base::time_point earliest = base::never;
  for (const auto& [name, pending] : names_) earliest = std::min(earliest, pending.next);
  return earliest;
}

std::optional<base::bytes> querier::poll_transmit() {
  if (transmits_.empty()) return std::nullopt;
  auto query = std::move(transmits_.front());
  transmits_.pop_front();
  return query;
}

std::optional<resolution> querier::poll_event() {
  if (events_.empty()) return std::nullopt;
  auto event = std::move(events_.front());
  events_.pop_front();
  return event;
}

bool querier::idle() const { return names_.empty() && transmits_.empty() && events_.empty(); }

void querier::ask(const std::string& name, pending_name& pending) {
  // One question a message: browsers' responders ignore a query that has two.
  for (const auto type : {record_type::a, record_type::aaaa}) {
    message query;
    query.questions.push_back({name, type, false});
    transmits_.push_back(write_message(query));
  }
  ++pending.queries_sent;
  pending.next =
      pending.started +
      (pending.queries_sent < schedule.size() ? schedule[pending.queries_sent] : timeout);
}

querier::name_map::iterator querier::finish(name_map::iterator it,
                                            std::vector<base::ip_address> addresses) {
  log_(log_level::debug, [&] {
    return it->first + (addresses.empty() ? std::string(" was not answered for")
                                          : " is " + addresses.front().to_string());
  });
  for (const auto id : it->second.wishes) events_.push_back({id, addresses});
  wish_count_ -= it->second.wishes.size();
  return names_.erase(it);
}

}  // namespace asiortc::mdns

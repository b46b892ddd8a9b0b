#include "mdns/responder.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace asiortc::mdns {
namespace {

using namespace std::chrono_literals;

constexpr std::uint32_t ttl = 120;  // RFC 6762 10: for records with a host name, in seconds
// RFC 6762 6.7: the TTL in answers to plain DNS queries "SHOULD NOT be greater than ten seconds".
constexpr std::uint32_t legacy_ttl = 10;

// A question that comes so soon after an answer crossed it on its way: who asked has it already.
// Such are the questions for A and AAAA, over IPv4 and IPv6, which all have one answer.
constexpr base::duration crossing = 50ms;

record_type type_of(const base::ip_address& address) {
  return address.is_v6() ? record_type::aaaa : record_type::a;
}

message make_reply(const std::string& name, const base::ip_address& address,
                   std::uint32_t lifetime) {
  message reply;
  reply.response = true;
  reply.addresses.push_back({name, address, lifetime, true});
  // So that nobody waits for an address of the other family.
  if (lifetime != 0) reply.sole_types.push_back({name, type_of(address), lifetime});
  return reply;
}

/// RFC 6762 6.7: for a plain DNS client, which knows nothing of mDNS.
message make_legacy_reply(const std::string& name, const base::ip_address& address,
                          const message& query, const question& asked) {
  message reply;
  reply.response = true;
  reply.id = query.id;
  reply.questions.push_back({asked.name, asked.type, false});
  reply.addresses.push_back({name, address, legacy_ttl, false});
  return reply;
}

/// RFC 6762 7.1: the query carries the answer "with an RR TTL at least half the correct value".
bool knows(const message& query, const std::string& name, const base::ip_address& address) {
  return std::any_of(query.addresses.begin(), query.addresses.end(), [&](const auto& known) {
    return known.name == name && known.address == address && known.ttl >= ttl / 2;
  });
}

}  // namespace

std::string make_random_name(base::random_source& random) {
  std::array<std::uint8_t, 16> octets{};
  random.fill(octets);
  octets[6] = static_cast<std::uint8_t>((octets[6] & 0x0f) | 0x40);  // RFC 9562 4.2: version 4
  octets[8] = static_cast<std::uint8_t>((octets[8] & 0x3f) | 0x80);  // RFC 9562 4.1: variant
  constexpr std::string_view digits = "0123456789abcdef";
  std::string name;
  for (std::size_t i = 0; i < octets.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) name += '-';
    name += digits[octets[i] >> 4];
    name += digits[octets[i] & 0x0f];
  }
  return name + ".local";
}

void responder::add(std::string name, const base::ip_address& address, unsigned interface) {
  entry added;
  added.address = address;
  added.interface = interface;
  names_.insert_or_assign(std::move(name), added);
}

void responder::remove(base::time_point now, std::string_view name) {
  const auto it = names_.find(name);
  if (it == names_.end()) return;
  const auto& told = it->second.multicast_at;
  // RFC 6762 10.1: a record of TTL zero takes it out of caches.
  if (told && now - *told < std::chrono::seconds(ttl)) {
    const auto goodbye = make_reply(it->first, it->second.address, 0);
    transmits_.push_back({write_message(goodbye), it->second.interface, std::nullopt});
  }
  names_.erase(it);
}

void responder::handle_datagram(base::time_point now, base::byte_span data,
                                const base::endpoint& from, unsigned interface, bool on_link) {
  if (names_.empty()) return;
  const auto query = parse_message(data);
  if (!query || query->response) return;
  for (const auto& asked : query->questions) {
    const auto it = names_.find(asked.name);
    if (it == names_.end()) continue;
    if (it->second.interface != 0 && it->second.interface != interface) continue;
    answer(now, *it, *query, asked, from, on_link);
  }
}

void responder::answer(base::time_point now, name_map::value_type& own, const message& query,
                       const question& asked, const base::endpoint& from, bool on_link) {
  auto& [name, of] = own;
  if (from.port != port) {
    if (!on_link) return;  // it takes no answer by multicast, and no other may leave the link
    if (asked.type != type_of(of.address) && asked.type != record_type::any) return;
    return unicast(now, of, make_legacy_reply(name, of.address, query, asked), from);
  }
  if (knows(query, name, of.address)) return;
  // RFC 6762 5.4: a unicast answer is for what was multicast "within one quarter of its TTL".
  const bool recent = of.multicast_at && now - *of.multicast_at < std::chrono::seconds(ttl / 4);
  // RFC 6762 11: to a source that is not of the link "by multicast regardless".
  if (asked.unicast_response && recent && on_link) {
    return unicast(now, of, make_reply(name, of.address, ttl), from);
  }
  if (!of.multicast_at || now - *of.multicast_at >= multicast_gap) {
    multicast(now, own);
  } else if (now - *of.multicast_at >= crossing) {
    of.due = *of.multicast_at + multicast_gap;
  }
}

void responder::multicast(base::time_point now, name_map::value_type& own) {
  auto& [name, of] = own;
  log_(log_level::debug, [&] { return "answers for " + own.first; });
  of.multicast_at = now;
  of.due = base::never;
  transmits_.push_back(
      {write_message(make_reply(name, of.address, ttl)), of.interface, std::nullopt});
}

void responder::unicast(base::time_point now, entry& of, const message& reply,
                        const base::endpoint& to) {
  if (now - of.unicast_second >= 1s) {
    of.unicast_second = now;
    of.unicasts = 0;
  }
  if (of.unicasts == max_unicasts) return;
  ++of.unicasts;
  transmits_.push_back({write_message(reply), of.interface, to});
}

void responder::handle_timeout(base::time_point now) {
  for (auto& own : names_) {
    if (own.second.due <= now) multicast(now, own);
  }
}

base::time_point responder::next_deadline() const {
  base::time_point earliest = base::never;
  for (const auto& [name, of] : names_) earliest = std::min(earliest, of.due);
  return earliest;
}

std::optional<response> responder::poll_transmit() {
  if (transmits_.empty()) return std::nullopt;
  auto next = std::move(transmits_.front());
  transmits_.pop_front();
  return next;
}

}  // namespace asiortc::mdns

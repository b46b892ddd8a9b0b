#include "ice/remote_candidates.hpp"

#include <algorithm>
#include <string>

namespace asiortc::ice {
namespace {

base::failure refused(errc code, const char* why) {
  return {make_error_code(code), std::string("remote candidate: ") + why};
}

base::result<void> check_usable(const candidate& remote) {
  if (remote.protocol == transport_protocol::tcp && remote.tcp != tcp_type::passive) {
    return refused(errc::not_supported, "of TCP only passive ones can be checked");
  }
  // RFC 8834 4.5 and BUNDLE leave one component.
  if (remote.component != 1) return refused(errc::not_supported, "not component 1");
  if (!remote.host_name.empty()) return refused(errc::not_supported, "a name without an address");
  const base::ip_address& address = remote.address.address;
  if (address.is_unspecified() || address.is_multicast() || remote.address.port == 0) {
    return refused(errc::type_error, "nothing can be sent to its address");
  }
  return {};
}

}  // namespace

std::shared_ptr<candidate> remote_candidates::find_mutable(const base::endpoint& address,
                                                           transport_protocol protocol) const {
  const auto found = std::find_if(all_.begin(), all_.end(), [&](const auto& known) {
    return known->address == address && known->protocol == protocol;
  });
  return found == all_.end() ? nullptr : *found;
}

std::shared_ptr<const candidate> remote_candidates::find(const base::endpoint& address,
                                                         transport_protocol protocol) const {
  return find_mutable(address, protocol);
}

base::result<remote_candidates::change> remote_candidates::add(const candidate& signalled) {
  candidate remote = signalled;
  remote.address.address = remote.address.address.unmapped();
  if (auto usable = check_usable(remote); !usable) return usable.error();
  if (const auto known = find_mutable(remote.address, remote.protocol)) {
    if (known->type != candidate_type::peer_reflexive) return change::none;
    remote.number = known->number;
    *known = std::move(remote);
    return change::merged;
  }
  if (all_.size() >= limit_) return refused(errc::limit_reached, "there are too many");
  remote.number = ++last_number_;
  all_.push_back(std::make_shared<candidate>(std::move(remote)));
  return change::added;
}

std::shared_ptr<const candidate> remote_candidates::learn(const base::endpoint& from,
                                                          std::uint32_t priority,
                                                          const candidate& at) {
  if (auto known = find(from, at.protocol)) return known;
  if (all_.size() >= limit_) return nullptr;
  auto learnt = std::make_shared<candidate>();
  learnt->type = candidate_type::peer_reflexive;
  learnt->address = from;
  learnt->protocol = at.protocol;
  if (at.tcp == tcp_type::passive) learnt->tcp = tcp_type::active;
  if (at.tcp == tcp_type::active) learnt->tcp = tcp_type::passive;
  learnt->priority = priority;
  // RFC 8445 7.3.1.3: "an arbitrary value, different from the foundations of all other remote
  // candidates"; a slash and a dot never meet in a signalled one.
  learnt->foundation = "/." + std::to_string(++learnt_);
  learnt->number = ++last_number_;
  all_.push_back(learnt);
  return learnt;
}

void remote_candidates::forget(const base::endpoint& from) {
  std::erase(all_, find_mutable(from, transport_protocol::tcp));
}

}  // namespace asiortc::ice

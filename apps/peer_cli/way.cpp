#include "way.hpp"

#include <sstream>

namespace peer_cli {
namespace {

std::string way_of(const asiortc::candidate_pair& pair) {
  for (const auto& end : {pair.local, pair.remote}) {
    if (end.type != asiortc::candidate_type::relayed) continue;
    return "relayed via " + end.address + " port " + std::to_string(end.port) + ", ";
  }
  return pair.local.protocol == "tcp" ? "tcp, " : "direct udp, ";
}

}  // namespace

std::string describe(const asiortc::candidate_pair& pair) { return way_of(pair) + to_string(pair); }

std::optional<asiortc::candidate_pair> pair_in_use(
    const std::vector<asiortc::candidate_pair_info>& table) {
  for (const auto& row : table) {
    if (!row.selected) continue;
    asiortc::candidate_pair pair;
    pair.local = row.local;
    pair.remote = row.remote;
    pair.round_trip_time = row.round_trip_time;
    return pair;
  }
  return std::nullopt;
}

std::string describe_candidate(const std::string& candidate) {
  std::istringstream words(candidate);
  std::string foundation, component, protocol, priority, address, port, typ, type;
  words >> foundation >> component >> protocol >> priority >> address >> port >> typ >> type;
  return type + " " + address + " port " + port + " (" + protocol + ")";
}

}  // namespace peer_cli

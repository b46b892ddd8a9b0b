// How a connection is carried, in words.
#pragma once

#include <asiortc/candidate_pair.hpp>

#include <optional>
#include <string>
#include <vector>

namespace peer_cli {

/// Directly, through a relay or over TCP, then the pair with its round trip where that is known.
std::string describe(const asiortc::candidate_pair& pair);

/// The row of the table that data goes over.
std::optional<asiortc::candidate_pair> pair_in_use(
    const std::vector<asiortc::candidate_pair_info>& table);

/// `host 10.0.0.1 port 5000 (udp)` for a candidate as signaling carries it (RFC 8839 5.1).
std::string describe_candidate(const std::string& candidate);

}  // namespace peer_cli

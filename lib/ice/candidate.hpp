// ICE candidates and their text form (RFC 8445 5.1, RFC 8839 5.1).
#pragma once

#include "base/endpoint.hpp"
#include "base/packet.hpp"
#include "base/result.hpp"

#include <asiortc/candidate_pair.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace asiortc::ice {

enum class transport_protocol : std::uint8_t { udp, tcp };

/// RFC 6544 4.5: who opens the connection. Simultaneous open is parsed and not used.
enum class tcp_type : std::uint8_t { none, active, passive, simultaneous_open };

/// As in SDP; empty for none.
std::string_view to_string(tcp_type type);

struct candidate {
  std::string foundation;
  std::uint16_t component = 1;
  transport_protocol protocol = transport_protocol::udp;
  std::uint32_t priority = 0;
  base::endpoint address;
  /// Set instead of an address where the peer hides it (`….local`) or gave a DNS name.
  std::string host_name;
  candidate_type type = candidate_type::host;
  std::optional<base::endpoint> related;
  tcp_type tcp = tcp_type::none;
  std::string ufrag;  ///< the generation, where the text names it
  std::vector<std::pair<std::string, std::string>> extensions;

  // What the text does not tell.
  std::uint64_t number = 0;         ///< names it among those of its side in an agent
  std::string url;                  ///< of the server that gave it, where it is ours
  std::string_view relay_protocol;  ///< how that server is reached, where it is relayed
  bool is_hidden = false;           ///< its side told a name in place of the address

  bool operator==(const candidate&) const = default;
};

/// Parses `candidate:…`, with or without the leading `a=` or `candidate:`. A malformed text is
/// `syntax_error` and says which field; an unknown type or protocol is `not_supported`, which
/// callers ignore (RFC 8839 5.1).
base::result<candidate> parse_candidate(std::string_view text);

/// `candidate:…` with the extension attributes in order.
std::string to_string(const candidate& candidate);

}  // namespace asiortc::ice

// Multicast DNS messages (RFC 6762 18, RFC 1035 4.1), as far as addresses of hosts need them.
#pragma once

#include "base/bytes.hpp"
#include "base/endpoint.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace asiortc::mdns {

inline constexpr std::uint16_t port = 5353;  // RFC 6762 3: "UDP port 5353"

// RFC 6762 17: "a Multicast DNS packet … MUST NOT exceed 9000 bytes", headers included.
inline constexpr std::size_t max_message_size = 9000;

enum class record_type : std::uint16_t {
  a = 1,      // RFC 1035 3.2.2
  aaaa = 28,  // RFC 3596 2.1
  any = 255,  // RFC 1035 3.2.3
};

struct question {
  std::string name;  ///< lower case, labels joined by dots, no dot at the end
  record_type type = record_type::a;
  bool unicast_response = false;  ///< RFC 6762 5.4: the QU bit

  bool operator==(const question&) const = default;
};

/// An A or AAAA record.
struct address_record {
  std::string name;
  base::ip_address address;
  std::uint32_t ttl = 120;  // RFC 6762 10: records with a host name "SHOULD use … 120 seconds"
  bool cache_flush = true;  ///< RFC 6762 10.2

  bool operator==(const address_record&) const = default;
};

/// An NSEC record as RFC 6762 6.1 has it: of all types of records, the name has this one alone.
struct sole_type_record {
  std::string name;
  record_type type = record_type::a;
  std::uint32_t ttl = 120;

  bool operator==(const sole_type_record&) const = default;
};

struct message {
  std::uint16_t id = 0;
  bool response = false;
  std::vector<question> questions;
  /// Of the answer and the additional section; records of other types and classes are skipped.
  std::vector<address_record> addresses;
  /// Written to the additional section, and skipped when parsed, as the querier has no use for it.
  std::vector<sole_type_record> sole_types;

  bool operator==(const message&) const = default;
};

/// Nothing for what is malformed. Questions of other types than `record_type` are skipped.
std::optional<message> parse_message(base::byte_span data);

/// Names must satisfy `valid_name`. Repeated names are compressed (RFC 1035 4.1.4).
base::bytes write_message(const message& message);

/// One to 63 bytes a label, 255 in all (RFC 1035 2.3.4), no dot at the end, nothing unprintable.
bool valid_name(std::string_view name);
/// Ends with `.local`, a dot at the end allowed (RFC 6762 3).
bool is_local_name(std::string_view name);
/// Lower case in ASCII (RFC 6762 16: names compare case-insensitively), without a dot at the end.
std::string canonical_name(std::string_view name);

}  // namespace asiortc::mdns

// Session descriptions as a structure (RFC 8866), without any policy.
#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace asiortc::sdp {

/// `a=name` or `a=name:value`.
struct attribute {
  std::string name;
  std::optional<std::string> value;

  bool operator==(const attribute&) const = default;
};

/// What stands at session level and in each m-section: attributes in their order, known or not, so
/// that a parse and a write give the same bytes back.
struct attribute_list {
  std::vector<attribute> items;

  [[nodiscard]] const attribute* find(std::string_view name) const;
  [[nodiscard]] bool has(std::string_view name) const { return find(name) != nullptr; }
  /// The value of the first of that name; empty view for a flag, nothing if absent.
  [[nodiscard]] std::optional<std::string_view> value(std::string_view name) const;
  [[nodiscard]] std::vector<std::string_view> values(std::string_view name) const;
  void add(std::string name);
  void add(std::string name, std::string value);
  /// Replaces the first of that name in place, or adds it.
  void set(std::string name, std::string value);
  void remove(std::string_view name);

  bool operator==(const attribute_list&) const = default;
};

/// A line other than `m=` and `a=`, e.g. `c=IN IP4 0.0.0.0`.
struct line {
  char type = 0;
  std::string value;

  bool operator==(const line&) const = default;
};

/// One m-section (RFC 8866 5.14).
struct media {
  std::string kind;  ///< "application", "audio", …
  std::uint16_t port = 9;
  std::optional<std::uint32_t> port_count;
  std::string protocol;  ///< "UDP/DTLS/SCTP", …
  std::string formats;   ///< the rest of the m-line
  std::vector<line> lines;
  attribute_list attributes;

  bool operator==(const media&) const = default;
};

struct description {
  std::vector<line> lines;  ///< v, o, s, t and the others of the session level, in order
  attribute_list attributes;
  std::vector<media> sections;

  [[nodiscard]] std::string to_string() const;

  bool operator==(const description&) const = default;
};

/// Parses within bounds (1 MiB, 256 sections, 65536 lines). LF alone is tolerated; CRLF is written,
/// after the last line too. A failure is `syntax_error` and its detail names the line number, the
/// line and what was expected.
base::result<description> parse(std::string_view text);

// Values of the attributes that WebRTC uses.

/// `a=setup` (RFC 4145 4).
enum class setup_role { actpass, active, passive, holdconn };
std::optional<setup_role> parse_setup(std::string_view value);
std::string_view to_string(setup_role role);

/// `a=group:BUNDLE a b` (RFC 9143): the mids, in order; nothing if there is no BUNDLE group.
std::optional<std::vector<std::string>> bundle_group(const description& description);

/// `a=candidate` is ice's; `a=fingerprint` is crypto's.

/// An unsigned number within bounds, digits only.
std::optional<std::uint64_t> parse_number(std::string_view text, std::uint64_t maximum);

}  // namespace asiortc::sdp

// Domain names on the wire, with compression (RFC 1035 4.1.4).
#pragma once

#include "base/bytes.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace asiortc::mdns {

/// Reads the name at `position` of the whole message, following pointers, and moves `position`
/// past it. Canonical; nothing when malformed, too long or running in a circle.
std::optional<std::string> read_name(base::byte_span message, std::size_t& position);

/// Writes names of one message and points back to those that it wrote.
class name_writer {
 public:
  explicit name_writer(base::byte_writer& out) : out_(out) {}

  void write(std::string_view name);

 private:
  base::byte_writer& out_;
  std::vector<std::pair<std::string, std::uint16_t>> written_;  // suffixes and where they stand
};

}  // namespace asiortc::mdns

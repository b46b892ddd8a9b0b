#include "mdns/name.hpp"

#include "base/ascii.hpp"
#include "mdns/message.hpp"

#include <algorithm>

namespace asiortc::mdns {
namespace {

constexpr std::size_t max_label = 63;  // RFC 1035 2.3.4: "labels 63 octets or less"
constexpr std::size_t max_name = 255;  // RFC 1035 2.3.4: "names 255 octets or less"
// RFC 1035 4.1.4: a pointer starts with two ones; the other 14 bits are the offset.
constexpr std::uint8_t pointer_mark = 0xc0;
constexpr std::size_t max_pointer = 0x3fff;

}  // namespace

std::optional<std::string> read_name(base::byte_span message, std::size_t& position) {
  std::string name;
  std::size_t at = position;
  // A pointer must lead to before the place where this part of the name began ("a prior
  // occurrence"), so that every name ends.
  std::size_t floor = position;
  bool jumped = false;
  for (;;) {
    if (at >= message.size()) return std::nullopt;
    const std::uint8_t length = message[at];
    if ((length & pointer_mark) == pointer_mark) {
      if (at + 1 >= message.size()) return std::nullopt;
      const std::size_t target = std::size_t{length & 0x3fu} << 8 | message[at + 1];
      if (target >= floor) return std::nullopt;
      if (!jumped) position = at + 2;
      jumped = true;
      floor = at = target;
      continue;
    }
    if (length > max_label) return std::nullopt;
    if (length == 0) break;
    if (at + 1 + length > message.size()) return std::nullopt;
    if (name.size() + length + 2 > max_name) return std::nullopt;
    if (!name.empty()) name += '.';
    for (const std::uint8_t octet : message.subspan(at + 1, length)) {
      // A dot inside a label would make two names look the same here.
      if (octet == '.') return std::nullopt;
      name += base::lower(static_cast<char>(octet));
    }
    at += 1u + length;
  }
  if (!jumped) position = at + 1;
  return name;
}

void name_writer::write(std::string_view name) {
  while (!name.empty()) {
    const auto known = std::find_if(written_.begin(), written_.end(),
                                    [&](const auto& entry) { return entry.first == name; });
    if (known != written_.end()) {
      out_.u16(static_cast<std::uint16_t>(pointer_mark << 8 | known->second));
      return;
    }
    if (out_.size() <= max_pointer) {
      written_.emplace_back(name, static_cast<std::uint16_t>(out_.size()));
    }
    const std::string_view label = name.substr(0, name.find('.'));
    out_.u8(static_cast<std::uint8_t>(label.size()));
    out_.append(base::as_bytes(label));
    name.remove_prefix(std::min(label.size() + 1, name.size()));
  }
  out_.u8(0);
}

bool valid_name(std::string_view name) {
  if (name.empty() || name.size() + 2 > max_name) return false;
  const auto unprintable = [](char c) { return static_cast<unsigned char>(c) <= ' ' || c == 0x7f; };
  if (std::any_of(name.begin(), name.end(), unprintable)) return false;
  for (;;) {
    const auto dot = name.find('.');
    const std::size_t length = std::min(dot, name.size());
    if (length == 0 || length > max_label) return false;
    if (dot == std::string_view::npos) return true;
    name.remove_prefix(dot + 1);
  }
}

std::string canonical_name(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  std::string result(name);
  std::transform(result.begin(), result.end(), result.begin(), base::lower);
  return result;
}

bool is_local_name(std::string_view name) {
  constexpr std::string_view domain = ".local";
  if (name.ends_with('.')) name.remove_suffix(1);
  return name.size() > domain.size() && canonical_name(name).ends_with(domain);
}

}  // namespace asiortc::mdns

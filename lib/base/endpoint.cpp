#include "base/endpoint.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <charconv>

namespace asiortc::base {
namespace {

template <class Integer>
std::optional<Integer> parse_number(std::string_view text) {
  Integer value{};
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (ec != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

constexpr std::array<std::uint8_t, 12> mapped_prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

}  // namespace

ip_address ip_address::v4(const std::array<std::uint8_t, 4>& octets) {
  ip_address address;
  std::copy(octets.begin(), octets.end(), address.octets_.begin());
  return address;
}

ip_address ip_address::v6(const std::array<std::uint8_t, 16>& octets, std::uint32_t scope_id) {
  ip_address address;
  address.octets_ = octets;
  address.scope_id_ = scope_id;
  address.is_v6_ = true;
  return address;
}

std::optional<ip_address> ip_address::parse(std::string_view text) {
  ip_address address;
  const auto percent = text.find('%');
  if (percent != std::string_view::npos) {
    const auto scope = parse_number<std::uint32_t>(text.substr(percent + 1));
    if (!scope) return std::nullopt;
    address.scope_id_ = *scope;
    text = text.substr(0, percent);
  }
  // inet_pton would stop at an embedded NUL and accept what stands before it.
  if (text.size() >= INET6_ADDRSTRLEN || text.find('\0') != std::string_view::npos) {
    return std::nullopt;
  }
  const std::string terminated(text);
  if (inet_pton(AF_INET, terminated.c_str(), address.octets_.data()) == 1) {
    if (percent != std::string_view::npos) return std::nullopt;
    return address;
  }
  address.is_v6_ = true;
  if (inet_pton(AF_INET6, terminated.c_str(), address.octets_.data()) == 1) return address;
  return std::nullopt;
}

bool ip_address::is_loopback() const {
  if (is_v4()) return octets_[0] == 127;
  return std::all_of(octets_.begin(), octets_.end() - 1, [](auto o) { return o == 0; }) &&
         octets_[15] == 1;
}

bool ip_address::is_link_local() const {
  if (is_v4()) return octets_[0] == 169 && octets_[1] == 254;
  return octets_[0] == 0xfe && (octets_[1] & 0xc0) == 0x80;
}

bool ip_address::is_unspecified() const {
  return std::all_of(octets_.begin(), octets_.end(), [](auto o) { return o == 0; });
}

bool ip_address::is_multicast() const {
  return is_v4() ? (octets_[0] & 0xf0) == 0xe0 : octets_[0] == 0xff;
}

bool ip_address::is_private() const {
  if (is_v6()) return (octets_[0] & 0xfe) == 0xfc;
  return octets_[0] == 10 || (octets_[0] == 172 && (octets_[1] & 0xf0) == 16) ||
         (octets_[0] == 192 && octets_[1] == 168);
}

ip_address ip_address::unmapped() const {
  if (!is_v6_ || !std::equal(mapped_prefix.begin(), mapped_prefix.end(), octets_.begin())) {
    return *this;
  }
  return v4({octets_[12], octets_[13], octets_[14], octets_[15]});
}

std::string ip_address::to_string() const {
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(is_v6_ ? AF_INET6 : AF_INET, octets_.data(), text.data(), text.size());
  return text.data();
}

std::optional<endpoint> endpoint::parse(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto port = parse_number<std::uint16_t>(text.substr(colon + 1));
  std::string_view host = text.substr(0, colon);
  const bool bracketed = host.size() >= 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  const auto address = ip_address::parse(host);
  if (!port || !address || address->is_v6() != bracketed) return std::nullopt;
  return endpoint{*address, *port};
}

std::string endpoint::to_string() const {
  const std::string host = address.to_string();
  return (address.is_v6() ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

}  // namespace asiortc::base

std::size_t std::hash<asiortc::base::ip_address>::operator()(
    const asiortc::base::ip_address& address) const noexcept {
  // FNV-1a; the tables keyed by it are bounded, so flooding one bucket costs at most a short scan.
  std::size_t value = 14695981039346656037ULL;
  for (const auto octet : address.octets()) value = (value ^ octet) * 1099511628211ULL;
  return value ^ address.scope_id();
}

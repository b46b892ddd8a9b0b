#include "stun/address_codec.hpp"

#include <algorithm>

namespace asiortc::stun {
namespace {

// RFC 8489 14.1: "0x01:IPv4", "0x02:IPv6".
constexpr std::uint8_t family_v4 = 1;
constexpr std::uint8_t family_v6 = 2;

using mask_octets = std::array<std::uint8_t, 16>;

/// RFC 8489 14.2: the cookie, and for IPv6 "the concatenation of the magic cookie and the
/// 96-bit transaction ID".
mask_octets xor_mask(const transaction_id& id) {
  mask_octets mask{0x21, 0x12, 0xA4, 0x42};
  std::copy(id.begin(), id.end(), mask.begin() + 4);
  return mask;
}

template <std::size_t Size>
std::array<std::uint8_t, Size> masked(base::byte_span octets, const mask_octets& mask) {
  std::array<std::uint8_t, Size> out{};
  for (std::size_t i = 0; i < Size; ++i) out[i] = octets[i] ^ mask[i];
  return out;
}

std::optional<base::endpoint> read_masked(base::byte_span value, const mask_octets& mask) {
  base::byte_reader reader(value);
  reader.u8();
  const std::uint8_t family = reader.u8();
  const auto port = static_cast<std::uint16_t>(reader.u16() ^ (mask[0] << 8 | mask[1]));
  const base::byte_span octets = reader.rest();
  if (!reader.ok()) return std::nullopt;
  if (family == family_v4 && octets.size() == 4) {
    return base::endpoint{base::ip_address::v4(masked<4>(octets, mask)), port};
  }
  if (family == family_v6 && octets.size() == 16) {
    return base::endpoint{base::ip_address::v6(masked<16>(octets, mask)), port};
  }
  return std::nullopt;
}

void write_masked(base::byte_writer& out, const base::endpoint& address, const mask_octets& mask) {
  out.u8(0);
  out.u8(address.address.is_v4() ? family_v4 : family_v6);
  out.u16(static_cast<std::uint16_t>(address.port ^ (mask[0] << 8 | mask[1])));
  const base::byte_span octets = address.address.octets();
  for (std::size_t i = 0; i < octets.size(); ++i) out.u8(octets[i] ^ mask[i]);
}

}  // namespace

std::optional<base::endpoint> read_address(base::byte_span value) { return read_masked(value, {}); }

void write_address(base::byte_writer& out, const base::endpoint& address) {
  write_masked(out, address, {});
}

std::optional<base::endpoint> read_xor_address(base::byte_span value, const transaction_id& id) {
  return read_masked(value, xor_mask(id));
}

void write_xor_address(base::byte_writer& out, const base::endpoint& address,
                       const transaction_id& id) {
  write_masked(out, address, xor_mask(id));
}

}  // namespace asiortc::stun

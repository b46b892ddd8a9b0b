#include "stun/crc32.hpp"

#include <array>

namespace asiortc::stun {
namespace {

constexpr std::array<std::uint32_t, 256> make_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t octet = 0; octet < 256; ++octet) {
    std::uint32_t value = octet;
    for (int bit = 0; bit < 8; ++bit) {
      value = (value & 1) != 0 ? (value >> 1) ^ 0xEDB88320U : value >> 1;
    }
    table[octet] = value;
  }
  return table;
}

constexpr auto table = make_table();

}  // namespace

std::uint32_t crc32(base::byte_span data) {
  std::uint32_t value = ~0U;
  for (const std::uint8_t octet : data) value = (value >> 8) ^ table[(value ^ octet) & 0xFF];
  return ~value;
}

}  // namespace asiortc::stun

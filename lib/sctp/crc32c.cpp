#include "sctp/crc32c.hpp"

#include "sctp/wire.hpp"

#include <array>
#include <cassert>
#include <cstddef>
#include <cstring>

#if defined(__x86_64__) && defined(__GNUC__)
#include <nmmintrin.h>
#define ASIORTC_CRC32C_SSE42 1
#endif

namespace asiortc::sctp {
namespace {

// RFC 9260 appendix A: the polynomial 0x11EDC6F41, here with its bits reflected.
constexpr std::uint32_t polynomial = 0x82f63b78;
constexpr std::size_t checksum_offset = 8;

using table = std::array<std::uint32_t, 256>;

constexpr table make_byte_table() {
  table result{};
  for (std::uint32_t value = 0; value < 256; ++value) {
    std::uint32_t crc = value;
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (polynomial & (0U - (crc & 1U)));
    result[value] = crc;
  }
  return result;
}

// [k][b] is the effect of byte b followed by k zero bytes: eight bytes are looked up at once.
constexpr std::array<table, 8> make_slices() {
  std::array<table, 8> result{};
  result[0] = make_byte_table();
  for (std::size_t k = 1; k < 8; ++k) {
    for (std::size_t value = 0; value < 256; ++value) {
      const std::uint32_t before = result[k - 1][value];
      result[k][value] = before >> 8 ^ result[0][before & 0xff];
    }
  }
  return result;
}

constexpr std::array<table, 8> slices = make_slices();

constexpr std::uint32_t add_byte(std::uint32_t state, std::uint8_t octet) {
  return state >> 8 ^ slices[0][(state ^ octet) & 0xff];
}

std::uint32_t update_portable(std::uint32_t state, const std::uint8_t* data, std::size_t size) {
  for (; size >= 8; data += 8, size -= 8) {
    std::uint32_t next = 0;
    for (std::size_t i = 0; i < 4; ++i) {
      next ^= slices[7 - i][(state >> (8 * i) ^ data[i]) & 0xff] ^ slices[3 - i][data[4 + i]];
    }
    state = next;
  }
  for (; size > 0; ++data, --size) state = add_byte(state, *data);
  return state;
}

#ifdef ASIORTC_CRC32C_SSE42

// The instruction takes three cycles and starts one a cycle, so three pieces of a block are summed
// side by side and joined after.
constexpr std::size_t piece_size = 128;

// What `piece_size` zero bytes make of a state, by the state's four bytes: summing is linear, so
// the effect of each bit is found once and the others are sums of these.
constexpr std::array<table, 4> make_shift() {
  std::array<std::uint32_t, 32> of_bit{};
  for (std::size_t bit = 0; bit < 32; ++bit) {
    std::uint32_t state = 1U << bit;
    for (std::size_t i = 0; i < piece_size; ++i) state = add_byte(state, 0);
    of_bit[bit] = state;
  }
  std::array<table, 4> result{};
  for (std::size_t octet = 0; octet < 4; ++octet) {
    for (std::size_t value = 0; value < 256; ++value) {
      for (std::size_t bit = 0; bit < 8; ++bit) {
        if ((value >> bit & 1) != 0) result[octet][value] ^= of_bit[8 * octet + bit];
      }
    }
  }
  return result;
}

constexpr std::array<table, 4> shift_table = make_shift();

std::uint32_t shift_piece(std::uint64_t state) {
  return shift_table[0][state & 0xff] ^ shift_table[1][state >> 8 & 0xff] ^
         shift_table[2][state >> 16 & 0xff] ^ shift_table[3][state >> 24 & 0xff];
}

std::uint64_t load_word(const std::uint8_t* data) {
  std::uint64_t word = 0;
  std::memcpy(&word, data, sizeof word);
  return word;
}

__attribute__((target("sse4.2"))) std::uint32_t update_sse42(std::uint32_t start,
                                                             const std::uint8_t* data,
                                                             std::size_t size) {
  std::uint64_t state = start;
  for (; size >= 3 * piece_size; data += 3 * piece_size, size -= 3 * piece_size) {
    std::uint64_t second = 0;
    std::uint64_t third = 0;
    for (std::size_t i = 0; i < piece_size; i += 8) {
      state = _mm_crc32_u64(state, load_word(data + i));
      second = _mm_crc32_u64(second, load_word(data + piece_size + i));
      third = _mm_crc32_u64(third, load_word(data + 2 * piece_size + i));
    }
    state = shift_piece(state) ^ second;
    state = shift_piece(state) ^ third;
  }
  for (; size >= 8; data += 8, size -= 8) state = _mm_crc32_u64(state, load_word(data));
  auto result = static_cast<std::uint32_t>(state);
  for (; size > 0; ++data, --size) result = _mm_crc32_u8(result, *data);
  return result;
}

#endif

using update_function = std::uint32_t (*)(std::uint32_t, const std::uint8_t*, std::size_t);

update_function best_update() {
#ifdef ASIORTC_CRC32C_SSE42
  if (__builtin_cpu_supports("sse4.2")) return update_sse42;
#endif
  return update_portable;
}

const update_function update = best_update();

// RFC 9260 6.8: computed with the checksum field "set to all '0's".
std::uint32_t packet_checksum(base::byte_span packet) {
  constexpr std::array<std::uint8_t, 4> zeros{};
  std::uint32_t state = update(~0U, packet.data(), checksum_offset);
  state = update(state, zeros.data(), zeros.size());
  const base::byte_span rest = packet.subspan(common_header_size);
  return ~update(state, rest.data(), rest.size());
}

}  // namespace

std::uint32_t crc32c(base::byte_span data) { return ~update(~0U, data.data(), data.size()); }

std::uint32_t crc32c_portable(base::byte_span data) {
  return ~update_portable(~0U, data.data(), data.size());
}

void write_checksum(base::mutable_byte_span packet) {
  assert(packet.size() >= common_header_size);
  const std::uint32_t value = packet_checksum(packet);
  // Appendix A: the reflected remainder goes out with its least significant byte first.
  for (std::size_t i = 0; i < 4; ++i) {
    packet[checksum_offset + i] = static_cast<std::uint8_t>(value >> (8 * i));
  }
}

bool checksum_is_right(base::byte_span packet) {
  if (packet.size() < common_header_size) return false;
  const std::uint32_t value = packet_checksum(packet);
  for (std::size_t i = 0; i < 4; ++i) {
    if (packet[checksum_offset + i] != static_cast<std::uint8_t>(value >> (8 * i))) return false;
  }
  return true;
}

}  // namespace asiortc::sctp

#include "sctp/crc32c.hpp"

#include <doctest/doctest.h>

#include <random>

namespace asiortc::sctp {

TEST_CASE("CRC32c gives the check value and the vectors of RFC 3720 B.4") {
  CHECK(crc32c(base::as_bytes("123456789")) == 0xe3069283);
  CHECK(crc32c(base::bytes(32, 0x00)) == 0x8a9136aa);
  CHECK(crc32c(base::bytes(32, 0xff)) == 0x62a8ab43);
  base::bytes rising(32);
  for (std::size_t i = 0; i < rising.size(); ++i) rising[i] = static_cast<std::uint8_t>(i);
  CHECK(crc32c(rising) == 0x46dd794e);
  CHECK(crc32c({}) == 0);
}

TEST_CASE("CRC32c by the instruction equals CRC32c by tables for every length and alignment") {
  std::mt19937 random(7);
  base::bytes data(2500);
  for (auto& octet : data) octet = static_cast<std::uint8_t>(random());
  for (std::size_t size = 0; size <= 2400; size += size < 800 ? 1 : 37) {
    const base::byte_span piece = base::byte_span(data).subspan(size % 9, size);
    REQUIRE(crc32c(piece) == crc32c_portable(piece));
  }
}

TEST_CASE("a packet's checksum is right after it was written and wrong after any bit changed") {
  base::bytes packet(1184);
  for (std::size_t i = 0; i < packet.size(); ++i) packet[i] = static_cast<std::uint8_t>(i * 31);
  write_checksum(packet);
  CHECK(checksum_is_right(packet));
  for (std::size_t at = 0; at < packet.size(); at += 13) {
    packet[at] ^= 0x10;
    CHECK_FALSE(checksum_is_right(packet));
    packet[at] ^= 0x10;
  }
  CHECK_FALSE(checksum_is_right(base::byte_span(packet).first(11)));
}

}  // namespace asiortc::sctp

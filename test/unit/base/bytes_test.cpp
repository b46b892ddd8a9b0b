#include "base/bytes.hpp"

#include <doctest/doctest.h>

#include <array>

using namespace asiortc::base;

TEST_CASE("byte_reader takes integers in network order") {
  const std::array<std::uint8_t, 15> data{1, 0, 2, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 4};
  byte_reader reader(data);
  CHECK(reader.u8() == 1);
  CHECK(reader.u16() == 2);
  CHECK(reader.u32() == 3);
  CHECK(reader.u64() == 4);
  CHECK(reader.ok());
  CHECK(reader.remaining() == 0);
}

TEST_CASE("byte_reader fails for good at the first read past the end") {
  const std::array<std::uint8_t, 3> data{1, 2, 3};
  byte_reader reader(data);
  CHECK(reader.u32() == 0);
  CHECK_FALSE(reader.ok());
  CHECK(reader.u8() == 0);
  CHECK(reader.take(1).empty());
  CHECK_FALSE(reader.ok());
}

TEST_CASE("byte_writer writes what byte_reader reads, and patches lengths") {
  bytes out;
  byte_writer writer(out);
  writer.u16(0);
  writer.u64(0x0102030405060708);
  writer.append(as_bytes("ab"));
  writer.zeros(2);
  writer.patch_u16(0, 0xfffe);
  byte_reader reader(out);
  CHECK(reader.u16() == 0xfffe);
  CHECK(reader.u64() == 0x0102030405060708);
  CHECK(as_text(reader.take(2)) == "ab");
  CHECK(reader.u16() == 0);
  CHECK(reader.ok());
}

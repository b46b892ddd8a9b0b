#include "sctp/send_ledger.hpp"

#include <doctest/doctest.h>

namespace asiortc::sctp {
namespace {

base::bytes header() { return base::bytes(12, 0); }

void add_data(base::bytes& packet, std::uint32_t tsn, std::uint16_t stream, std::size_t size) {
  base::byte_writer out(packet);
  out.u8(0);
  out.u8(3);
  out.u16(static_cast<std::uint16_t>(16 + size));
  out.u32(tsn);
  out.u16(stream);
  out.u16(0);
  out.u32(53);
  out.zeros((size + 3) / 4 * 4);
}

base::bytes data_packet(std::uint32_t tsn, std::uint16_t stream, std::size_t size) {
  base::bytes packet = header();
  add_data(packet, tsn, stream, size);
  return packet;
}

base::bytes sack_packet(std::uint32_t cumulative_tsn) {
  base::bytes packet = header();
  base::byte_writer out(packet);
  out.u8(3);
  out.u8(0);
  out.u16(16);
  out.u32(cumulative_tsn);
  out.u32(65536);
  out.u32(0);
  return packet;
}

}  // namespace

TEST_CASE("the ledger settles streams by cumulative SACKs, across the wrap of TSNs") {
  send_ledger ledger;
  ledger.queued(stream_id{1}, 30);
  ledger.queued(stream_id{2}, 5);
  base::bytes packet = header();
  add_data(packet, 0xffffffff, 1, 10);
  add_data(packet, 0, 2, 5);
  ledger.packet_out(packet);
  ledger.packet_out(data_packet(1, 1, 20));
  ledger.packet_in(sack_packet(0xffffffff));
  CHECK(ledger.unacknowledged(stream_id{1}) == 20);
  CHECK(ledger.unacknowledged(stream_id{2}) == 5);
  ledger.packet_in(sack_packet(1));
  CHECK(ledger.unacknowledged() == 0);
  const auto settled = ledger.take_settled();
  std::size_t total = 0;
  for (const auto& part : settled) total += part.bytes;
  CHECK(total == 35);
  CHECK(ledger.take_settled().empty());
}

TEST_CASE("the ledger counts a retransmission once and an old SACK not at all") {
  send_ledger ledger;
  ledger.queued(stream_id{0}, 40);
  ledger.packet_out(data_packet(7, 0, 20));
  ledger.packet_out(data_packet(8, 0, 20));
  ledger.packet_out(data_packet(7, 0, 20));
  ledger.packet_in(sack_packet(7));
  ledger.packet_in(sack_packet(6));
  CHECK(ledger.unacknowledged() == 20);
}

TEST_CASE("the ledger never settles more than was queued, whatever a peer acknowledges") {
  send_ledger ledger;
  ledger.queued(stream_id{0}, 10);
  ledger.packet_out(data_packet(1, 0, 500));
  ledger.packet_in(sack_packet(0x7fffffff));
  CHECK(ledger.unacknowledged() == 0);
  ledger.never_sent(stream_id{0}, 99);
  ledger.never_sent(stream_id{9}, 99);
  CHECK(ledger.unacknowledged() == 0);
  ledger.packet_in(base::bytes{1, 2, 3});
  ledger.packet_out(header());
}

TEST_CASE("a stream that was reset owes nothing") {
  send_ledger ledger;
  ledger.queued(stream_id{4}, 10);
  ledger.forget(stream_id{4});
  CHECK(ledger.unacknowledged() == 0);
  REQUIRE(ledger.take_settled().size() == 1);
}

}  // namespace asiortc::sctp

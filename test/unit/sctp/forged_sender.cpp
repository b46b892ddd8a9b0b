#include "forged_sender.hpp"

#include "sctp/crc32c.hpp"
#include "sctp/wire.hpp"
#include "virtual_time.hpp"

namespace asiortc::test {
namespace {

/// RFC 9260 3.2.
constexpr auto init = static_cast<sctp::chunk_type>(1);
/// RFC 9260 3.3.2: behind the tag, the window and two counts of streams.
constexpr std::size_t initial_tsn_at = 12;

void put(base::bytes& packet, std::uint32_t value, int octets) {
  for (int at = octets - 1; at >= 0; --at) {
    packet.push_back(static_cast<std::uint8_t>(value >> (8 * at)));
  }
}

}  // namespace

forged_sender::forged_sender(pair& ends) : ends_(ends) {
  ends.tap = [this](bool from_a, base::bytes& packet) {
    if (from_a) learn(packet);
  };
}

void forged_sender::learn(base::byte_span packet) {
  bool is_init = false;
  sctp::for_each_chunk(packet, [&](const sctp::chunk& part) {
    if (part.type != init) return;
    is_init = true;
    base::byte_reader body(part.body.subspan(initial_tsn_at));
    first_tsn_ = body.u32();
  });
  // An INIT has no verification tag yet.
  if (!is_init) header_.assign(packet.begin(), packet.begin() + sctp::common_header_size);
}

void forged_sender::send(const fragment& piece) {
  base::bytes packet = header_;
  const std::uint32_t flags = (piece.unordered ? 4U : 0U) | (piece.begins ? 2U : 0U) | piece.ends;
  put(packet, flags, 2);
  put(packet, static_cast<std::uint32_t>(16 + piece.size), 2);
  put(packet, first_tsn_ + sent_++, 4);
  put(packet, piece.stream, 2);
  put(packet, 0, 2);  // the stream sequence number
  put(packet, static_cast<std::uint32_t>(sctp::ppid::binary), 4);
  packet.resize(packet.size() + (piece.size + 3) / 4 * 4, std::uint8_t{7});
  sctp::write_checksum(packet);
  base::packet_batch incoming;
  incoming.append(packet);
  auto& receiver = *ends_.b.association;
  receiver.handle_packets(virtual_now(), incoming);
  ends_.b.poll();
  base::packet_batch answers;
  receiver.poll_packets(answers);
  for (const auto& answer : answers.entries()) {
    sctp::for_each_chunk(answers.view(answer), [&](const sctp::chunk& part) {
      if (part.type != sctp::chunk_type::sack) return;
      base::byte_reader body(part.body);
      cumulative_ = body.u32();
      window_ = body.u32();
    });
  }
}

}  // namespace asiortc::test

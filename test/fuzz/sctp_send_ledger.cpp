// The accounting beside the engine, from packets that nothing has verified.
#include "sctp/send_ledger.hpp"

#include <algorithm>
#include <cstdlib>

using namespace asiortc;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  sctp::send_ledger ledger;
  base::byte_reader reader({data, size});
  std::size_t queued = 0;
  std::size_t settled = 0;
  while (reader.remaining() > 0) {
    const std::uint8_t operation = reader.u8();
    const sctp::stream_id stream{reader.u16()};
    const std::size_t bytes = reader.u16();
    switch (operation % 5) {
      case 0:
        ledger.queued(stream, bytes);
        queued += bytes;
        break;
      case 1:
        ledger.packet_out(reader.take(std::min(bytes % 200, reader.remaining())));
        break;
      case 2:
        ledger.packet_in(reader.take(std::min(bytes % 200, reader.remaining())));
        break;
      case 3:
        ledger.never_sent(stream, bytes);
        break;
      default:
        ledger.forget(stream);
        break;
    }
    for (const auto& part : ledger.take_settled()) settled += part.bytes;
    if (ledger.unacknowledged() + settled != queued) std::abort();
  }
  ledger.settle_all();
  if (ledger.unacknowledged() != 0) std::abort();
  return 0;
}

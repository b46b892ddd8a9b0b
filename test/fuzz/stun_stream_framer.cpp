// A stream is cut wherever the input says; what comes out must not depend on where.
#include "stun/stream_framer.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <vector>

using namespace asiortc;

namespace {

constexpr std::size_t largest = 600;

void require(bool condition) {
  if (!condition) std::abort();
}

struct outcome {
  std::vector<base::bytes> packets;
  bool broken = false;

  bool operator==(const outcome&) const = default;
};

template <class Framer>
outcome follow(Framer framer, base::byte_span stream, std::size_t step) {
  outcome result;
  for (std::size_t at = 0; at < stream.size(); at += step) {
    framer.feed(stream.subspan(at, std::min(step, stream.size() - at)));
    while (const auto packet = framer.next()) {
      result.packets.emplace_back(packet->begin(), packet->end());
    }
  }
  result.broken = framer.broken();
  return result;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::size_t step = 1 + data[0];
  const base::byte_span stream(data + 1, size - 1);

  const auto messages = follow(stun::message_framer(largest), stream, stream.size());
  require(messages == follow(stun::message_framer(largest), stream, step));
  for (const auto& packet : messages.packets) {
    require(packet.size() >= 4 && packet.size() <= largest);
    require(packet[0] <= 0x4F);
  }

  const auto framed = follow(stun::rfc4571_framer{}, stream, stream.size());
  require(framed == follow(stun::rfc4571_framer{}, stream, step));
  require(!framed.broken);
  base::bytes written;
  for (const auto& packet : framed.packets) stun::rfc4571_framer::write(written, packet);
  require(written.size() <= stream.size());
  require(written.empty() || framed == follow(stun::rfc4571_framer{}, written, written.size()));
  return 0;
}

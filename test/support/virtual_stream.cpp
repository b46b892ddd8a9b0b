#include "support/virtual_stream.hpp"

#include <algorithm>
#include <chrono>

namespace asiortc::test {
namespace {

// What a segment that is lost takes longer: about TCP's RTO on such a path (RFC 6298 2).
constexpr base::duration resent_after = std::chrono::milliseconds(300);

}  // namespace

void virtual_stream::write(base::time_point now, base::byte_span bytes) {
  constexpr std::uint64_t thousand = 1000;
  const std::uint64_t fate = random_.u64();
  const bool lost = static_cast<double>(fate % thousand) < conditions_.loss * thousand;
  const base::time_point arrival =
      now + conditions_.delay + (lost ? resent_after : base::duration{});
  const std::size_t cut = fate / thousand % (bytes.size() + 1);
  // What stands before the cut, or has been sent before, is not held up by what is lost behind it.
  append(now + conditions_.delay, bytes.first(cut));
  append(arrival, bytes.subspan(cut));
}

void virtual_stream::append(base::time_point arrival, base::byte_span piece) {
  last_arrival_ = std::max(last_arrival_, arrival);
  in_flight_.emplace(last_arrival_, base::bytes(piece.begin(), piece.end()));
}

}  // namespace asiortc::test

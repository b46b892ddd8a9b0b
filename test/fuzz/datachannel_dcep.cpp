// An OPEN that parses is written, and what was written parses to the same.
#include "datachannel/dcep.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace dcep = asiortc::datachannel::dcep;
  const auto parsed = dcep::parse_open({data, size});
  if (!parsed) return 0;
  if (dcep::type_of({data, size}) != dcep::message_type::open) std::abort();
  if (parsed->init.max_retransmits && parsed->init.max_packet_life_time) std::abort();
  const auto bytes = dcep::write(*parsed);
  if (bytes.size() > size || dcep::parse_open(bytes) != parsed) std::abort();
  return 0;
}

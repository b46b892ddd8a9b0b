// Any bytes parse or do not; what parses is written and parsed back to the same message.
#include "mdns/message.hpp"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace asiortc;
  const auto message = mdns::parse_message({data, size});
  if (!message) return 0;
  const auto printable = [](const std::string& name) { return mdns::valid_name(name); };
  for (const auto& question : message->questions) {
    if (!printable(question.name)) return 0;
  }
  for (const auto& record : message->addresses) {
    if (!printable(record.name)) return 0;
  }
  if (mdns::parse_message(mdns::write_message(*message)) != message) std::abort();
  return 0;
}

// A description that parses is written, and what was written parses to the same.
#include "base/bytes.hpp"
#include "sdp/description.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <utility>

namespace {

using namespace asiortc;

void require(bool holds) {
  if (!holds) std::abort();
}

/// Every name of the list is found, changed and removed.
void edit(sdp::attribute_list list) {
  while (!list.items.empty()) {
    const sdp::attribute first = list.items.front();
    require(list.has(first.name) && list.values(first.name).front() == list.value(first.name));
    list.set(first.name, "another");
    require(list.value(first.name) == "another");
    list.remove(first.name);
    require(!list.has(first.name) && !list.value(first.name) && list.values(first.name).empty());
    if (first.value) {
      const auto number = sdp::parse_number(*first.value, 100'000);
      require(!number || *number <= 100'000);
    }
  }
  list.set("name", "value");
  list.add("flag");
  require(list.items.size() == 2 && list.value("name") == "value" && list.value("flag") == "");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto parsed = sdp::parse(base::as_text({data, size}));
  if (!parsed) return 0;
  const auto again = sdp::parse(parsed->to_string());
  require(again && *again == *parsed);
  if (const auto bundled = sdp::bundle_group(*parsed)) {
    for (const auto& mid : *bundled) require(!mid.empty() && mid.find(' ') == std::string::npos);
  }
  for (const auto value : parsed->attributes.values("setup")) {
    const auto role = sdp::parse_setup(value);
    require(!role || sdp::to_string(*role) == value);
  }
  edit(std::move(parsed->attributes));
  for (auto& section : parsed->sections) edit(std::move(section.attributes));
  return 0;
}

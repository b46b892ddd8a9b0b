// Any bytes through the decoders; what is understood must survive being written and read again.
#include "base/bytes.hpp"
#include "signaling/codec.hpp"
#include "signaling/json_object.hpp"
#include "signaling/json_slice.hpp"
#include "signaling/peer_data.hpp"
#include "signaling/url.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>

namespace sig = asiortc::signaling;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

/// The bytes of each member must say what the parser has found, where no number was too large.
void check_slices(std::string_view text) {
  const auto whole = sig::parse_object(text);
  if (!whole.value || !sig::json::accept(text)) return;
  int checked = 0;
  for (const auto& [field, value] : whole.value->items()) {
    if (++checked > 8) break;
    const auto slice = sig::json::parse(sig::member_text(text, field), nullptr, false);
    require(slice == value);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = asiortc::base::as_text({data, size});
  if (const auto message = sig::decode_client_message(text); message.value) {
    const std::string once = sig::encode(*message.value);
    const auto again = sig::decode_client_message(once);
    require(again.value && sig::encode(*again.value) == once);
  } else {
    require(!message.complaint.empty());
  }
  if (const auto message = sig::decode_server_message(text); message.value) {
    const std::string once = sig::encode(*message.value);
    const auto again = sig::decode_server_message(once);
    require(again.value && sig::encode(*again.value) == once);
  }
  check_slices(text);
  if (const auto value = sig::decode_peer_data(std::string(text))) {
    const auto again = sig::decode_peer_data(sig::encode_peer_data(*value));
    require(again && *again == *value);
  }
  sig::websocket_url url;
  if (!sig::websocket_url::parse(text, url)) require(!url.host.empty() && url.port != 0);
  return 0;
}

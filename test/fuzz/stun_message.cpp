// A STUN message is read and, where it is well-formed, written again attribute by attribute.
#include "stun/message_builder.hpp"
#include "stun/message_view.hpp"

#include <cstdint>
#include <cstdlib>

using namespace asiortc;

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

void look_at_everything(const stun::message_view& message) {
  using stun::attribute_type;
  for (unsigned type = 0; type < 0x40; ++type) {
    (void)message.find_u32(static_cast<attribute_type>(type));
    (void)message.find_u64(static_cast<attribute_type>(type));
    (void)message.find_text(static_cast<attribute_type>(type));
  }
  (void)message.error();
  (void)message.mapped_address();
  require(message.unknown_required().count <= 16);
  (void)message.verify_integrity(base::as_bytes("VOkJxbRl1RmTxUk/WvJxBt"));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto message = stun::message_view::parse({data, size});
  if (!message) return 0;
  look_at_everything(*message);

  stun::message_builder builder(message->kind(), message->method(), message->transaction());
  message->for_each([&](const stun::attribute_view& attribute) {
    builder.add(static_cast<stun::attribute_type>(attribute.type), attribute.value);
  });
  if (const auto mapped = message->mapped_address()) {
    builder.add_xor_address(stun::attribute_type::xor_mapped_address, *mapped);
    builder.add_address(stun::attribute_type::mapped_address, *mapped);
  }
  if (const auto error = message->error()) builder.add_error(error->code, error->reason);
  if (builder.bytes().size() > 60000) return 0;
  const auto key = base::as_bytes("key");
  builder.add_integrity(key).add_integrity_sha256(key).add_fingerprint();

  const auto again = stun::message_view::parse(builder.bytes());
  require(again.has_value());
  require(again->kind() == message->kind() && again->method() == message->method());
  require(again->transaction() == message->transaction());
  require(again->mapped_address() == message->mapped_address());
  require(again->verify_integrity(key));
  require(again->has_fingerprint());
  return 0;
}

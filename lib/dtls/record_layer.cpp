#include "dtls/record_layer.hpp"

#include <openssl/err.h>

namespace asiortc::dtls {
namespace {

// There is one handshake, so one epoch with keys (RFC 6347 4.1).
constexpr std::uint16_t epoch_with_keys = 1;

}  // namespace

std::optional<record_layer> record_layer::make(const key_block& keys, bool is_client,
                                               write_position from) {
  using direction = record_cipher::direction;
  auto sealing = record_cipher::make(keys.kind, is_client ? keys.client_write : keys.server_write,
                                     direction::seal);
  auto opening = record_cipher::make(keys.kind, is_client ? keys.server_write : keys.client_write,
                                     direction::open);
  if (!sealing || !opening) return std::nullopt;
  return record_layer(std::move(*sealing), std::move(*opening), from);
}

std::size_t record_layer::sealed_size(std::size_t plain_size) const {
  return record_header_size + plain_size + sealing_.overhead();
}

bool record_layer::seal(content_type type, base::byte_span plain, base::packet_batch& out) {
  const std::size_t size = seal(type, plain, out.allocate(sealed_size(plain.size())));
  if (size == 0) return false;
  out.commit(size);
  return true;
}

std::size_t record_layer::seal(content_type type, base::byte_span plain,
                               base::mutable_byte_span room) {
  if (exhausted() || plain.size() > longest_plain_record) return 0;
  const std::size_t body_size = plain.size() + sealing_.overhead();
  const auto header = room.first(record_header_size);
  put_record_header(header, type, epoch_with_keys, next_.sequence, body_size);
  // Counted even if the sealing fails: a nonce is used once.
  ++next_.sequence;
  const bool sealed =
      sealing_.seal(header, plain, room.subspan(record_header_size, body_size), next_.nonce_offset);
  return sealed ? record_header_size + body_size : 0;
}

std::optional<opened_record> record_layer::open(const record& sealed, base::packet_batch& room) {
  const std::size_t overhead = opening_.overhead();
  if (sealed.epoch != epoch_with_keys || sealed.version != dtls_1_2 ||
      sealed.body.size() < overhead || sealed.body.size() > longest_plain_record + overhead ||
      !seen_.is_fresh(sealed.sequence)) {
    return std::nullopt;
  }
  const auto content = room.allocate(sealed.body.size() - overhead);
  if (!opening_.open(sealed.header(), sealed.body, content)) {
    ERR_clear_error();
    return std::nullopt;
  }
  seen_.accept(sealed.sequence);
  return opened_record{sealed.type, content};
}

}  // namespace asiortc::dtls

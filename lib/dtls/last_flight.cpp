#include "dtls/last_flight.hpp"

namespace asiortc::dtls {
namespace {

// RFC 5246 7.1: "The message consists of a single byte of value 1."
constexpr std::size_t change_cipher_spec_size = record_header_size + 1;

}  // namespace

std::optional<last_flight> last_flight::of(const written_records& written, const key_block& keys) {
  base::byte_span rest = written.finished();
  const auto sealed = take_record(rest);
  auto cipher = record_cipher::make(keys.kind, keys.server_write, record_cipher::direction::open);
  if (!sealed || !cipher || sealed->body.size() <= cipher->overhead()) return std::nullopt;
  last_flight found;
  found.finished_.resize(sealed->body.size() - cipher->overhead());
  found.next_in_clear_ = written.next(0);
  if (!cipher->open(sealed->header(), sealed->body, found.finished_)) return std::nullopt;
  return found;
}

void last_flight::repeat(record_layer& records, base::packet_batch& out) {
  if (next_in_clear_ > last_sequence) return;
  const auto room = out.allocate(change_cipher_spec_size + records.sealed_size(finished_.size()));
  put_record_header(room, content_type::change_cipher_spec, 0, next_in_clear_, 1);
  room[record_header_size] = 1;
  const std::size_t size =
      records.seal(content_type::handshake, finished_, room.subspan(change_cipher_spec_size));
  if (size == 0) return;
  ++next_in_clear_;
  out.commit(change_cipher_spec_size + size);
}

}  // namespace asiortc::dtls

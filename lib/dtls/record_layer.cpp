#include "dtls/record_layer.hpp"

#include <openssl/err.h>

namespace asiortc::dtls {

bool record_layer::seal(base::byte_span plain, base::packet_batch& out) {
  if (plain.empty() || plain.size() > longest_plain_) return false;
  restore_buffers();
  bio_.redirect(&out);
  const int written = SSL_write(ssl_, plain.data(), static_cast<int>(plain.size()));
  bio_.redirect(nullptr);
  if (written > 0) return true;
  ERR_clear_error();
  return false;
}

open_result record_layer::open(base::byte_span datagram, base::packet_batch& plain) {
  bio_.give(datagram);
  has_buffers_ = true;
  bool found = false;
  while (true) {
    // No record's content is longer than the datagram that carried it.
    const base::mutable_byte_span room = plain.allocate(datagram.size());
    const int size = SSL_read(ssl_, room.data(), static_cast<int>(room.size()));
    if (size > 0) {
      plain.commit(static_cast<std::size_t>(size));
      found = true;
      continue;
    }
    bio_.give({});
    // SSL_get_error would look at the thread's whole error queue for each packet; this does not.
    // An SSL that failed is in its handshake again, and renegotiation is off.
    if (SSL_in_init(ssl_)) return open_result::failed;
    if ((SSL_get_shutdown(ssl_) & SSL_RECEIVED_SHUTDOWN) != 0) return open_result::closed;
    return found ? open_result::ok : open_result::nothing;
  }
}

void record_layer::release_buffers() {
  if (SSL_free_buffers(ssl_) == 1) has_buffers_ = false;
}

void record_layer::restore_buffers() {
  if (has_buffers_) return;
  // OpenSSL's DTLS makes its buffers when it reads, and writes without looking for them.
  bio_.give({});
  std::uint8_t nothing = 0;
  (void)SSL_peek(ssl_, &nothing, 1);
  has_buffers_ = true;
}

}  // namespace asiortc::dtls

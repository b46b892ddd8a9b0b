// Sealing and opening records once the handshake is done; apart from it, so that another record
// layer can take its place.
#pragma once

#include "base/packet.hpp"
#include "dtls/datagram_bio.hpp"

#include <openssl/ssl.h>

namespace asiortc::dtls {

enum class open_result { ok, nothing, closed, failed };

class record_layer {
 public:
  /// Both outlive it. `longest_plain` bounds what one record carries.
  record_layer(SSL* ssl, datagram_bio& bio, std::size_t longest_plain)
      : ssl_(ssl), bio_(bio), longest_plain_(longest_plain) {}

  /// Appends one record to `out`.
  bool seal(base::byte_span plain, base::packet_batch& out);

  /// Opens every record of the datagram; what application data they had goes to `plain`, a packet
  /// a record. `nothing` means that no record carried any: a repetition, an alert or a forgery.
  open_result open(base::byte_span datagram, base::packet_batch& plain);

  /// Gives back the read and write buffers, 19 kB, until the next record.
  void release_buffers();
  /// To be called before OpenSSL writes.
  void restore_buffers();
  [[nodiscard]] bool has_buffers() const { return has_buffers_; }

 private:
  SSL* ssl_;
  datagram_bio& bio_;
  std::size_t longest_plain_;
  bool has_buffers_ = true;
};

}  // namespace asiortc::dtls

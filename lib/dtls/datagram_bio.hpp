// A BIO that keeps the boundaries of datagrams, for OpenSSL's handshake.
#pragma once

#include "base/packet.hpp"
#include "dtls/written_records.hpp"

#include <openssl/bio.h>

namespace asiortc::dtls {

/// OpenSSL reads from it the one datagram given last, and writes into a queue. It outlives the BIO
/// made over it.
class datagram_bio {
 public:
  explicit datagram_bio(std::size_t mtu) : mtu_(mtu) {}
  datagram_bio(const datagram_bio&) = delete;
  datagram_bio& operator=(const datagram_bio&) = delete;

  /// A BIO over this; whoever takes it frees it. Null when there is no memory.
  [[nodiscard]] BIO* make_bio();

  /// The datagram that the next read takes, whole. The bytes must live until then.
  void give(base::byte_span datagram) { incoming_ = datagram; }

  /// Appends what was queued, in as few datagrams as it fits into, and gives the queue's memory
  /// back. OpenSSL writes a flight that it repeats message by message (RFC 6347 4.2.3: "multiple
  /// DTLS messages may be placed in the same" datagram), each of which could be lost by itself.
  void drain(base::packet_batch& out);

  /// All that was written, including what was lost since nobody polled.
  [[nodiscard]] const written_records& written() const { return written_; }

 private:
  static int write(BIO* bio, const char* data, int size);
  static int read(BIO* bio, char* out, int size);
  static long control(BIO* bio, int command, long number, void* pointer);
  static const BIO_METHOD* method();
  static datagram_bio& of(BIO* bio) { return *static_cast<datagram_bio*>(BIO_get_data(bio)); }

  std::size_t mtu_;
  base::byte_span incoming_;
  base::packet_batch queue_;
  written_records written_;
};

}  // namespace asiortc::dtls

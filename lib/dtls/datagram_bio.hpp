// A BIO that keeps the boundaries of datagrams and hands them on without a copy of its own.
#pragma once

#include "base/packet.hpp"

#include <openssl/bio.h>

namespace asiortc::dtls {

/// OpenSSL reads from it the one datagram given last, and writes into a queue or, for as long as
/// it is redirected, straight into somebody's batch. It outlives the BIO made over it.
class datagram_bio {
 public:
  explicit datagram_bio(std::size_t mtu) : mtu_(mtu) {}
  datagram_bio(const datagram_bio&) = delete;
  datagram_bio& operator=(const datagram_bio&) = delete;

  /// A BIO over this; whoever takes it frees it. Null when there is no memory.
  [[nodiscard]] BIO* make_bio();

  /// The datagram that the next read takes, whole. The bytes must live until then.
  void give(base::byte_span datagram) { incoming_ = datagram; }

  /// Writes go to `target` until it is null again.
  void redirect(base::packet_batch* target) { target_ = target; }
  /// Appends what was queued, and gives the queue's memory back.
  void drain(base::packet_batch& out);

 private:
  static int write(BIO* bio, const char* data, int size);
  static int read(BIO* bio, char* out, int size);
  static long control(BIO* bio, int command, long number, void* pointer);
  static const BIO_METHOD* method();
  static datagram_bio& of(BIO* bio) { return *static_cast<datagram_bio*>(BIO_get_data(bio)); }

  std::size_t mtu_;
  base::byte_span incoming_;
  base::packet_batch* target_ = nullptr;
  base::packet_batch queue_;
};

}  // namespace asiortc::dtls

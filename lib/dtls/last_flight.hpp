// The server's ChangeCipherSpec and Finished, for a client that lost them.
#pragma once

#include "base/packet.hpp"
#include "dtls/record_layer.hpp"
#include "dtls/written_records.hpp"

namespace asiortc::dtls {

/// RFC 6347 4.2.4: the node that sends the last flight "MUST respond to a retransmit of the peer's
/// last flight with a retransmit of the last flight". Two records of it are all that takes, so
/// OpenSSL's whole state does not have to wait for that.
class last_flight {
 public:
  /// Out of what OpenSSL wrote as the server; nothing when that was no Finished under these keys.
  static std::optional<last_flight> of(const written_records& written, const key_block& keys);

  /// Appends it again, in new records and one datagram.
  void repeat(record_layer& records, base::packet_batch& out);

 private:
  base::bytes finished_;  // the handshake message
  std::uint64_t next_in_clear_ = 0;
};

}  // namespace asiortc::dtls

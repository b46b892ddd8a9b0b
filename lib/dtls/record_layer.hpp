// The records of epoch 1, sealed and opened by ourselves once the handshake is done.
#pragma once

#include "base/packet.hpp"
#include "dtls/record.hpp"
#include "dtls/record_cipher.hpp"
#include "dtls/replay_window.hpp"
#include "dtls/session_secrets.hpp"

namespace asiortc::dtls {

/// Where the one who wrote records with the same keys before stopped.
struct write_position {
  std::uint64_t sequence = 0;
  /// What an explicit nonce (RFC 5288 3) is more than the record's number. OpenSSL begins anywhere
  /// and counts up with its records; counting on is the one way to never meet a nonce of its.
  std::uint64_t nonce_offset = 0;
};

/// A record that was authentic. Its content lies in the batch's room, not yet a packet.
struct opened_record {
  content_type type = content_type::application_data;
  base::byte_span content;
};

class record_layer {
 public:
  /// Nothing when OpenSSL cannot.
  static std::optional<record_layer> make(const key_block& keys, bool is_client,
                                          write_position from);

  /// Appends one record to `out`. False when the sequence numbers are used up.
  bool seal(content_type type, base::byte_span plain, base::packet_batch& out);
  /// The same over the first bytes of `room`; the record's size, or 0.
  std::size_t seal(content_type type, base::byte_span plain, base::mutable_byte_span room);
  [[nodiscard]] std::size_t sealed_size(std::size_t plain_size) const;

  /// Opens a record into what `room` allocates, where nothing is committed. Nothing when it is of
  /// another epoch or version, was seen already or is a forgery.
  std::optional<opened_record> open(const record& sealed, base::packet_batch& room);

  /// RFC 6347 4.1: "sequence numbers MUST NOT be allowed to wrap", and there is no new handshake.
  [[nodiscard]] bool exhausted() const { return next_.sequence > last_sequence; }

 private:
  record_layer(record_cipher sealing, record_cipher opening, write_position from)
      : sealing_(std::move(sealing)), opening_(std::move(opening)), next_(from) {}

  record_cipher sealing_;
  record_cipher opening_;
  write_position next_;
  replay_window seen_;
};

}  // namespace asiortc::dtls

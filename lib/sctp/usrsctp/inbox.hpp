// Makes events of what an engine socket receives: whole messages, and what its notifications say.
#pragma once

#include "sctp/usrsctp/socket.hpp"

#include <optional>
#include <vector>

namespace asiortc::sctp {

/// What the association does about a notification; all within a session.
class inbox_listener {
 public:
  virtual void on_event(event what) = 0;
  virtual void on_connected(connected what) = 0;
  virtual void on_end(errc reason, const char* why) = 0;
  /// Bytes on the stream were given up before they were sent.
  virtual void on_never_sent(stream_id stream, std::size_t bytes) = 0;
  virtual void on_sender_dry() = 0;
  /// The engine is done with resetting these outgoing streams; an empty list means all.
  virtual void on_outgoing_reset(std::vector<stream_id> streams, bool refused) = 0;

 protected:
  ~inbox_listener() = default;
};

class inbox {
 public:
  inbox(inbox_listener& listener, std::size_t max_message_size)
      : listener_(listener), max_message_size_(max_message_size) {}

  void take(const engine_socket::received& piece);
  /// Nothing more is there: the message that has come last is whole. A notification right behind it
  /// might have said that it is not.
  void tell_whole();

 private:
  void take_data(const engine_socket::received& piece);
  void take_notification(base::byte_span bytes);
  void forget_partial();
  void association_changed(base::byte_span bytes);
  void streams_were_reset(base::byte_span bytes);
  void send_failed(base::byte_span bytes);

  inbox_listener& listener_;
  std::size_t max_message_size_;
  /// A message of which pieces are missing, or which is still to be told; the engine delivers one
  /// message at a time.
  std::optional<message_received> partial_;
  bool whole_ = false;
  bool discarding_ = false;  ///< it, until its end
  bool inside_notification_ = false;
  std::uint16_t incoming_streams_ = 0;
};

}  // namespace asiortc::sctp

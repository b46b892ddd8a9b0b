#include "sctp/usrsctp/inbox.hpp"

#include <usrsctp.h>

#include <cstddef>
#include <cstring>
#include <utility>

namespace asiortc::sctp {
namespace {

/// Reads the fixed part of a notification, if it is that long.
template <class Notification>
bool read_into(Notification& result, base::byte_span bytes) {
  if (bytes.size() < sizeof result) return false;
  std::memcpy(&result, bytes.data(), sizeof result);
  return true;
}

std::vector<stream_id> all_streams(std::uint16_t count) {
  std::vector<stream_id> result;
  result.reserve(count);
  for (std::uint16_t id = 0; id < count; ++id) result.push_back(stream_id{id});
  return result;
}

}  // namespace

void inbox::take(const engine_socket::received& piece) {
  if (!piece.is_notification) {
    tell_whole();
    return take_data(piece);
  }
  // A notification may be larger than the room (it carries an unsent message); its front says all.
  if (!inside_notification_) take_notification(piece.bytes);
  inside_notification_ = !piece.ends;
}

void inbox::take_data(const engine_socket::received& piece) {
  if (!partial_ || partial_->stream != piece.stream) {
    partial_ = message_received{piece.stream, piece.ppid, piece.unordered, {}};
    discarding_ = false;
  }
  base::bytes& payload = partial_->payload;
  if (!discarding_ && payload.size() + piece.bytes.size() > max_message_size_) {
    discarding_ = true;
    payload = {};
    listener_.on_event(message_too_large{piece.stream});
  }
  if (!discarding_) payload.insert(payload.end(), piece.bytes.begin(), piece.bytes.end());
  whole_ = piece.ends;
}

void inbox::tell_whole() {
  if (!std::exchange(whole_, false)) return;
  if (!discarding_) listener_.on_event(std::move(*partial_));
  partial_.reset();
}

void inbox::take_notification(base::byte_span bytes) {
  std::uint16_t type = 0;
  if (bytes.size() < sizeof type) return;
  std::memcpy(&type, bytes.data(), sizeof type);
  // The rest of the message will not come, although the engine gives what there is of it an end:
  // the peer abandoned it (RFC 3758), or the association is over.
  if (type == SCTP_PARTIAL_DELIVERY_EVENT) return forget_partial();
  tell_whole();
  switch (type) {
    case SCTP_ASSOC_CHANGE:
      return association_changed(bytes);
    case SCTP_STREAM_RESET_EVENT:
      return streams_were_reset(bytes);
    case SCTP_SEND_FAILED_EVENT:
      return send_failed(bytes);
    case SCTP_SENDER_DRY_EVENT:
      return listener_.on_sender_dry();
    default:
      return;
  }
}

void inbox::forget_partial() {
  whole_ = false;
  partial_.reset();
}

void inbox::association_changed(base::byte_span bytes) {
  sctp_assoc_change change{};
  if (!read_into(change, bytes)) return;
  switch (change.sac_state) {
    case SCTP_COMM_UP:
      incoming_streams_ = change.sac_inbound_streams;
      return listener_.on_connected({change.sac_inbound_streams, change.sac_outbound_streams});
    case SCTP_COMM_LOST:
      return listener_.on_end(errc::remote_closed, "the association was lost");
    case SCTP_SHUTDOWN_COMP:
      return listener_.on_end(errc::remote_closed, "the peer shut down");
    case SCTP_CANT_STR_ASSOC:
      return listener_.on_end(errc::sctp_failed, "the association could not be set up");
    // A peer that restarts has lost every stream's state, which nothing above could mend.
    case SCTP_RESTART:
      return listener_.on_end(errc::sctp_failed, "the peer restarted");
    default:
      return;
  }
}

void inbox::streams_were_reset(base::byte_span bytes) {
  sctp_stream_reset_event head{};
  if (!read_into(head, bytes)) return;
  std::vector<stream_id> streams;
  const base::byte_span list = bytes.subspan(sizeof(sctp_stream_reset_event));
  for (std::size_t at = 0; at + 2 <= list.size(); at += 2) {
    std::uint16_t id = 0;
    std::memcpy(&id, list.data() + at, sizeof id);
    streams.push_back(stream_id{id});
  }
  const std::uint16_t flags = head.strreset_flags;
  const bool refused = (flags & (SCTP_STREAM_RESET_DENIED | SCTP_STREAM_RESET_FAILED)) != 0;
  if ((flags & SCTP_STREAM_RESET_OUTGOING_SSN) != 0) {
    listener_.on_outgoing_reset(std::move(streams), refused);
  } else if ((flags & SCTP_STREAM_RESET_INCOMING_SSN) != 0 && !refused) {
    // RFC 6525 4.1: no stream listed means all of them.
    if (streams.empty()) streams = all_streams(incoming_streams_);
    listener_.on_event(incoming_streams_reset{std::move(streams)});
  }
}

void inbox::send_failed(base::byte_span bytes) {
  sctp_send_failed_event failed{};
  if (!read_into(failed, bytes)) return;
  // What was sent is settled by the peer's SACK, which also covers what a FORWARD TSN skips.
  if ((failed.ssfe_flags & SCTP_DATA_SENT) != 0) return;
  if (failed.ssfe_length < sizeof(sctp_send_failed_event)) return;
  listener_.on_never_sent(stream_id{failed.ssfe_info.snd_sid},
                          failed.ssfe_length - sizeof(sctp_send_failed_event));
}

}  // namespace asiortc::sctp

#include "sctp/usrsctp/association.hpp"

#include "sctp/crc32c.hpp"
#include "sctp/wire.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <cerrno>
#include <utility>

namespace asiortc::sctp {
namespace {

// Buffers start small and double when they are what limits, up to this.
constexpr std::size_t first_buffer = std::size_t{64} << 10;
constexpr std::size_t max_buffer = std::size_t{1} << 20;
// The receive buffer is to hold what comes in so long, which is beyond any likely round trip.
constexpr base::duration window_interval = std::chrono::seconds(1);
// A window that was opened is not taken back, so receivers may not hold all of the budget.
constexpr std::size_t left_to_senders = library::buffer_budget / 2;

// While paused a reset that waits for messages has so much read, and an eighth of the buffer, which
// usrsctp wants free before it tells the peer; and all of them together so much.
constexpr std::size_t min_pause_step = std::size_t{64} << 10;
constexpr std::size_t max_read_in_pause = std::size_t{1} << 20;
constexpr std::size_t message_overhead = 64;  // of one in memory, besides its bytes

// Packets before connect(): a peer's INIT and its few retransmissions fit many times.
constexpr std::size_t max_early_packets = 32;
constexpr std::size_t max_early_bytes = std::size_t{64} << 10;

// One SACK in a batch says what its predecessors said, but acknowledgements too far apart make the
// sender burst: so many are replaced, which with one SACK every two packets is one for 16.
constexpr std::size_t max_replaced_sacks = 7;

// RFC 6525 4.1 sets no limit; so many fit in any packet, and usrsctp stops at 200.
constexpr std::size_t max_resets_at_once = 128;

}  // namespace

/// One call of the owner: the lock is held, and what was to be logged is logged after it.
class usrsctp_association::turn {
 public:
  explicit turn(usrsctp_association& of) : of_(of) {
    address_owner* const driven = &of;
    session_.emplace(of.library_, driven);
  }
  ~turn() {
    const auto lines = std::exchange(of_.log_lines_, {});
    session_.reset();
    for (const auto& [level, line] : lines) {
      of_.settings_.log(level, [&text = line]() -> std::string_view { return text; });
    }
  }
  turn(const turn&) = delete;
  turn& operator=(const turn&) = delete;

 private:
  usrsctp_association& of_;
  std::optional<library::session> session_;
};

usrsctp_association::usrsctp_association(library& of, const settings& settings, wake_function wake)
    : address_owner(std::move(wake)),
      library_(of),
      settings_(settings),
      socket_(of),
      inbox_(*this, settings.max_receive_message_size) {}

usrsctp_association::~usrsctp_association() {
  const turn held(*this);
  socket_.close();
  give_buffers_back();
}

void usrsctp_association::connect(base::time_point now) {
  const turn held(*this);
  if (state_ != state::idle) return;
  // Timers are set relative to the engine's time, which stands still while nobody ticks.
  library_.advance(now);
  window_start_ = now;
  send_buffer_.size = receive_buffer_.size = first_buffer;
  set_state(state::connecting, "connect");
  const int error = socket_.open(settings_, first_buffer, *this);
  if (error != 0) {
    log(log_level::error, "usrsctp gives no association: errno " + std::to_string(error));
    return end(errc::sctp_failed, "no socket");
  }
  for (const base::bytes& packet : std::exchange(early_packets_, {})) input(packet);
  collect();
}

void usrsctp_association::handle_packets(base::time_point now, const base::packet_batch& packets) {
  const turn held(*this);
  for (const auto& entry : packets.entries()) {
    const base::byte_span packet = packets.view(entry);
    if (state_ == state::idle) {
      keep_early(packet);
    } else {
      input(packet);
    }
  }
  collect();
  widen_window(now);
}

void usrsctp_association::keep_early(base::byte_span packet) {
  if (early_packets_.size() >= max_early_packets ||
      early_bytes_ + packet.size() > max_early_bytes) {
    ++dropped_packets_;
    return;
  }
  early_bytes_ += packet.size();
  early_packets_.emplace_back(packet.begin(), packet.end());
}

void usrsctp_association::input(base::byte_span packet) {
  if (!socket_.is_open()) return;
  if (!checksum_is_right(packet)) {
    ++dropped_packets_;
    log(log_level::debug, "packets dropped so far: " + std::to_string(dropped_packets_));
    return;
  }
  socket_.input(packet);
  ledger_.packet_in(packet);
}

void usrsctp_association::collect() {
  if (paused_) {
    read_while_paused();
  } else {
    read_all();
  }
  inbox_.tell_whole();
  start_resets();
  report_acknowledged();
}

void usrsctp_association::read_all() {
  readable_ = false;
  while (socket_.is_open()) {
    const auto piece = socket_.receive();
    if (!piece) return;
    if (piece->bytes.empty()) return end_of_stream();
    if (!piece->is_notification) received_in_window_ += piece->bytes.size();
    inbox_.take(*piece);
  }
}

void usrsctp_association::read_while_paused() {
  readable_ = false;
  while (socket_.is_open() && (may_read_ > 0 || socket_.next_is_notification())) {
    const auto piece = socket_.receive();
    if (!piece) return;
    if (piece->bytes.empty()) return end_of_stream();
    if (!piece->is_notification) {
      const std::size_t cost = piece->bytes.size() + message_overhead;
      may_read_ -= std::min(may_read_, cost);
      read_in_pause_ += cost;
    }
    inbox_.take(*piece);
  }
}

void usrsctp_association::end_of_stream() {
  inbox_.tell_whole();
  end(errc::remote_closed, "the peer shut down");
}

// A reset waits for messages that the closed window keeps away. To read some opens it.
void usrsctp_association::read_on_for_reset() {
  if (!paused_) return;
  const std::size_t step = min_pause_step + receive_buffer_.size / 8;
  may_read_ = std::min(step, max_read_in_pause - std::min(read_in_pause_, max_read_in_pause));
}

void usrsctp_association::report_acknowledged() {
  const auto settled = ledger_.take_settled();
  for (const acknowledged& part : settled) tell(part);
  if (settled.empty() || state_ == state::closed) return;
  const std::size_t left = ledger_.unacknowledged();
  if (left == 0) give_send_buffer_back();
  // One that is larger than the buffer goes when there is nothing else in it.
  if (!blocked_size_ || (left != 0 && left + *blocked_size_ > send_buffer_.size)) return;
  blocked_size_.reset();
  tell(writable{});
}

void usrsctp_association::widen_window(base::time_point now) {
  if (received_in_window_ >= receive_buffer_.size &&
      grow(receive_buffer_, receive_buffer_.size * 2, left_to_senders)) {
    socket_.set_receive_buffer(receive_buffer_.size);
    received_in_window_ = 0;
  }
  if (now - window_start_ < window_interval) return;
  window_start_ = now;
  received_in_window_ = 0;
}

bool usrsctp_association::grow(buffer& which, std::size_t size, std::size_t leaving) {
  const std::size_t more = size - which.size;
  if (!socket_.is_open() || size > max_buffer || !library_.reserve(more, leaving)) return false;
  which.size = size;
  which.reserved += more;
  return true;
}

bool usrsctp_association::make_room_for(std::size_t size) {
  const std::size_t more = size - send_buffer_.size;
  if (library_.reserve(more)) {
    send_buffer_.reserved += more;
  } else if (ledger_.unacknowledged() != 0) {
    return false;
  }
  // Beyond the budget a message goes alone: it is in memory anyway, and was promised to go.
  send_buffer_.size = size;
  socket_.set_send_buffer(size);
  return true;
}

// Else those that were busy once would hold the budget for ever, against those that are now.
void usrsctp_association::give_send_buffer_back() {
  if (send_buffer_.size <= first_buffer) return;
  library_.give_back(send_buffer_.reserved);
  send_buffer_ = {first_buffer, 0};
  socket_.set_send_buffer(first_buffer);
}

void usrsctp_association::give_buffers_back() {
  library_.give_back(send_buffer_.reserved + receive_buffer_.reserved);
  send_buffer_ = receive_buffer_ = {};
}

base::result<bool> usrsctp_association::send(base::time_point, const send_options& options,
                                             base::byte_span payload) {
  assert(!payload.empty());
  const turn held(*this);
  if (state_ == state::closed) return base::failure(end_reason_);
  if (state_ == state::idle || resetting_.contains(options.stream)) {
    return base::failure(errc::invalid_state);
  }
  return try_send(options, payload);
}

base::result<bool> usrsctp_association::try_send(const send_options& options,
                                                 base::byte_span payload) {
  // usrsctp takes a message whole if the buffer could hold it, so the buffer is made to fit.
  if (payload.size() > send_buffer_.size && !make_room_for(payload.size())) {
    blocked_size_ = payload.size();
    return false;
  }
  if ((options.max_retransmits || options.lifetime) && !watches_dry_) {
    watches_dry_ = true;
    socket_.watch_for_dry();
  }
  int error = socket_.send(options, payload);
  if (error == EWOULDBLOCK && grow(send_buffer_, send_buffer_.size * 2)) {
    socket_.set_send_buffer(send_buffer_.size);
    error = socket_.send(options, payload);
  }
  if (error == EWOULDBLOCK) {
    blocked_size_ = payload.size();
    return false;
  }
  if (error != 0) return send_failure(error);
  ledger_.queued(options.stream, payload.size());
  return true;
}

base::failure usrsctp_association::send_failure(int error) const {
  switch (error) {
    case EINVAL:
      return {make_error_code(errc::invalid_state), "the stream is not open"};
    case EMSGSIZE:
      return errc::message_too_large;
    case ENOMEM:
    case ENOBUFS:
      return errc::limit_reached;
    default:
      return errc::sctp_failed;
  }
}

void usrsctp_association::pause_receive(bool paused) {
  const turn held(*this);
  if (std::exchange(paused_, paused) == paused) return;
  may_read_ = read_in_pause_ = 0;
  if (!paused) collect();
}

void usrsctp_association::abort(base::time_point) {
  const turn held(*this);
  if (state_ == state::closed) return;
  end(errc::closed, "aborted by this side");
}

void usrsctp_association::poll_packets(base::packet_batch& out) {
  const turn held(*this);
  if (outbox_.empty()) return;
  for (const auto& entry : outbox_.entries()) out.append(outbox_.view(entry));
  library_.give_back(std::exchange(outbox_, {}));
  held_sack_ = 0;
}

std::optional<event> usrsctp_association::poll_event() {
  if (next_ready_ == ready_events_.size()) {
    const turn held(*this);
    if (readable_) collect();
    ready_events_ = std::exchange(new_events_, {});
    next_ready_ = 0;
    if (ready_events_.empty()) return std::nullopt;
  }
  return std::move(ready_events_[next_ready_++]);
}

std::size_t usrsctp_association::unacknowledged(stream_id stream) const {
  const library::session held(library_);
  return ledger_.unacknowledged(stream);
}

std::size_t usrsctp_association::unacknowledged() const {
  const library::session held(library_);
  return ledger_.unacknowledged();
}

void usrsctp_association::on_packet_out(base::mutable_byte_span packet) {
  for_each_chunk(packet, [this](const chunk& part) {
    if (part.type == chunk_type::abort) abort_sent_ = true;
    if (answers_in_progress(part)) read_on_for_reset();
  });
  ledger_.packet_out(packet);
  const bool bare_sack = is_bare_sack(packet);
  if (bare_sack && held_sack_ != 0 && replaced_sacks_ < max_replaced_sacks) {
    const auto older = outbox_.mutable_view(outbox_.entries()[held_sack_ - 1]);
    std::copy(packet.begin(), packet.end(), older.begin());
    ++replaced_sacks_;
    return;
  }
  if (outbox_.empty()) outbox_ = library_.take_batch();
  outbox_.append(packet);
  replaced_sacks_ = 0;
  // Not across a packet that says something else about what was received.
  const bool carries_sack = packet.size() > common_header_size &&
                            packet[common_header_size] == static_cast<int>(chunk_type::sack);
  if (bare_sack) {
    held_sack_ = outbox_.size();
  } else if (carries_sack) {
    held_sack_ = 0;
  }
}

void usrsctp_association::on_connected(connected what) {
  outgoing_streams_ = what.outgoing_streams;
  set_state(state::connected, "handshake done");
  tell(what);
}

void usrsctp_association::on_end(errc reason, const char* why) {
  // It was us who found the peer's packets wrong, if the ABORT came from this side.
  end(abort_sent_ ? errc::sctp_failed : reason, why);
}

void usrsctp_association::on_never_sent(stream_id stream, std::size_t bytes) {
  ledger_.never_sent(stream, bytes);
}

void usrsctp_association::end(errc reason, const char* why) {
  if (state_ == state::closed) return;
  end_reason_ = reason;
  socket_.close();
  give_buffers_back();
  set_state(state::closed, why);
  tell(closed{base::failure(make_error_code(reason), why)});
}

void usrsctp_association::set_state(state next, const char* reason) {
  constexpr std::array<const char*, 4> names{"idle", "connecting", "connected", "closed"};
  log(log_level::info, std::string(names[static_cast<std::size_t>(state_)]) + " -> " +
                           names[static_cast<std::size_t>(next)] + ": " + reason);
  state_ = next;
}

void usrsctp_association::log(log_level level, std::string line) {
  if (settings_.log.enabled(level)) log_lines_.emplace_back(level, std::move(line));
}

void usrsctp_association::reset_streams(base::time_point, std::span<const stream_id> streams) {
  const turn held(*this);
  if (state_ == state::closed) return;
  for (const stream_id stream : streams) {
    if (resetting_.insert(stream).second) waiting_resets_.push_back(stream);
  }
  start_resets();
}

void usrsctp_association::start_resets() {
  if (state_ != state::connected || waiting_resets_.empty()) return;
  // Streams that the handshake left out have nothing to reset.
  const auto beyond = std::stable_partition(
      waiting_resets_.begin(), waiting_resets_.end(),
      [this](stream_id stream) { return static_cast<std::uint16_t>(stream) < outgoing_streams_; });
  std::vector<stream_id> unknown(beyond, waiting_resets_.end());
  waiting_resets_.erase(beyond, waiting_resets_.end());
  if (!unknown.empty()) on_outgoing_reset(std::move(unknown), false);
  while (!waiting_resets_.empty()) {
    const std::size_t count = std::min(waiting_resets_.size(), max_resets_at_once);
    const std::span<const stream_id> batch(waiting_resets_.data(), count);
    const int error = socket_.reset(batch);
    // One request is outstanding: its end, which comes in a packet, lets us try again.
    if (error == EALREADY || error == EAGAIN || error == EINVAL) return;
    std::vector<stream_id> asked(batch.begin(), batch.end());
    waiting_resets_.erase(waiting_resets_.begin(),
                          waiting_resets_.begin() + static_cast<std::ptrdiff_t>(count));
    if (error != 0) on_outgoing_reset(std::move(asked), true);
  }
}

void usrsctp_association::on_outgoing_reset(std::vector<stream_id> streams, bool refused) {
  // A peer that denies, or says that there is nothing to do, will not answer better next time.
  if (refused) log(log_level::warning, "the peer did not perform a stream reset");
  if (streams.empty()) {
    // RFC 6525 4.1: all of them, which for us are those that we asked for.
    std::copy_if(resetting_.begin(), resetting_.end(), std::back_inserter(streams),
                 [this](stream_id stream) {
                   return std::find(waiting_resets_.begin(), waiting_resets_.end(), stream) ==
                          waiting_resets_.end();
                 });
  }
  for (const stream_id stream : streams) {
    resetting_.erase(stream);
    ledger_.forget(stream);
  }
  tell(outgoing_streams_reset{std::move(streams)});
}

}  // namespace asiortc::sctp

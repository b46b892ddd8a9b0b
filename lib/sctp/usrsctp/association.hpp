// The association interface over a usrsctp socket.
#pragma once

#include "sctp/association.hpp"
#include "sctp/send_ledger.hpp"
#include "sctp/usrsctp/inbox.hpp"
#include "sctp/usrsctp/library.hpp"
#include "sctp/usrsctp/socket.hpp"

#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace asiortc::sctp {

class usrsctp_association final : public association,
                                  private address_owner,
                                  private inbox_listener {
 public:
  usrsctp_association(library& of, const settings& settings, wake_function wake);
  ~usrsctp_association() override;

  void connect(base::time_point now) override;
  void handle_packets(base::time_point now, const base::packet_batch& packets) override;
  base::result<bool> send(base::time_point now, const send_options& options,
                          base::byte_span payload) override;
  void reset_streams(base::time_point now, std::span<const stream_id> streams) override;
  void pause_receive(bool paused) override;
  void abort(base::time_point now) override;
  void poll_packets(base::packet_batch& out) override;
  std::optional<event> poll_event() override;
  [[nodiscard]] std::size_t unacknowledged(stream_id stream) const override;
  [[nodiscard]] std::size_t unacknowledged() const override;

 private:
  enum class state { idle, connecting, connected, closed };
  class turn;

  // address_owner, inside usrsctp
  void on_packet_out(base::mutable_byte_span packet) override;
  void on_readable() override { readable_ = true; }

  // inbox_listener
  void on_event(event what) override { new_events_.push_back(std::move(what)); }
  void on_connected(connected what) override;
  void on_end(errc reason, const char* why) override;
  void on_never_sent(stream_id stream, std::size_t bytes) override;
  void on_sender_dry() override { ledger_.settle_all(); }
  void on_outgoing_reset(std::vector<stream_id> streams, bool refused) override;

  template <class Event>
  void tell(Event what) {
    new_events_.emplace_back(std::in_place_type<Event>, std::move(what));
  }
  void set_state(state next, const char* reason);
  void end(errc reason, const char* why);
  void log(log_level level, std::string line);

  void keep_early(base::byte_span packet);
  void input(base::byte_span packet);
  void read_all();
  /// What a pause does not hold back.
  void read_while_paused();
  void end_of_stream();
  void read_on_for_reset();
  /// After packets came: reads, resets what waits, tells what was acknowledged and if there is
  /// room.
  void collect();
  void report_acknowledged();
  void start_resets();
  void widen_window(base::time_point now);

  /// A buffer of the engine's, and how much of it was taken from the budget of all.
  struct buffer {
    std::size_t size = 0;
    std::size_t reserved = 0;
  };

  base::result<bool> try_send(const send_options& options, base::byte_span payload);
  base::failure send_failure(int error) const;
  bool grow(buffer& which, std::size_t size, std::size_t leaving = 0);
  /// Makes the send buffer as large as a message.
  bool make_room_for(std::size_t size);
  void give_send_buffer_back();
  void give_buffers_back();

  library& library_;
  const settings settings_;
  state state_ = state::idle;
  errc end_reason_ = errc::closed;
  engine_socket socket_;
  inbox inbox_;
  send_ledger ledger_;

  base::packet_batch outbox_;
  std::size_t held_sack_ = 0;       ///< index + 1 in the outbox of a SACK that may be replaced
  std::size_t replaced_sacks_ = 0;  ///< since that one was appended
  bool abort_sent_ = false;

  std::vector<event> new_events_;    ///< under the lock
  std::vector<event> ready_events_;  ///< the owner's own
  std::size_t next_ready_ = 0;

  std::vector<base::bytes> early_packets_;
  std::size_t early_bytes_ = 0;
  std::size_t dropped_packets_ = 0;

  bool readable_ = false;
  bool paused_ = false;
  std::size_t may_read_ = 0;       ///< bytes of messages, though paused
  std::size_t read_in_pause_ = 0;  ///< so many were
  buffer send_buffer_;
  buffer receive_buffer_;
  std::size_t received_in_window_ = 0;
  base::time_point window_start_;
  std::optional<std::size_t> blocked_size_;  ///< of the message that found no room
  bool watches_dry_ = false;

  std::uint16_t outgoing_streams_ = 0;
  std::vector<stream_id> waiting_resets_;
  std::set<stream_id> resetting_;  ///< waiting or with the engine

  std::vector<std::pair<log_level, std::string>> log_lines_;
};

}  // namespace asiortc::sctp

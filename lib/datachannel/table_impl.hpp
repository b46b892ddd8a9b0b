// The state behind the table, shared by the files that each hold one part of its behaviour.
#pragma once

#include "datachannel/channel.hpp"
#include "datachannel/fifo.hpp"
#include "datachannel/stream_ids.hpp"
#include "datachannel/table.hpp"

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string_view>
#include <vector>

namespace asiortc::datachannel {

/// RFC 8831 6.6 and 8841 6.1: a peer that announces nothing takes messages of 64 KiB.
inline constexpr std::uint64_t default_max_message_size = 65536;

/// What an early item costs besides its bytes.
inline constexpr std::size_t early_overhead = 128;

inline sctp::stream_id wire_id(std::uint16_t id) { return static_cast<sctp::stream_id>(id); }
inline std::uint16_t number(sctp::stream_id id) { return static_cast<std::uint16_t>(id); }

/// An OPEN that waits for the application to take others.
struct held_open {
  std::uint16_t id = 0;
  base::bytes payload;
};

struct table::impl {
  explicit impl(datachannel::settings options) : settings(std::move(options)) {}

  datachannel::settings settings;
  sctp::association* association = nullptr;
  bool connected = false;
  std::optional<base::failure> ended;
  std::uint32_t stream_limit = 65535;  ///< ids are below; 65535 itself is reserved (RFC 8832 6)
  std::optional<std::uint64_t> remote_max_message_size;

  std::map<channel_key, std::unique_ptr<channel>> channels;  ///< by age
  stream_ids streams;
  std::map<channel_key, std::size_t> unaccepted;  ///< with the bytes of label and protocol
  std::size_t unaccepted_bytes = 0;
  std::size_t text_of_peer = 0;                // in all channels
  fifo<held_open> held_opens;                  ///< while there are any nothing more is taken
  std::optional<base::time_point> held_since;  ///< and nothing was accepted
  bool refuses_opens = false;                  ///< nobody accepts
  std::uint64_t next_key = 1;
  std::uint64_t next_ticket = 1;
  fifo<event> events;
  datachannel::counters counters;

  fifo<channel*> ring;   ///< channels that have something to send, the next one first
  bool blocked = false;  ///< the association has no room
  std::size_t buffered_total = 0;
  std::size_t busy_channels = 0;
  std::vector<sctp::stream_id> resets;  ///< asked for in one go at the end of the call
  std::vector<channel_key> graveyard;   ///< forgotten and closed in this call

  std::size_t unread_cost = 0;
  std::size_t early_cost = 0;
  std::size_t partial_bytes = 0;
  bool paused = false;

  // table.cpp
  base::result<channel_key> create(base::time_point now, std::string label, data_channel_init init);
  channel* find(channel_key key) const;
  channel& add_channel(std::string label, data_channel_init init);
  void set_state(channel& which, data_channel_state now, const base::failure& reason,
                 std::string_view cause);
  /// Tells what follows from what was sent, acknowledged or given up.
  void settle(channel& which);
  /// Ends each public call: asks for resets and lets go of what nobody holds.
  void finish_call(base::time_point now);
  void erase(channel& which);

  // sending.cpp
  void schedule(channel& which);
  void pump(base::time_point now);
  void send_front(base::time_point now, channel& which);
  void front_was_sent(channel& which, std::size_t wire_bytes);
  void give_up_front(channel& which, boost::system::error_code why);
  void open_message_sent(channel& which);
  void drop_queued(channel& which, boost::system::error_code why);

  // incoming.cpp
  void handle_message(std::uint16_t id, sctp::ppid ppid, base::bytes payload);
  void handle_dcep(std::uint16_t id, base::byte_span payload);
  void handle_open(std::uint16_t id, base::byte_span payload);
  [[nodiscard]] bool may_wait(std::size_t text_bytes) const;
  void retry_held_opens(base::time_point now);
  void keep_early(std::uint16_t id, early_item item);
  void adopt_early(channel& which, fifo<early_item> items);
  void deliver(channel& which, sctp::ppid ppid, base::bytes payload);
  bool join_pieces(channel& which, bool last, base::bytes& payload);
  void discard_received(channel& which);
  void forget_partial(channel& which);
  void update_pause();

  // closing.cpp
  void continue_closing(channel& which);
  void fail(channel& which, const base::failure& reason);
  void end_unopened(channel& which, const base::failure& reason);
  void end(channel& which, const base::failure& reason);
  void refuse(std::uint16_t id, std::string_view cause);
  void request_reset(std::uint16_t id, stream_slot& slot);
  void handle_incoming_reset(std::uint16_t id);
  void handle_outgoing_reset(std::uint16_t id);
  void release_stream(std::uint16_t id);
  void drop_early(stream_slot& slot);
  void detach(const base::failure& reason);

  // association_events.cpp
  void handle(base::time_point now, const sctp::connected& what);
  void handle(base::time_point now, sctp::message_received& what);
  void handle(base::time_point now, const sctp::incoming_streams_reset& what);
  void handle(base::time_point now, const sctp::outgoing_streams_reset& what);
  void handle(base::time_point now, const sctp::writable& what);
  void handle(base::time_point now, const sctp::acknowledged& what);
  void handle(base::time_point now, const sctp::message_too_large& what);
  void handle(base::time_point now, const sctp::closed& what);
};

}  // namespace asiortc::datachannel

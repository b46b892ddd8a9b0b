// Two associations in memory that behave as the interface says: bounded send buffers that are told
// when they have room again, acknowledgements, resets that wait for what was sent before, pauses of
// reading. What is in flight moves when the test says so, so that every order can be tried.
#pragma once

#include "sctp/association.hpp"

#include <algorithm>
#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <utility>
#include <vector>

namespace asiortc::test {

class scripted_association final : public sctp::association {
 public:
  struct sent_message {
    sctp::send_options options;
    base::bytes payload;
  };
  struct reset_request {
    std::vector<sctp::stream_id> streams;
  };
  using item = std::variant<sent_message, reset_request>;

  void connect(base::time_point) override {}
  void handle_packets(base::time_point, const base::packet_batch&) override {}

  base::result<bool> send(base::time_point, const sctp::send_options& options,
                          base::byte_span payload) override {
    if (fail_sends) return base::failure(errc::sctp_failed);
    if (payload.empty()) return base::failure(errc::type_error);
    // A message larger than the whole buffer goes when the buffer is empty.
    if (buffered_ > 0 && buffered_ + payload.size() > send_buffer) {
      refused_ = true;
      return false;
    }
    buffered_ += payload.size();
    log.push_back({options, {payload.begin(), payload.end()}});
    in_flight.push_back(log.back());
    return true;
  }

  void reset_streams(base::time_point, std::span<const sctp::stream_id> streams) override {
    ++reset_calls;
    in_flight.push_back(reset_request{{streams.begin(), streams.end()}});
  }

  void pause_receive(bool paused) override {
    paused_ = paused;
    if (paused_) return;
    for (; !unread_.empty(); unread_.pop_front()) events.push_back(std::move(unread_.front()));
  }

  void abort(base::time_point) override { aborted = true; }
  void poll_packets(base::packet_batch&) override {}

  std::optional<sctp::event> poll_event() override {
    if (events.empty()) return std::nullopt;
    sctp::event next = std::move(events.front());
    events.pop_front();
    return next;
  }

  [[nodiscard]] std::size_t unacknowledged(sctp::stream_id) const override { return 0; }
  [[nodiscard]] std::size_t unacknowledged() const override { return buffered_; }

  /// What was read from the wire: waits while reading is paused.
  void receive(sctp::event what) {
    if (paused_) {
      unread_.push_back(std::move(what));
    } else {
      events.push_back(std::move(what));
    }
  }

  void receive_message(std::uint16_t stream, sctp::ppid ppid, base::bytes payload) {
    receive(sctp::message_received{sctp::stream_id{stream}, ppid, false, std::move(payload)});
  }

  /// Moves the oldest thing in flight to the other side; without one it is only acknowledged.
  bool move_one(scripted_association* to) {
    if (in_flight.empty()) return false;
    item next = std::move(in_flight.front());
    in_flight.pop_front();
    if (auto* const message = std::get_if<sent_message>(&next)) {
      const std::size_t size = message->payload.size();
      if (to) {
        to->receive(sctp::message_received{message->options.stream, message->options.ppid,
                                           message->options.unordered,
                                           std::move(message->payload)});
      }
      acknowledge(message->options.stream, size);
    } else {
      const auto& streams = std::get<reset_request>(next).streams;
      if (to) to->receive(sctp::incoming_streams_reset{streams});
      if (hold_reset_confirmations) {
        held_confirmations.push_back(streams);
      } else {
        events.push_back(sctp::outgoing_streams_reset{streams});
      }
    }
    return true;
  }

  void acknowledge(sctp::stream_id stream, std::size_t bytes) {
    buffered_ -= bytes;
    events.push_back(sctp::acknowledged{stream, bytes});
    if (std::exchange(refused_, false)) events.push_back(sctp::writable{});
  }

  [[nodiscard]] bool paused() const { return paused_; }

  std::size_t send_buffer = 64 * 1024;
  bool fail_sends = false;
  bool aborted = false;
  bool hold_reset_confirmations = false;
  std::size_t reset_calls = 0;
  std::vector<sent_message> log;  ///< all that was ever taken
  std::deque<item> in_flight;
  std::deque<sctp::event> events;
  std::vector<std::vector<sctp::stream_id>> held_confirmations;

 private:
  std::size_t buffered_ = 0;
  bool refused_ = false;
  bool paused_ = false;
  std::deque<sctp::event> unread_;
};

}  // namespace asiortc::test

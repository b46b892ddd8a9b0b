// Two tables over a pair of scripted associations, and what came out of each.
#pragma once

#include "datachannel/dcep.hpp"
#include "datachannel/table.hpp"
#include "scripted_association.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace asiortc::test {

using datachannel::channel_key;

inline message text(std::string_view content) { return {{content.begin(), content.end()}, true}; }
inline message binary(std::size_t size) { return {std::vector<std::uint8_t>(size, 7), false}; }

inline base::bytes open_bytes(std::string label, data_channel_init init = {}) {
  return datachannel::dcep::write({std::move(label), std::move(init)});
}

/// A table on its scripted association. Events are kept, and searched by the tests.
class side {
 public:
  explicit side(bool client, datachannel::settings settings = {})
      : table(std::move(settings)), client_(client) {}

  void connect(std::uint16_t streams = 65535) {
    table.set_dtls_client(client_);
    table.attach(now, association);
    association.events.push_back(sctp::connected{streams, streams});
    pump();
  }

  void pump() {
    table.handle_association_events(now);
    while (auto event = table.poll_event()) events.push_back(std::move(*event));
  }

  channel_key create(std::string label, data_channel_init init = {}) {
    const auto made = table.create(now, std::move(label), std::move(init));
    REQUIRE(made.has_value());
    pump();
    return *made;
  }

  std::uint64_t send(channel_key key, message value) {
    const auto ticket = table.send(now, key, std::move(value));
    REQUIRE(ticket.has_value());
    pump();
    return *ticket;
  }

  void close(channel_key key) {
    table.close(now, key);
    pump();
  }

  /// A message comes from the wire.
  void receive(std::uint16_t stream, sctp::ppid ppid, base::bytes payload) {
    association.receive_message(stream, ppid, std::move(payload));
    pump();
  }

  void receive_open(std::uint16_t stream, std::string label, data_channel_init init = {}) {
    receive(stream, sctp::ppid::dcep, open_bytes(std::move(label), std::move(init)));
  }

  template <class Event>
  std::vector<Event> all() const {
    std::vector<Event> found;
    for (const auto& event : events) {
      if (const auto* one = std::get_if<Event>(&event)) found.push_back(*one);
    }
    return found;
  }

  std::vector<std::string> texts(channel_key key) const {
    std::vector<std::string> found;
    for (const auto& each : all<datachannel::message_received>()) {
      if (each.key == key) found.emplace_back(each.value.text());
    }
    return found;
  }

  std::optional<channel_key> opened() const {
    const auto found = all<datachannel::channel_opened_by_peer>();
    if (found.empty()) return std::nullopt;
    return found.back().key;
  }

  std::optional<datachannel::channel_state_changed> closed(channel_key key) const {
    for (const auto& each : all<datachannel::channel_state_changed>()) {
      if (each.key == key && each.now == data_channel_state::closed) return each;
    }
    return std::nullopt;
  }

  data_channel_state state(channel_key key) const { return table.info(key)->state; }

  bool was_flushed(std::uint64_t ticket) const {
    const auto found = all<datachannel::flushed>();
    return std::ranges::any_of(
        found, [ticket](const auto& each) { return each.ticket == ticket && !each.error; });
  }

  /// Streams that were asked to be reset and are still in flight.
  std::vector<std::uint16_t> resets_in_flight() const {
    std::vector<std::uint16_t> ids;
    for (const auto& item : association.in_flight) {
      const auto* const request = std::get_if<scripted_association::reset_request>(&item);
      if (!request) continue;
      for (const auto id : request->streams) ids.push_back(static_cast<std::uint16_t>(id));
    }
    return ids;
  }

  base::time_point now{std::chrono::seconds(1)};
  scripted_association association;
  datachannel::table table;
  std::vector<datachannel::event> events;

 private:
  bool client_;
};

/// Both ends, connected; `settle` moves everything until nothing is in flight.
class table_pair {
 public:
  explicit table_pair(datachannel::settings settings = {})
      : a(true, settings), b(false, settings) {}

  void connect(std::uint16_t streams = 65535) {
    a.connect(streams);
    b.connect(streams);
    settle();
  }

  void settle() {
    bool moved = true;
    while (moved) {
      a.pump();
      b.pump();
      moved = a.association.move_one(&b.association);
      moved = b.association.move_one(&a.association) || moved;
    }
    a.pump();
    b.pump();
  }

  side a;  ///< the DTLS client
  side b;
};

}  // namespace asiortc::test

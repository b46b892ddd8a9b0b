// Bytes drive the calls of a table and what its association tells; what must always hold is checked
// after each step: the ways of a channel's states, tickets that end once, amounts, and bounds.
#include "datachannel/dcep.hpp"
#include "datachannel/table.hpp"
#include "unit/datachannel/scripted_association.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <set>

namespace {

using namespace asiortc;
using datachannel::channel_key;

void require(bool holds) {
  if (!holds) std::abort();
}

class driver {
 public:
  explicit driver(base::byte_span data) : input_(data), table_(make_settings()) {
    table_.set_remote_max_message_size(5000);
    association_.send_buffer = 4096;
  }

  void run() {
    while (input_.remaining() > 0) {
      step();
      now_ += std::chrono::milliseconds(3);
      take_events();
      check();
    }
    finish();
  }

 private:
  static datachannel::settings make_settings() {
    datachannel::settings settings;
    settings.max_unaccepted = 4;
    settings.max_channels = 16;
    settings.max_early_bytes = 4096;
    settings.max_message_size = 2048;
    settings.receive_budget = 8192;
    return settings;
  }

  void step() {
    switch (input_.u8() % 16) {
      case 0:
        return connect();
      case 1:
        return create();
      case 2:
      case 3:
        return send();
      case 4:
        return table_.close(now_, pick());
      case 5:
        return flush();
      case 6:
        return cancel();
      case 7:
        return forget();
      case 8:
        table_.accept(pick());
        return table_.set_low_threshold(pick(), input_.u8());
      case 9:
        return table_.consumed(now_, pick(), input_.u16());
      case 10:
        return table_.discard_received(now_, pick());
      case 11:
      case 12:
        return receive();
      case 13:
        return receive_reset();
      case 14:
        association_.fail_sends = input_.u8() == 0xff;
        association_.move_one(nullptr);
        return;
      default:
        return odd_event();
    }
  }

  void connect() {
    const std::uint8_t how = input_.u8();
    table_.set_dtls_client(how & 1);
    if (attached_) return;
    attached_ = true;
    table_.attach(now_, association_);
    const std::uint16_t streams = how & 2 ? 8 : 65535;
    association_.events.push_back(sctp::connected{streams, streams});
  }

  void create() {
    const std::uint8_t how = input_.u8();
    data_channel_init init;
    init.ordered = how & 1;
    if (how & 2) init.max_retransmits = input_.u8();
    if (how & 4) init.max_packet_life_time = std::chrono::milliseconds(input_.u8());
    init.negotiated = how & 8;
    if (how & 16) init.id = input_.u8();
    const auto made = table_.create(now_, std::string(how, 'l'), init);
    if (!made) return;
    keys_.push_back(*made);
    require(states_.emplace(*made, data_channel_state::connecting).second);
  }

  void send() {
    const channel_key key = pick();
    const std::size_t size = input_.u16() % 6000;
    const auto ticket = table_.send(now_, key, message(base::bytes(size, 'x'), size % 2 == 0));
    if (ticket) require(waiting_sends_.insert(*ticket).second);
  }

  void flush() {
    const auto ticket = table_.flush(pick());
    if (ticket) require(waiting_flushes_.insert(*ticket).second);
  }

  void cancel() {
    if (waiting_sends_.empty()) return;
    const std::uint64_t ticket = *waiting_sends_.begin();
    if (table_.cancel_send(pick(), ticket)) waiting_sends_.erase(ticket);
  }

  void forget() {
    const channel_key key = pick();
    table_.close(now_, key);
    table_.forget(key);
    forgotten_.insert(key);
  }

  void receive() {
    if (!attached_) return;
    const std::uint16_t stream = input_.u8() % 12;
    const std::uint8_t how = input_.u8();
    if (how & 0x80) {
      data_channel_init init;
      init.ordered = how & 1;
      association_.receive_message(stream, sctp::ppid::dcep,
                                   datachannel::dcep::write({"label", init}));
      return;
    }
    const auto piece = input_.take(std::min<std::size_t>(input_.u8(), input_.remaining()));
    base::bytes payload(piece.begin(), piece.end());
    if (how & 0x40) payload.resize(payload.size() * 16);
    association_.receive_message(stream, static_cast<sctp::ppid>(49 + how % 10),
                                 std::move(payload));
  }

  void receive_reset() {
    if (!attached_) return;
    sctp::incoming_streams_reset reset;
    for (std::size_t count = input_.u8() % 4; count > 0; --count) {
      reset.streams.push_back(static_cast<sctp::stream_id>(input_.u8() % 12));
    }
    association_.receive(std::move(reset));
  }

  void odd_event() {
    if (!attached_) return;
    const std::uint8_t what = input_.u8();
    const auto stream = static_cast<sctp::stream_id>(what % 12);
    if (what < 80) association_.receive(sctp::message_too_large{stream});
    if (what >= 80 && what < 160) {
      association_.events.push_back(sctp::outgoing_streams_reset{{stream}});
    }
    if (what >= 160 && what < 250) association_.events.push_back(sctp::writable{});
    if (what >= 250) association_.events.push_back(sctp::closed{errc::remote_closed});
  }

  void take_events() {
    table_.handle_association_events(now_);
    while (auto event = table_.poll_event()) {
      std::visit([this](const auto& each) { take(each); }, *event);
    }
  }

  void take(const datachannel::channel_opened_by_peer& event) {
    require(states_.emplace(event.key, data_channel_state::open).second);
    keys_.push_back(event.key);
  }

  // States only go on, and closed is told once.
  void take(const datachannel::channel_state_changed& event) {
    const auto found = states_.find(event.key);
    require(found != states_.end() && event.now > found->second);
    found->second = event.now;
  }

  void take(const datachannel::message_received& event) {
    require(states_.contains(event.key) && event.value.size() <= 2048);
    require(states_[event.key] != data_channel_state::connecting);
  }

  void take(const datachannel::send_finished& event) {
    require(waiting_sends_.erase(event.ticket) == 1);
  }

  void take(const datachannel::buffered_amount_low& event) { require(states_.contains(event.key)); }

  void take(const datachannel::flushed& event) {
    require(waiting_flushes_.erase(event.ticket) == 1);
  }

  void check() {
    std::size_t buffered = 0;
    std::size_t live = 0;
    std::set<std::uint16_t> ids;
    bool busy = false;
    for (const channel_key key : keys_) {
      const auto info = table_.info(key);
      if (!info) {
        require(forgotten_.contains(key));
        continue;
      }
      buffered += info->buffered_amount;
      require(info->state == states_[key]);
      require(table_.buffered_amount(key) == info->buffered_amount);
      if (info->state == data_channel_state::closed) {
        require(info->buffered_amount == 0);
        continue;
      }
      ++live;
      busy = busy || info->buffered_amount > 0 || info->state == data_channel_state::closing;
      if (info->id) require(ids.insert(*info->id).second);
      if (info->state == data_channel_state::open) require(info->id && table_.connected());
    }
    require(live <= 16);
    require(table_.total_unacknowledged() == buffered);
    require(!busy || !table_.idle());
    const auto& counted = table_.statistics();
    require(counted.channels_closed <= counted.channels_opened);
  }

  // After the end nothing is left to wait for.
  void finish() {
    table_.detach(errc::closed);
    take_events();
    check();
    require(waiting_sends_.empty() && waiting_flushes_.empty());
    require(table_.idle() && table_.total_unacknowledged() == 0);
    for (const auto& [key, state] : states_) require(state == data_channel_state::closed);
  }

  channel_key pick() {
    const std::uint8_t which = input_.u8();
    return keys_.empty() ? channel_key{which} : keys_[which % keys_.size()];
  }

  base::byte_reader input_;
  base::time_point now_{std::chrono::seconds(1)};
  test::scripted_association association_;
  datachannel::table table_;
  bool attached_ = false;
  std::vector<channel_key> keys_;
  std::set<channel_key> forgotten_;
  std::map<channel_key, data_channel_state> states_;
  std::set<std::uint64_t> waiting_sends_;
  std::set<std::uint64_t> waiting_flushes_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  driver({data, size}).run();
  return 0;
}

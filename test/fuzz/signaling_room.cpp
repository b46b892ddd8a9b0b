// Bytes drive a room service: some connections come and go, join few rooms, signal, err, fall
// silent and read slowly, and the rules of the contract are checked on all that comes out. Each
// step is one byte of what and who, with one more where it says a number, a room or a text.
#include "signaling/client_session.hpp"
#include "signaling/room_service.hpp"
#include "support/seeded_random.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace {

namespace sig = asiortc::signaling;
namespace base = asiortc::base;
using json = nlohmann::json;
using sig::connection_id;

void require(bool holds) {
  if (!holds) std::abort();
}

/// What one connection was told, and so what it must believe.
struct listener {
  bool closed = false;
  std::uint64_t seq = 0;
  int id = 0;
  std::string room;
  std::set<int> present;
  std::set<int> gone;

  void hear(const json& message) {
    const std::string type = message.at("type");
    require(!closed);
    if (message.contains("seq")) require(message.at("seq") == ++seq);
    if (type == "joined") {
      require(id == 0);
      id = message.at("id");
      room = message.at("room");
      for (const json& peer : message.at("peers")) {
        require(peer.at("id") != id && present.insert(peer.at("id").get<int>()).second);
      }
    } else if (type == "peer-joined") {
      const int peer = message.at("id");
      require(peer != id && gone.count(peer) == 0 && present.insert(peer).second);
    } else if (type == "peer-left") {
      require(present.erase(message.at("id").get<int>()) == 1);
      gone.insert(message.at("id").get<int>());
    } else if (type == "signal") {
      require(present.count(message.at("from").get<int>()) == 1);
    }
  }
};

class driver {
 public:
  driver(const std::uint8_t* data, std::size_t size) : in_({data, size}) {
    sig::room_options options;
    options.max_connections = 12;
    options.max_rooms = 3;
    options.max_peers_per_room = 5;
    options.max_queue = 4096;
    options.message_burst = 40;
    options.messages_per_second = 2;
    service_.emplace(options, random_, base::logger());
  }

  void run() {
    while (in_.remaining() > 0) {
      step(in_.u8());
      drain();
      compare();
    }
    service_->handle_stop();
    drain();
    for (auto& [who, heard] : heard_) service_->handle_disconnect(connection_id{who}, false);
    require(service_->connections() == 0 && service_->rooms() == 0);
    require(service_->next_deadline() == base::never);
  }

 private:
  void step(std::uint8_t what) {
    const std::uint64_t who = last_ < 12 ? what >> 4 : last_ - 12 + (what >> 4);
    switch (what & 15) {
      case 0:
      case 1:
        if (heard_.size() < 40) connect();
        return;
      case 2:
      case 3:
        return say(who, {{"type", "join"}, {"room", std::string(1, char('a' + in_.u8() % 5))}});
      case 4:
      case 5:
      case 6:
        return signal(who);
      case 7:
        return say(who, {{"type", "leave"}});
      case 8:
        return leave(who, in_.u8() % 2 == 0);
      case 9:
        return pass(std::chrono::milliseconds(in_.u8()) * 100);
      case 10:
        return service_->handle_alive(now_, connection_id{who});
      case 11:
        return service_->handle_sent(connection_id{who}, std::size_t{in_.u8()} * 16);
      case 12:
        return service_->handle_binary(now_, connection_id{who});
      case 13:
        return say(who, {{"type", "ping"}, {"ts", in_.u8()}});
      case 14:
        return say(who, {{"type", in_.u8() % 2 == 0 ? "ice-servers" : "seal"}});
      default:
        return raw(who);
    }
  }

  void connect() {
    heard_.emplace(++last_, listener());
    service_->handle_connect(now_, connection_id{last_});
  }

  void say(std::uint64_t who, const json& message) {
    service_->handle_text(now_, connection_id{who}, message.dump());
  }

  void signal(std::uint64_t who) {
    const std::uint64_t to = last_ < 12 ? in_.u8() % 12 : last_ - in_.u8() % 12;
    const auto found = heard_.find(to);
    const int id = found == heard_.end() || found->second.id == 0 ? 1 : found->second.id;
    say(who, {{"type", "signal"}, {"to", id}, {"data", {{"x", std::string(in_.u8(), 'x')}}}});
  }

  void leave(std::uint64_t who, bool broke) {
    service_->handle_disconnect(connection_id{who}, broke);
    heard_.erase(who);
  }

  void pass(base::duration time) {
    now_ += time;
    service_->handle_timeout(now_);
    require(service_->next_deadline() > now_);
  }

  void raw(std::uint64_t who) {
    const auto text = base::as_text(in_.take(std::min<std::size_t>(in_.u8(), in_.remaining())));
    service_->handle_text(now_, connection_id{who}, text);
  }

  void drain() {
    while (const auto output = service_->poll()) {
      std::visit([this](const auto& what) { note(what); }, *output);
    }
  }

  void note(const sig::send_output& what) {
    const auto found = heard_.find(static_cast<std::uint64_t>(what.to));
    if (found != heard_.end()) found->second.hear(json::parse(what.text));
  }
  void note(const sig::ping_output&) {}
  void note(const sig::close_output& what) {
    const auto found = heard_.find(static_cast<std::uint64_t>(what.to));
    if (found == heard_.end()) return;
    require(!found->second.closed);
    found->second.closed = true;
    require(what.last_words.empty() || json::parse(what.last_words).is_object());
  }

  /// Each peer is in `joined.peers` or was told by `peer-joined`: all of a room believe the same.
  void compare() {
    std::map<std::string, std::set<int>> rooms;
    for (const auto& [who, heard] : heard_) {
      if (heard.id != 0 && !heard.closed) rooms[heard.room].insert(heard.id);
    }
    require(rooms.size() == service_->rooms());
    for (const auto& [who, heard] : heard_) {
      if (heard.id == 0 || heard.closed) continue;
      std::set<int> all = heard.present;
      all.insert(heard.id);
      require(all == rooms[heard.room]);
    }
  }

  base::byte_reader in_;
  base::time_point now_{};
  asiortc::test::seeded_random random_{7};
  std::optional<sig::room_service> service_;
  std::map<std::uint64_t, listener> heard_;
  std::uint64_t last_ = 0;
};

}  // namespace

/// Longer histories find nothing that shorter ones do not, and take seconds.
constexpr std::size_t max_history = 600;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  driver(data, std::min(size, max_history)).run();
  return 0;
}

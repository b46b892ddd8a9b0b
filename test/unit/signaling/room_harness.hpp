// A room service in virtual time, and what it told each connection.
#pragma once

#include "signaling/room_service.hpp"
#include "support/seeded_random.hpp"

#include <nlohmann/json.hpp>

#include <chrono>
#include <map>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace asiortc::test {

using json = nlohmann::json;
using signaling::connection_id;

/// What one socket saw.
struct seen {
  std::vector<json> messages;
  int pings = 0;
  int close_code = 0;
  bool discarded = false;
};

class room_harness {
 public:
  explicit room_harness(signaling::room_options options = {})
      : service(std::move(options), random, base::logger()) {}

  int connect() {
    service.handle_connect(now, connection_id(++last));
    drain();
    return last;
  }

  void say_text(int who, const std::string& text) {
    service.handle_text(now, connection_id(who), text);
    drain();
  }
  void say(int who, const json& message) { say_text(who, message.dump()); }

  /// Connects and joins; gives the connection.
  int join(const std::string& room = "room", const std::string& name = "") {
    const int who = connect();
    json message{{"type", "join"}, {"room", room}};
    if (!name.empty()) message["name"] = name;
    say(who, message);
    return who;
  }

  void signal(int from, int to, json data = json::object()) {
    say(from, json{{"type", "signal"}, {"to", to}, {"data", std::move(data)}});
  }

  void disconnect(int who, bool broke = false) {
    service.handle_disconnect(connection_id(who), broke);
    drain();
  }

  template <class Duration>
  void pass(Duration time) {
    const auto until = now + time;
    while (service.next_deadline() <= until) {
      now = std::max(now, service.next_deadline());
      service.handle_timeout(now);
      drain();
    }
    now = until;
  }

  void drain() {
    while (const auto output = service.poll()) {
      std::visit([this](const auto& what) { note(what); }, *output);
    }
  }

  int id_of(int who) { return at[who].messages.at(0).at("id").get<int>(); }
  json last_of(int who) { return at[who].messages.empty() ? json() : at[who].messages.back(); }
  /// The messages of one type.
  std::vector<json> of_type(int who, const std::string& type) {
    std::vector<json> out;
    for (const json& message : at[who].messages) {
      if (message.at("type") == type) out.push_back(message);
    }
    return out;
  }
  std::string error_of(int who) {
    const json message = last_of(who);
    return message.is_object() && message.contains("code") ? message.at("code").get<std::string>()
                                                           : "";
  }

  base::time_point now{};
  seeded_random random{1};
  signaling::room_service service;
  std::map<int, seen> at;
  bool reads = true;  ///< whether what is sent counts as written at once
  int last = 0;

 private:
  void note(const signaling::send_output& what) {
    at[static_cast<int>(what.to)].messages.push_back(json::parse(what.text));
    if (reads) service.handle_sent(what.to, what.text.size());
  }
  void note(const signaling::ping_output& what) { ++at[static_cast<int>(what.to)].pings; }
  void note(const signaling::close_output& what) {
    seen& socket = at[static_cast<int>(what.to)];
    if (!what.last_words.empty()) socket.messages.push_back(json::parse(what.last_words));
    socket.close_code = static_cast<int>(what.code);
    socket.discarded = what.discard;
  }
};

}  // namespace asiortc::test

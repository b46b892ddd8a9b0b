#include "signaling/codec.hpp"
#include "signaling/json_object.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace asiortc::signaling {
namespace {

constexpr std::array<leave_reason, 4> leave_reasons{leave_reason::left, leave_reason::timeout,
                                                    leave_reason::kicked, leave_reason::closed};

signaling_peer read_peer(object_reader& in) {
  signaling_peer out;
  out.id = in.peer("id");
  out.name = in.text_or_empty("name", max_peer_name);
  return out;
}

/// `urls` is a string or an array of strings (webrtc-pc 4.2.4).
ice_server read_ice_server(object_reader& in, const json& entry) {
  ice_server out;
  object_reader fields(entry);
  if (entry.contains("urls") && entry.at("urls").is_string()) {
    out.urls.push_back(fields.text("urls", max_server_message));
  } else {
    for (const json& url : fields.array("urls")) {
      if (url.is_string()) out.urls.push_back(url.get<std::string>());
    }
  }
  out.username = fields.text_or_empty("username", max_server_message);
  out.credential = fields.text_or_empty("credential", max_server_message);
  if (!fields.ok()) in.complain("'ice_servers': " + fields.complaint());
  return out;
}

std::vector<ice_server> read_ice_servers(object_reader& in) {
  std::vector<ice_server> out;
  for (const json& entry : in.array("ice_servers")) {
    if (entry.is_object()) {
      out.push_back(read_ice_server(in, entry));
    } else {
      in.complain("'ice_servers' holds something else than objects");
    }
  }
  return out;
}

server_message read_joined(object_reader& in) {
  joined_message out;
  out.room = in.text("room", max_room_name);
  out.id = in.peer("id");
  out.host = in.peer("host");
  for (const json& entry : in.array("peers")) {
    object_reader fields(entry);
    if (!entry.is_object()) {
      in.complain("'peers' holds something else than objects");
      break;
    }
    out.peers.push_back(read_peer(fields));
    if (!fields.ok()) in.complain("'peers': " + fields.complaint());
  }
  out.ice_servers = read_ice_servers(in);
  out.session = in.text("session", max_server_message);
  out.secret = in.text("secret", max_server_message);
  out.resume_ms = in.integer("resume_ms", 0, any_integer);
  return out;
}

server_message read_peer_joined(object_reader& in) {
  peer_joined_message out;
  out.seq = in.integer("seq", 1, any_integer);
  out.peer = read_peer(in);
  return out;
}

server_message read_peer_left(object_reader& in) {
  peer_left_message out;
  out.seq = in.integer("seq", 1, any_integer);
  out.id = in.peer("id");
  const std::string reason = in.text("reason", max_server_message);
  const auto* found = std::ranges::find_if(
      leave_reasons, [&](leave_reason candidate) { return to_string(candidate) == reason; });
  // A reason that a newer server may have is taken for the plainest one.
  if (found != leave_reasons.end()) out.reason = *found;
  return out;
}

template <class Message>
server_message read_seq_and_id(object_reader& in) {
  Message out;
  out.seq = in.integer("seq", 1, any_integer);
  out.id = in.peer("id");
  return out;
}

server_message read_signal(object_reader& in) {
  signal_message out;
  out.seq = in.integer("seq", 1, any_integer);
  out.from = in.peer("from");
  out.data = in.object_text("data");
  return out;
}

server_message read_pong(object_reader& in) { return pong_message{in.any("ts")}; }

server_message read_ice_servers_answer(object_reader& in) {
  return ice_servers_message{read_ice_servers(in)};
}

server_message read_sealed(object_reader& in) {
  return sealed_message{in.integer("seq", 1, any_integer)};
}

server_message read_going_away(object_reader& in) {
  return going_away_message{in.optional_integer("reconnect_ms", 0, any_integer).value_or(0)};
}

server_message read_error(object_reader& in) {
  error_message out;
  out.code = in.text("code", max_server_message);
  out.message = in.text_or_empty("message", max_server_message);
  if (in.has("to")) out.to = in.peer("to");
  out.n = in.optional_integer("n", 1, any_integer);
  out.fatal = in.boolean_or_false("fatal");
  return out;
}

struct server_reader {
  std::string_view type;
  server_message (*read)(object_reader&);
};

constexpr std::array<server_reader, 11> server_readers{
    {{"joined", read_joined},
     {"peer-joined", read_peer_joined},
     {"peer-left", read_peer_left},
     {"peer-away", read_seq_and_id<peer_away_message>},
     {"peer-back", read_seq_and_id<peer_back_message>},
     {"signal", read_signal},
     {"pong", read_pong},
     {"ice-servers", read_ice_servers_answer},
     {"sealed", read_sealed},
     {"going-away", read_going_away},
     {"error", read_error}}};

}  // namespace

decoded<server_message> decode_server_message(std::string_view text) {
  const auto object = parse_object(text);
  if (!object.value) return {std::nullopt, object.complaint};
  object_reader in(*object.value, text);
  const std::string type = in.text("type", max_server_message);
  if (!in.ok()) return {std::nullopt, in.complaint()};
  const auto* found =
      std::ranges::find(server_readers, std::string_view(type), &server_reader::type);
  if (found == server_readers.end()) return {unknown_message{}, {}};
  server_message message = found->read(in);
  if (!in.ok()) return {std::nullopt, in.complaint()};
  return {std::move(message), {}};
}

}  // namespace asiortc::signaling

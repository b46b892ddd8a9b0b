#include "signaling/codec.hpp"
#include "signaling/json_object.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace asiortc::signaling {
namespace {

client_message read_join(object_reader& in) {
  join_message out;
  out.room = in.text("room", max_room_name);
  if (in.ok() && !is_room_name(out.room)) {
    in.complain("'room' is not 1 to 64 of A-Z a-z 0-9 . _ -");
  }
  out.name = in.text_or_empty("name", max_peer_name);
  out.token = in.text_or_empty("token", max_client_message);
  return out;
}

client_message read_signal_request(object_reader& in) {
  signal_request out;
  out.to = in.peer("to");
  out.n = in.optional_integer("n", 1, any_integer);
  out.data = in.object_text("data");
  return out;
}

client_message read_leave(object_reader&) { return leave_message{}; }

client_message read_ping(object_reader& in) { return ping_message{in.any("ts")}; }

client_message read_ack(object_reader& in) {
  return ack_message{in.integer("seq", 0, any_integer)};
}

client_message read_resume(object_reader& in) {
  resume_message out;
  out.session = in.text("session", max_client_message);
  out.secret = in.text("secret", max_client_message);
  out.last_seq = in.integer("last_seq", 0, any_integer);
  return out;
}

client_message read_ice_servers_request(object_reader&) { return ice_servers_request{}; }

client_message read_seal(object_reader&) { return seal_message{}; }

client_message read_kick(object_reader& in) { return kick_message{in.peer("peer")}; }

void tell_which(const json& signal, decoded<client_message>& refused) {
  object_reader to(signal);
  if (const peer_id id = to.peer("to"); to.ok()) refused.to = id;
  object_reader n(signal);
  if (const auto number = n.optional_integer("n", 1, any_integer); n.ok()) refused.n = number;
}

struct client_reader {
  std::string_view type;
  client_message (*read)(object_reader&);
};

constexpr std::array<client_reader, 9> client_readers{{{"join", read_join},
                                                       {"signal", read_signal_request},
                                                       {"leave", read_leave},
                                                       {"ping", read_ping},
                                                       {"ack", read_ack},
                                                       {"resume", read_resume},
                                                       {"ice-servers", read_ice_servers_request},
                                                       {"seal", read_seal},
                                                       {"kick", read_kick}}};

}  // namespace

bool is_room_name(std::string_view text) {
  return !text.empty() && text.size() <= max_room_name && std::ranges::all_of(text, [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  });
}

decoded<client_message> decode_client_message(std::string_view text) {
  const auto object = parse_object(text);
  if (!object.value) return {std::nullopt, object.complaint};
  object_reader in(*object.value, text);
  const std::string type = in.text("type", max_client_message);
  if (!in.ok()) return {std::nullopt, in.complaint()};
  const auto* found =
      std::ranges::find(client_readers, std::string_view(type), &client_reader::type);
  if (found == client_readers.end()) return {std::nullopt, "unknown 'type'"};
  client_message message = found->read(in);
  if (in.ok()) return {std::move(message), {}};
  decoded<client_message> refused{std::nullopt, in.complaint()};
  if (found->read == read_signal_request) tell_which(*object.value, refused);
  return refused;
}

}  // namespace asiortc::signaling

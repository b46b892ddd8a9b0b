#include "signaling/codec.hpp"
#include "signaling/json_object.hpp"

#include <initializer_list>
#include <utility>

namespace asiortc::signaling {
namespace {

/// Puts a value that is JSON text already into an object, without parsing it again.
std::string splice(const json& object, std::string_view field, const json_text& value) {
  std::string out = to_text(object);
  out.pop_back();
  out.append(",\"").append(field).append("\":").append(value).push_back('}');
  return out;
}

json peer_json(const signaling_peer& peer) { return {{"id", peer.id}, {"name", peer.name}}; }

json ice_servers_json(const std::vector<ice_server>& servers) {
  json out = json::array();
  for (const ice_server& server : servers) {
    json entry{{"urls", server.urls}};
    if (!server.username.empty()) entry["username"] = server.username;
    if (!server.credential.empty()) entry["credential"] = server.credential;
    out.push_back(std::move(entry));
  }
  return out;
}

struct client_writer {
  std::string operator()(const join_message& in) const {
    json out{{"type", "join"}, {"room", in.room}};
    if (!in.name.empty()) out["name"] = in.name;
    if (!in.token.empty()) out["token"] = in.token;
    return to_text(out);
  }
  std::string operator()(const signal_request& in) const {
    json out{{"type", "signal"}, {"to", in.to}};
    if (in.n) out["n"] = *in.n;
    return splice(out, "data", in.data);
  }
  std::string operator()(const leave_message&) const { return to_text({{"type", "leave"}}); }
  std::string operator()(const ping_message& in) const {
    const json out{{"type", "ping"}};
    return in.ts.empty() ? to_text(out) : splice(out, "ts", in.ts);
  }
  std::string operator()(const ack_message& in) const {
    return to_text({{"type", "ack"}, {"seq", in.seq}});
  }
  std::string operator()(const resume_message& in) const {
    return to_text({{"type", "resume"},
                    {"session", in.session},
                    {"secret", in.secret},
                    {"last_seq", in.last_seq}});
  }
  std::string operator()(const ice_servers_request&) const {
    return to_text({{"type", "ice-servers"}});
  }
  std::string operator()(const seal_message&) const { return to_text({{"type", "seal"}}); }
  std::string operator()(const kick_message& in) const {
    return to_text({{"type", "kick"}, {"peer", in.peer}});
  }
};

struct server_writer {
  std::string operator()(const joined_message& in) const {
    json peers = json::array();
    for (const signaling_peer& peer : in.peers) peers.push_back(peer_json(peer));
    return to_text({{"type", "joined"},
                    {"room", in.room},
                    {"id", in.id},
                    {"host", in.host},
                    {"peers", std::move(peers)},
                    {"ice_servers", ice_servers_json(in.ice_servers)},
                    {"session", in.session},
                    {"secret", in.secret},
                    {"resume_ms", in.resume_ms}});
  }
  std::string operator()(const peer_joined_message& in) const {
    return to_text(
        {{"type", "peer-joined"}, {"seq", in.seq}, {"id", in.peer.id}, {"name", in.peer.name}});
  }
  std::string operator()(const peer_left_message& in) const {
    return to_text(
        {{"type", "peer-left"}, {"seq", in.seq}, {"id", in.id}, {"reason", to_string(in.reason)}});
  }
  std::string operator()(const peer_away_message& in) const {
    return to_text({{"type", "peer-away"}, {"seq", in.seq}, {"id", in.id}});
  }
  std::string operator()(const peer_back_message& in) const {
    return to_text({{"type", "peer-back"}, {"seq", in.seq}, {"id", in.id}});
  }
  std::string operator()(const signal_message& in) const {
    return splice({{"type", "signal"}, {"seq", in.seq}, {"from", in.from}}, "data", in.data);
  }
  std::string operator()(const pong_message& in) const {
    const json out{{"type", "pong"}};
    return in.ts.empty() ? to_text(out) : splice(out, "ts", in.ts);
  }
  std::string operator()(const ice_servers_message& in) const {
    return to_text({{"type", "ice-servers"}, {"ice_servers", ice_servers_json(in.ice_servers)}});
  }
  std::string operator()(const sealed_message& in) const {
    return to_text({{"type", "sealed"}, {"seq", in.seq}});
  }
  std::string operator()(const going_away_message& in) const {
    return to_text({{"type", "going-away"}, {"reconnect_ms", in.reconnect_ms}});
  }
  std::string operator()(const error_message& in) const {
    json out{{"type", "error"}, {"code", in.code}, {"message", in.message}};
    if (in.to) out["to"] = *in.to;
    if (in.n) out["n"] = *in.n;
    if (in.fatal) out["fatal"] = true;
    return to_text(out);
  }
  std::string operator()(const unknown_message&) const { return to_text({{"type", "unknown"}}); }
};

}  // namespace

std::string encode(const client_message& message) { return std::visit(client_writer{}, message); }

std::string encode(const server_message& message) { return std::visit(server_writer{}, message); }

}  // namespace asiortc::signaling

// The messages of `asiortc.v1`, without their JSON.
#pragma once

#include "signaling/codes.hpp"

#include <asiortc/configuration.hpp>
#include <asiortc/signaling_types.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace asiortc::signaling {

inline constexpr std::size_t max_client_message = std::size_t{64} * 1024;
inline constexpr std::size_t max_server_message = std::size_t{1024} * 1024;
inline constexpr std::size_t max_room_name = 64;
inline constexpr std::size_t max_peer_name = 64;
inline constexpr peer_id max_peer_id = 2147483647;
/// More than what a `signal` needs around its data.
inline constexpr std::size_t signal_overhead = 128;
/// Deeper JSON is refused; a candidate or a description needs three levels.
inline constexpr std::size_t max_json_depth = 32;

/// A JSON value as text: valid, as its sender wrote it, and never looked into by those who carry
/// it.
using json_text = std::string;

// From the client.

struct join_message {
  std::string room;
  std::string name;
  std::string token;
};

struct signal_request {
  peer_id to = 0;
  json_text data;
  std::optional<std::uint64_t> n;
};

struct leave_message {};

struct ping_message {
  json_text ts;  ///< empty where there was none
};

struct ack_message {
  std::uint64_t seq = 0;
};

struct resume_message {
  std::string session;
  std::string secret;
  std::uint64_t last_seq = 0;
};

struct ice_servers_request {};

struct seal_message {};

struct kick_message {
  peer_id peer = 0;
};

using client_message =
    std::variant<join_message, signal_request, leave_message, ping_message, ack_message,
                 resume_message, ice_servers_request, seal_message, kick_message>;

// From the server.

struct joined_message {
  std::string room;
  peer_id id = 0;
  peer_id host = 0;
  std::vector<signaling_peer> peers;
  std::vector<ice_server> ice_servers;
  std::string session;
  std::string secret;
  std::uint64_t resume_ms = 0;
};

struct peer_joined_message {
  std::uint64_t seq = 0;
  signaling_peer peer;
};

struct peer_left_message {
  std::uint64_t seq = 0;
  peer_id id = 0;
  leave_reason reason = leave_reason::closed;
};

struct peer_away_message {
  std::uint64_t seq = 0;
  peer_id id = 0;
};

struct peer_back_message {
  std::uint64_t seq = 0;
  peer_id id = 0;
};

struct signal_message {
  std::uint64_t seq = 0;
  peer_id from = 0;
  json_text data;
};

struct pong_message {
  json_text ts;
};

struct ice_servers_message {
  std::vector<ice_server> ice_servers;
};

struct sealed_message {
  std::uint64_t seq = 0;
};

struct going_away_message {
  std::uint64_t reconnect_ms = 0;
};

struct error_message {
  std::string code;  ///< text, since a newer server may have codes of its own
  std::string message;
  std::optional<peer_id> to;
  std::optional<std::uint64_t> n;
  bool fatal = false;
};

/// A type that this version does not know; it is ignored.
struct unknown_message {};

using server_message =
    std::variant<joined_message, peer_joined_message, peer_left_message, peer_away_message,
                 peer_back_message, signal_message, pong_message, ice_servers_message,
                 sealed_message, going_away_message, error_message, unknown_message>;

/// What a decoder gives: a value, or what was wrong with the text.
template <class T>
struct decoded {
  std::optional<T> value;
  std::string complaint;
  // Of a `signal` that is complained of, as far as they can be read.
  std::optional<peer_id> to = {};
  std::optional<std::uint64_t> n = {};
};

}  // namespace asiortc::signaling

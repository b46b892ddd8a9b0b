#include "signaling/peer_data.hpp"

#include "signaling/json_object.hpp"

#include <utility>

namespace asiortc::signaling {
namespace {

json description_json(const session_description& in) {
  json out;
  out["type"] = to_string(in.type);
  out["sdp"] = in.sdp;
  return out;
}

json candidate_json(const ice_candidate& in) {
  json out;
  out["candidate"] = in.candidate;
  out["sdpMid"] = in.sdp_mid ? json(*in.sdp_mid) : json();
  out["sdpMLineIndex"] = in.sdp_m_line_index ? json(*in.sdp_m_line_index) : json();
  out["usernameFragment"] = in.username_fragment ? json(*in.username_fragment) : json();
  return out;
}

std::optional<peer_signal> read_description(const json& data) {
  object_reader in(data);
  const auto type = sdp_type_from_string(in.text("type", max_server_message));
  std::string sdp = in.text_or_empty("sdp", max_server_message);  // a rollback has none
  if (!in.ok() || !type) return std::nullopt;
  return session_description(*type, std::move(sdp));
}

/// The W3C's members may be null as well as absent.
bool present(const json& data, const char* field) {
  return data.contains(field) && !data.at(field).is_null();
}

std::optional<peer_signal> read_candidate(const json& data) {
  ice_candidate out;
  object_reader in(data);
  if (present(data, "candidate")) out.candidate = in.text("candidate", max_server_message);
  if (present(data, "sdpMid")) out.sdp_mid = in.text("sdpMid", max_server_message);
  if (present(data, "sdpMLineIndex")) {
    out.sdp_m_line_index = static_cast<std::uint16_t>(in.integer("sdpMLineIndex", 0, 65535));
  }
  if (present(data, "usernameFragment")) {
    out.username_fragment = in.text("usernameFragment", max_server_message);
  }
  if (!in.ok()) return std::nullopt;
  return out;
}

}  // namespace

json_text encode_peer_data(const peer_signal& value) {
  json out;
  if (const auto* description = std::get_if<session_description>(&value)) {
    out["description"] = description_json(*description);
  } else {
    out["candidate"] = candidate_json(std::get<ice_candidate>(value));
  }
  return to_text(out);
}

std::optional<peer_signal> decode_peer_data(const json_text& data) {
  const auto object = parse_object(data);
  if (!object.value) return std::nullopt;
  const json& fields = *object.value;
  if (fields.contains("description")) {
    const json& description = fields.at("description");
    return description.is_object() ? read_description(description) : std::nullopt;
  }
  if (!fields.contains("candidate")) return std::nullopt;
  const json& candidate = fields.at("candidate");
  if (candidate.is_null()) return ice_candidate();
  return candidate.is_object() ? read_candidate(candidate) : std::nullopt;
}

}  // namespace asiortc::signaling

#include <asiortc/candidate_pair.hpp>
#include <asiortc/nat_behaviour.hpp>
#include <asiortc/session_description.hpp>
#include <asiortc/states.hpp>
#include <asiortc/stats.hpp>

#include <array>
#include <cstddef>

namespace asiortc::inline ASIORTC_ABI {
namespace {

template <class Enum, std::size_t Size>
std::string_view name_of(const std::array<std::string_view, Size>& names, Enum value) {
  const auto index = static_cast<std::size_t>(value);
  return index < Size ? names[index] : std::string_view("unknown");
}

constexpr std::array<std::string_view, 4> sdp_types{"offer", "pranswer", "answer", "rollback"};

}  // namespace

std::string_view to_string(connection_state state) noexcept {
  static constexpr std::array<std::string_view, 6> names{"new",          "connecting", "connected",
                                                         "disconnected", "failed",     "closed"};
  return name_of(names, state);
}

std::string_view to_string(ice_gathering_state state) noexcept {
  static constexpr std::array<std::string_view, 3> names{"new", "gathering", "complete"};
  return name_of(names, state);
}

std::string_view to_string(signaling_state state) noexcept {
  static constexpr std::array<std::string_view, 6> names{"stable",
                                                         "have-local-offer",
                                                         "have-remote-offer",
                                                         "have-local-pranswer",
                                                         "have-remote-pranswer",
                                                         "closed"};
  return name_of(names, state);
}

std::string_view to_string(ice_connection_state state) noexcept {
  static constexpr std::array<std::string_view, 7> names{
      "new", "checking", "connected", "completed", "disconnected", "failed", "closed"};
  return name_of(names, state);
}

std::string_view to_string(data_channel_state state) noexcept {
  static constexpr std::array<std::string_view, 4> names{"connecting", "open", "closing", "closed"};
  return name_of(names, state);
}

std::string_view to_string(sctp_transport_state state) noexcept {
  static constexpr std::array<std::string_view, 3> names{"connecting", "connected", "closed"};
  return name_of(names, state);
}

std::string_view to_string(sdp_type type) noexcept { return name_of(sdp_types, type); }

std::optional<sdp_type> sdp_type_from_string(std::string_view text) noexcept {
  for (std::size_t index = 0; index < sdp_types.size(); ++index) {
    if (sdp_types[index] == text) return static_cast<sdp_type>(index);
  }
  return std::nullopt;
}

std::string to_string(candidate_type type) {
  static constexpr std::array<std::string_view, 4> names{"host", "srflx", "prflx", "relay"};
  return std::string(name_of(names, type));
}

std::string_view to_string(candidate_pair_state state) noexcept {
  static constexpr std::array<std::string_view, 5> names{"frozen", "waiting", "in-progress",
                                                         "succeeded", "failed"};
  return name_of(names, state);
}

std::string_view to_string(ice_role role) noexcept {
  static constexpr std::array<std::string_view, 3> names{"unknown", "controlling", "controlled"};
  return name_of(names, role);
}

std::string_view to_string(dtls_role role) noexcept {
  static constexpr std::array<std::string_view, 3> names{"unknown", "client", "server"};
  return name_of(names, role);
}

std::string_view to_string(dtls_transport_state state) noexcept {
  static constexpr std::array<std::string_view, 5> names{"new", "connecting", "connected", "closed",
                                                         "failed"};
  return name_of(names, state);
}

std::string_view to_string(nat_behaviour behaviour) noexcept {
  static constexpr std::array<std::string_view, 4> names{
      "unknown", "endpoint-independent", "address-dependent", "address-and-port-dependent"};
  return name_of(names, behaviour);
}

}  // namespace asiortc::inline ASIORTC_ABI

#include <asiortc/error.hpp>
#include <asiortc/json_options.hpp>

#include <nlohmann/json.hpp>

#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace asiortc::inline ASIORTC_ABI {
namespace {

using nlohmann::json;

/// What reads wrong is named by where it stands, e.g. `configuration.iceServers[0].urls`.
[[noreturn]] void refuse(const std::string& where, const std::string& expected) {
  throw error(errc::type_error, where + ": expected " + expected);
}

json parse_object(const char* what, std::string_view text) {
  try {
    json parsed = json::parse(text);
    if (parsed.is_object()) return parsed;
  } catch (const json::parse_error& thrown) {
    throw error(errc::syntax_error,
                std::string(what) + ": malformed JSON at byte " + std::to_string(thrown.byte));
  }
  throw error(errc::syntax_error, std::string(what) + ": expected a JSON object");
}

std::string read_text(const json& value, const std::string& where) {
  if (!value.is_string()) refuse(where, "a string");
  return value.get<std::string>();
}

bool read_flag(const json& value, const std::string& where) {
  if (!value.is_boolean()) refuse(where, "true or false");
  return value.get<bool>();
}

template <class Number>
Number read_number(const json& value, const std::string& where) {
  constexpr Number most = std::numeric_limits<Number>::max();
  // A negative number is not unsigned to the parser, and one with a fraction no integer.
  if (!value.is_number_unsigned() || value.get<std::uint64_t>() > most) {
    refuse(where, "a whole number from 0 to " + std::to_string(most));
  }
  return value.get<Number>();
}

template <class Enum>
Enum read_choice(const json& value, const std::string& where,
                 std::initializer_list<std::pair<const char*, Enum>> choices) {
  std::string names;
  for (const auto& [name, meaning] : choices) {
    if (value.is_string() && value.get_ref<const std::string&>() == name) return meaning;
    names += (names.empty() ? "\"" : " or \"") + std::string(name) + "\"";
  }
  refuse(where, names);
}

ice_server read_server(const json& value, const std::string& where) {
  if (!value.is_object()) refuse(where, "an object");
  ice_server server;
  const auto urls = value.find("urls");
  if (urls == value.end()) refuse(where + ".urls", "a URL or a list of URLs");
  if (urls->is_array()) {
    for (const auto& url : *urls) server.urls.push_back(read_text(url, where + ".urls"));
  } else {
    server.urls.push_back(read_text(*urls, where + ".urls"));
  }
  if (value.contains("username")) {
    server.username = read_text(value["username"], where + ".username");
  }
  for (const char* name : {"credentials", "credential"}) {
    if (value.contains(name)) server.credential = read_text(value[name], where + "." + name);
  }
  return server;
}

std::vector<ice_server> read_servers(const json& value, const std::string& where) {
  if (!value.is_array()) refuse(where, "a list of objects");
  std::vector<ice_server> servers;
  for (const auto& each : value) {
    servers.push_back(read_server(each, where + "[" + std::to_string(servers.size()) + "]"));
  }
  return servers;
}

}  // namespace

configuration parse_configuration(std::string_view text, configuration defaults) {
  const json object = parse_object("configuration", text);
  configuration config = std::move(defaults);
  for (const auto& [key, value] : object.items()) {
    const std::string where = "configuration." + key;
    if (key == "iceServers") {
      config.ice_servers = read_servers(value, where);
    } else if (key == "iceTransportPolicy") {
      using policy = ice_transport_policy;
      config.ice_transport_policy =
          read_choice<policy>(value, where, {{"all", policy::all}, {"relay", policy::relay}});
    } else if (key == "bundlePolicy") {
      using policy = bundle_policy;
      config.bundle_policy = read_choice<policy>(value, where,
                                                 {{"balanced", policy::balanced},
                                                  {"max-compat", policy::max_compat},
                                                  {"max-bundle", policy::max_bundle}});
    } else if (key == "rtcpMuxPolicy") {
      using policy = rtcp_mux_policy;
      config.rtcp_mux_policy = read_choice<policy>(value, where, {{"require", policy::require}});
    } else if (key == "iceCandidatePoolSize") {
      config.ice_candidate_pool_size = read_number<std::uint8_t>(value, where);
    } else {
      refuse(where,
             "one of iceServers, iceTransportPolicy, bundlePolicy, rtcpMuxPolicy, "
             "iceCandidatePoolSize");
    }
  }
  return config;
}

data_channel_init parse_data_channel_init(std::string_view text) {
  const json object = parse_object("data_channel_init", text);
  data_channel_init init;
  for (const auto& [key, value] : object.items()) {
    const std::string where = "data_channel_init." + key;
    if (key == "ordered") {
      init.ordered = read_flag(value, where);
    } else if (key == "maxPacketLifeTime" || key == "maxPacketLifetime") {
      init.max_packet_life_time =
          std::chrono::milliseconds(read_number<std::uint16_t>(value, where));
    } else if (key == "maxRetransmits") {
      init.max_retransmits = read_number<std::uint16_t>(value, where);
    } else if (key == "protocol") {
      init.protocol = read_text(value, where);
    } else if (key == "negotiated") {
      init.negotiated = read_flag(value, where);
    } else if (key == "id") {
      init.id = read_number<std::uint16_t>(value, where);
    } else {
      refuse(where, "one of ordered, maxPacketLifeTime, maxRetransmits, protocol, negotiated, id");
    }
  }
  return init;
}

}  // namespace asiortc::inline ASIORTC_ABI

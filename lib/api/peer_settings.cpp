#include "api/peer_settings.hpp"

#include "api/ice_server_url.hpp"
#include "base/utf8.hpp"
#include "io/clock.hpp"

#include <asiortc/udp_mux.hpp>

#include <chrono>
#include <utility>

namespace asiortc::inline ASIORTC_ABI::detail {
namespace {

using std::chrono::system_clock;

constexpr std::size_t max_label_bytes = 65535;  // RFC 8832 5.1: a 16-bit length
constexpr std::size_t max_external_addresses = 16;
constexpr std::uint16_t max_channel_id = 65534;  // RFC 8831 6.4: 65535 is reserved by SCTP

io::turn_transport turn_transport_of(const ice_server_url& url) {
  if (url.scheme == ice_server_url::scheme_type::turns) return io::turn_transport::tls;
  return url.transport == ice_server_url::transport_type::tcp ? io::turn_transport::tcp
                                                              : io::turn_transport::udp;
}

void add_server(const ice_server& server, io::driver_options& driver) {
  if (server.urls.empty()) {
    throw error(errc::syntax_error, "ICE server: expected at least one URL");
  }
  for (const auto& text : server.urls) {
    const auto url = parse_ice_server_url(text).value();
    if (url.is_turn() && (server.username.empty() || server.credential.empty())) {
      throw error(errc::invalid_access,
                  "ICE server URL \"" + text + "\": expected a username and a credential");
    }
    const bool is_dtls = url.scheme == ice_server_url::scheme_type::turns &&
                         url.transport == ice_server_url::transport_type::udp;
    if (is_dtls) {
      driver.turn_over_dtls.push_back(text);
    } else if (url.is_turn()) {
      driver.turn_servers.push_back(
          {text, url.host, url.port, turn_transport_of(url), server.username, server.credential});
    } else if (url.scheme == ice_server_url::scheme_type::stun) {
      driver.stun_servers.push_back({text, url.host, url.port});
    } else {
      driver.log(log_level::warning, [&] {
        return "ICE server " + text + " is not used: a mapped address over TLS helps no UDP";
      });
    }
  }
}

void check_trust(const std::string& certificates) {
  if (certificates.empty() || crypto::has_certificate(certificates)) return;
  throw error(errc::syntax_error,
              "configuration.turn_trusted_certificates: expected certificates in PEM");
}

void add_servers(const configuration& config, io::driver_options& driver) {
  for (const auto& server : config.ice_servers) add_server(server, driver);
  check_trust(config.turn_trusted_certificates);
  driver.turn_trusted_certificates = config.turn_trusted_certificates;
}

/// webrtc-pc 4.4.1.6, and the same for what the W3C has no field for.
void check_unchanged(bool same, const char* field) {
  if (same) return;
  throw error(errc::invalid_modification,
              std::string("configuration.") + field + " cannot be changed after construction");
}

std::shared_ptr<const crypto::identity> identity_of(const configuration& config) {
  const auto now = system_clock::now();
  if (config.certificates.empty()) {
    return certificate::generate(certificate_options(now)).native_handle();
  }
  for (const auto& each : config.certificates) {
    if (each.expires() <= now) {
      throw error(errc::invalid_access, "configuration.certificates: a certificate has expired");
    }
  }
  return config.certificates.front().native_handle();
}

base::ip_address parse_literal(const char* what, const std::string& text) {
  const auto address = base::ip_address::parse(text);
  if (!address) {
    throw error(errc::syntax_error, std::string("configuration.external_addresses: ") + what +
                                        " \"" + text + "\": expected an IPv4 or IPv6 address");
  }
  return *address;
}

void add_external_address(const external_address& given, io::driver_options& driver) {
  if (driver.external_addresses.size() == max_external_addresses) {
    throw error(errc::type_error, "configuration.external_addresses: expected at most 16");
  }
  io::address_mapping mapping;
  mapping.external = parse_literal("external", given.external);
  if (!given.local.empty()) mapping.local = parse_literal("local", given.local);
  if (mapping.local && mapping.local->is_v4() != mapping.external.is_v4()) {
    throw error(errc::type_error, "configuration.external_addresses: " + given.external + " and " +
                                      given.local + " are not of one family");
  }
  driver.external_addresses.push_back(mapping);
}

void check_ports(const configuration& config) {
  if (config.port_min > config.port_max) {
    throw error(errc::type_error, "configuration: port_min " + std::to_string(config.port_min) +
                                      " is above port_max " + std::to_string(config.port_max));
  }
}

void check_time(const char* name, std::chrono::milliseconds given,
                std::chrono::milliseconds least) {
  using namespace std::chrono_literals;
  if (given >= least && given <= 24h) return;
  throw error(errc::type_error, std::string("configuration.timeouts.") + name + " is " +
                                    std::to_string(given.count()) + " ms, expected " +
                                    std::to_string(least.count()) + " ms to 24 h");
}

void check_times(const timeouts& given) {
  using namespace std::chrono_literals;
  check_time("ice_failed", given.ice_failed, 1ms);
  check_time("no_candidates_grace", given.no_candidates_grace, 0ms);
  check_time("disconnected", given.disconnected, 1ms);
  check_time("consent", given.consent, 1ms);
  // RFC 8445 14.2: an agent sends at most one packet in 50 ms.
  check_time("consent_interval", given.consent_interval, 50ms);
  check_time("keepalive", given.keepalive, 50ms);
  check_time("direct_acceptance", given.direct_acceptance, 0ms);
  check_time("relay_acceptance", given.relay_acceptance, 0ms);
  check_time("stun_rto", given.stun_rto, 50ms);
  check_time("name_lookup", given.name_lookup, 1ms);
  check_time("turn_connect", given.turn_connect, 1ms);
  check_time("turn_allocation", given.turn_allocation, 1ms);
  check_time("dtls_handshake", given.dtls_handshake, 1ms);
  check_time("close_drain", given.close_drain, 0ms);
}

void check_sizes(const configuration& config) {
  constexpr std::size_t most = std::size_t{1} << 30;
  if (config.max_message_size == 0 || config.max_message_size > most) {
    throw error(errc::type_error, "configuration.max_message_size is " +
                                      std::to_string(config.max_message_size) +
                                      ", expected 1 to 2^30");
  }
  if (config.receive_budget < config.max_message_size) {
    throw error(errc::type_error, "configuration.receive_budget is " +
                                      std::to_string(config.receive_budget) +
                                      ", expected max_message_size or more, " +
                                      std::to_string(config.max_message_size));
  }
  if (config.max_channels == 0 || config.max_channels > 65535) {
    throw error(errc::type_error, "configuration.max_channels is " +
                                      std::to_string(config.max_channels) +
                                      ", expected 1 to 65535");
  }
}

}  // namespace

peer_settings make_peer_settings(const configuration& config) {
  check_ports(config);
  check_times(config.timeouts);
  check_sizes(config);
  if (config.udp_mux && !config.udp_mux->is_open()) {
    throw error(errc::invalid_state, "configuration.udp_mux: it is closed");
  }
  peer_settings made;
  const base::logger log(config.log, config.log_threshold, "peer");
  made.core.bundle_policy = config.bundle_policy;
  made.core.ice.relay_only = config.ice_transport_policy == ice_transport_policy::relay;
  made.core.ice.hide_addresses = config.mdns_candidates == mdns_candidates::hide;
  made.driver.hide_addresses = made.core.ice.hide_addresses;
  made.core.ice.pac_timeout = config.timeouts.ice_failed;
  made.core.ice.no_candidates_grace = config.timeouts.no_candidates_grace;
  made.core.ice.disconnected_after = config.timeouts.disconnected;
  made.core.ice.consent_timeout = config.timeouts.consent;
  made.core.ice.consent_interval = config.timeouts.consent_interval;
  made.core.ice.keepalive_interval = config.timeouts.keepalive;
  made.core.ice.settle_direct = config.timeouts.direct_acceptance;
  made.core.ice.settle_costly = config.timeouts.relay_acceptance;
  made.core.ice.initial_rto = config.timeouts.stun_rto;
  made.core.turn.rto = config.timeouts.stun_rto;
  made.core.turn.give_up_after = config.timeouts.turn_allocation;
  made.driver.lookup_timeout = config.timeouts.name_lookup;
  made.driver.turn_connect_timeout = config.timeouts.turn_connect;
  // As over UDP, where the request and its repetitions take so long.
  made.driver.turn_answer_wait = 19 * config.timeouts.stun_rto;
  made.driver.turn_patience = config.timeouts.turn_allocation;
  made.core.ice.lite = config.ice_lite;
  made.core.ice.tcp = config.ice_tcp && !made.core.ice.relay_only;
  made.core.pool_candidates = config.ice_candidate_pool_size > 0;
  made.core.dtls_handshake_timeout = config.timeouts.dtls_handshake;
  made.core.channels.max_message_size = config.max_message_size;
  made.core.channels.receive_budget = config.receive_budget;
  made.core.channels.max_channels = config.max_channels;
  made.core.channels.log = log.named("datachannel");
  made.driver.port_min = config.port_min;
  made.driver.port_max = config.port_max;
  made.driver.ice_tcp = made.core.ice.tcp;
  made.driver.interface_filter = config.interface_filter;
  if (config.udp_mux) made.driver.mux = config.udp_mux->native_handle();
  made.driver.resolver = config.resolver;
  made.driver.log = log;
  add_servers(config, made.driver);
  for (const auto& each : config.external_addresses) add_external_address(each, made.driver);
  made.core.identity = identity_of(config);
  made.core.wall_clock_offset = std::chrono::duration_cast<base::duration>(
      system_clock::now().time_since_epoch() - io::clock_now().time_since_epoch());
  return made;
}

io::driver_options make_next_servers(const configuration& before, const configuration& next,
                                     bool described) {
  const bool certificates_given = !next.certificates.empty();
  check_unchanged(!certificates_given || next.certificates == before.certificates, "certificates");
  check_unchanged(next.bundle_policy == before.bundle_policy, "bundle_policy");
  check_unchanged(next.rtcp_mux_policy == before.rtcp_mux_policy, "rtcp_mux_policy");
  check_unchanged(next.ice_lite == before.ice_lite, "ice_lite");
  check_unchanged(next.ice_tcp == before.ice_tcp, "ice_tcp");
  check_unchanged(next.udp_mux == before.udp_mux, "udp_mux");
  check_unchanged(next.port_min == before.port_min, "port_min");
  check_unchanged(next.port_max == before.port_max, "port_max");
  check_unchanged(next.mdns_candidates == before.mdns_candidates, "mdns_candidates");
  check_unchanged(next.external_addresses == before.external_addresses, "external_addresses");
  check_unchanged(next.timeouts == before.timeouts, "timeouts");
  check_unchanged(next.max_message_size == before.max_message_size, "max_message_size");
  check_unchanged(next.receive_budget == before.receive_budget, "receive_budget");
  check_unchanged(next.max_channels == before.max_channels, "max_channels");
  check_unchanged(next.send_high_water == before.send_high_water, "send_high_water");
  check_unchanged(next.resolver == before.resolver, "resolver");
  check_unchanged(next.log_threshold == before.log_threshold, "log_threshold");
  if (described && next.ice_candidate_pool_size != before.ice_candidate_pool_size) {
    throw error(errc::invalid_modification,
                "configuration.ice_candidate_pool_size cannot be changed after a local description "
                "was set");
  }
  io::driver_options made;
  made.log = base::logger(next.log, next.log_threshold, "peer");
  add_servers(next, made);
  return made;
}

void check_channel_arguments(const std::string& label, const data_channel_init& init) {
  const auto check_text = [](const char* what, const std::string& text) {
    if (text.size() > max_label_bytes) {
      throw error(errc::type_error, std::string("create_data_channel: the ") + what + " has " +
                                        std::to_string(text.size()) +
                                        " bytes, at most 65535 are allowed");
    }
    if (!base::is_valid_utf8(text)) {
      throw error(errc::type_error,
                  std::string("create_data_channel: the ") + what + " is not valid UTF-8");
    }
  };
  check_text("label", label);
  check_text("protocol", init.protocol);
  if (init.max_retransmits && init.max_packet_life_time) {
    throw error(errc::type_error,
                "create_data_channel: max_retransmits and max_packet_life_time exclude each other");
  }
  if (init.max_packet_life_time &&
      (init.max_packet_life_time->count() < 0 || init.max_packet_life_time->count() > 65535)) {
    throw error(errc::type_error,
                "create_data_channel: max_packet_life_time must be 0 to 65535 ms");
  }
  if (!init.negotiated) return;
  if (!init.id || *init.id > max_channel_id) {
    throw error(errc::type_error, "create_data_channel: negotiated needs an id from 0 to 65534");
  }
}

}  // namespace asiortc::inline ASIORTC_ABI::detail

namespace asiortc::inline ASIORTC_ABI {

void check_ice_server(const ice_server& server) {
  io::driver_options unused;
  detail::add_server(server, unused);
}

std::vector<interface_address> list_interface_addresses() {
  std::vector<interface_address> found;
  for (const auto& each : io::list_system_addresses()) {
    interface_address shown;
    shown.interface_name = each.interface_name;
    shown.address = each.address.to_string();
    found.push_back(std::move(shown));
  }
  return found;
}

}  // namespace asiortc::inline ASIORTC_ABI

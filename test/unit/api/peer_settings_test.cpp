#include "api/peer_settings.hpp"

#include <asiortc/error.hpp>

#include <doctest/doctest.h>

#include <chrono>

namespace asiortc::detail {
namespace {

/// What the constructor would throw; empty where it would not.
std::string complaint(const configuration& config) {
  try {
    (void)make_peer_settings(config);
  } catch (const error& refused) {
    return refused.what();
  }
  return "";
}

}  // namespace

TEST_CASE("external addresses must be literals of one family") {
  configuration config;
  config.external_addresses = {external_address("203.0.113.1"),
                               external_address("2001:db8::1", "fd00::1")};
  CHECK(complaint(config).empty());
  CHECK(make_peer_settings(config).driver.external_addresses.size() == 2);
  config.external_addresses = {external_address("example.org")};
  CHECK(complaint(config).find("example.org") != std::string::npos);
  config.external_addresses = {external_address("203.0.113.1", "fd00::1")};
  CHECK(complaint(config).find("not of one family") != std::string::npos);
  config.external_addresses.assign(17, external_address("203.0.113.1"));
  CHECK(complaint(config).find("at most 16") != std::string::npos);
}

TEST_CASE("the certificates trusted for TURN must be some") {
  configuration config;
  config.turn_trusted_certificates = "no certificate";
  CHECK(complaint(config).find("expected certificates in PEM") != std::string::npos);
  const certificate_options soon(std::chrono::system_clock::now() + std::chrono::hours(1));
  config.turn_trusted_certificates = "A line of words\n" + certificate::generate(soon).to_pem();
  CHECK(complaint(config).empty());
}

TEST_CASE("times and sizes out of bounds are refused by name, with what was expected") {
  configuration config;
  config.timeouts.consent_interval = std::chrono::milliseconds(0);
  CHECK(complaint(config).starts_with(
      "configuration.timeouts.consent_interval is 0 ms, expected 50 ms to 24 h"));
  config.timeouts.consent_interval = std::chrono::milliseconds(50);
  config.timeouts.keepalive = std::chrono::milliseconds(-1);
  CHECK(complaint(config).starts_with(
      "configuration.timeouts.keepalive is -1 ms, expected 50 ms to 24 h"));
  config.timeouts.keepalive = std::chrono::hours(24);
  config.timeouts.consent = std::chrono::milliseconds(0);
  CHECK(complaint(config).starts_with(
      "configuration.timeouts.consent is 0 ms, expected 1 ms to 24 h"));
  config.timeouts.consent = std::chrono::milliseconds::max();
  CHECK(complaint(config).find("timeouts.consent is ") != std::string::npos);
  config.timeouts.consent = std::chrono::milliseconds(1);
  config.timeouts.close_drain = std::chrono::milliseconds(0);
  CHECK(complaint(config).empty());
  config.max_message_size = 0;
  CHECK(complaint(config).starts_with("configuration.max_message_size is 0, expected 1 to 2^30"));
  config.max_message_size = 1000;
  config.receive_budget = 999;
  CHECK(complaint(config).starts_with(
      "configuration.receive_budget is 999, expected max_message_size or more, 1000"));
  config.receive_budget = 1000;
  CHECK(complaint(config).empty());
  for (const std::size_t channels : {0U, 65536U}) {
    config.max_channels = channels;
    CHECK(complaint(config).starts_with("configuration.max_channels is " +
                                        std::to_string(channels) + ", expected 1 to 65535"));
  }
  config.max_channels = 65535;
  CHECK(complaint(config).empty());
}

TEST_CASE("an ICE server is checked before there is a connection") {
  ice_server turn("turn:example.org");
  const auto refusal = [&turn] {
    try {
      check_ice_server(turn);
    } catch (const error& refused) {
      return refused.code();
    }
    return boost::system::error_code();
  };
  CHECK(refusal() == errc::invalid_access);
  turn.username = "user";
  CHECK(refusal() == errc::invalid_access);
  std::swap(turn.username, turn.credential);
  CHECK(refusal() == errc::invalid_access);
  turn.username = "user";
  CHECK_NOTHROW(check_ice_server(turn));
  CHECK_NOTHROW(check_ice_server(ice_server("stun:example.org")));
  CHECK_THROWS_AS(check_ice_server(ice_server("foo")), const error&);
  CHECK_THROWS_AS(check_ice_server(ice_server()), const error&);
}

TEST_CASE("the ICE options of a configuration reach the agent") {
  configuration config;
  config.ice_lite = true;
  config.ice_candidate_pool_size = 2;
  config.timeouts.consent_interval = std::chrono::seconds(1);
  config.timeouts.direct_acceptance = std::chrono::milliseconds(0);
  config.timeouts.relay_acceptance = std::chrono::seconds(2);
  const auto made = make_peer_settings(config);
  CHECK(made.core.ice.lite);
  CHECK(made.core.pool_candidates);
  CHECK(made.core.ice.consent_interval == std::chrono::seconds(1));
  CHECK(made.core.ice.settle_direct == std::chrono::seconds(0));
  CHECK(made.core.ice.settle_costly == std::chrono::seconds(2));
}

TEST_CASE("addresses are hidden where that is wanted, under relay too since that may change") {
  configuration config;
  CHECK_FALSE(make_peer_settings(config).driver.hide_addresses);
  CHECK_FALSE(make_peer_settings(config).core.ice.hide_addresses);
  config.mdns_candidates = mdns_candidates::hide;
  CHECK(make_peer_settings(config).driver.hide_addresses);
  CHECK(make_peer_settings(config).core.ice.hide_addresses);
  config.ice_transport_policy = ice_transport_policy::relay;
  CHECK(make_peer_settings(config).driver.hide_addresses);
}

}  // namespace asiortc::detail

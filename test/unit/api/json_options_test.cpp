// Options as JSON text.
#include <asiortc/error.hpp>
#include <asiortc/json_options.hpp>

#include <doctest/doctest.h>

#include <string>

namespace asiortc::test {
namespace {

using std::chrono::milliseconds;

/// The code, where the words name `piece`.
template <class Parse>
errc refusal(Parse parse, const char* text, const std::string& piece) {
  try {
    static_cast<void>(parse(text));
  } catch (const error& thrown) {
    CAPTURE(std::string(thrown.what()));
    CHECK(std::string(thrown.what()).find(piece) != std::string::npos);
    return static_cast<errc>(thrown.code().value());
  }
  FAIL("accepted: " << text);
  return errc::closed;
}

}  // namespace

TEST_CASE("a configuration is read from JSON with the names of the W3C") {
  configuration defaults;
  defaults.port_min = 5000;
  const auto config = parse_configuration(R"({
    "iceServers": [{"urls": "stun:a.example"},
                   {"urls": ["turn:b.example", "turns:b.example"], "username": "u",
                    "credential": "c", "credentialType": "password"},
                   {"urls": "turn:c.example", "username": "u", "credentials": "of Godot"}],
    "iceTransportPolicy": "relay", "bundlePolicy": "max-bundle", "rtcpMuxPolicy": "require",
    "iceCandidatePoolSize": 3})",
                                          defaults);
  REQUIRE(config.ice_servers.size() == 3);
  CHECK(config.ice_servers[0].urls == std::vector<std::string>{"stun:a.example"});
  CHECK(config.ice_servers[1].urls ==
        std::vector<std::string>{"turn:b.example", "turns:b.example"});
  CHECK(config.ice_servers[1].username == "u");
  CHECK(config.ice_servers[1].credential == "c");
  CHECK(config.ice_servers[2].credential == "of Godot");
  CHECK(config.ice_transport_policy == ice_transport_policy::relay);
  CHECK(config.bundle_policy == bundle_policy::max_bundle);
  CHECK(config.ice_candidate_pool_size == 3);
  CHECK(config.port_min == 5000);
  CHECK(parse_configuration("{}").ice_servers.empty());
}

TEST_CASE("a configuration in JSON is refused by the name of what is wrong") {
  const auto parse = [](const char* text) { return parse_configuration(text); };
  CHECK(refusal(parse, "", "malformed JSON") == errc::syntax_error);
  CHECK(refusal(parse, "{\"iceServers\":[}", "at byte 16") == errc::syntax_error);
  CHECK(refusal(parse, "[]", "JSON object") == errc::syntax_error);
  CHECK(refusal(parse, R"({"iceServer":[]})", "configuration.iceServer: expected one of") ==
        errc::type_error);
  CHECK(refusal(parse, R"({"iceServers":{}})", "a list of objects") == errc::type_error);
  CHECK(refusal(parse, R"({"iceServers":[{"url":"stun:a"}]})", "iceServers[0].urls") ==
        errc::type_error);
  CHECK(refusal(parse, R"({"iceServers":[{"urls":[1]}]})", "iceServers[0].urls: expected a str") ==
        errc::type_error);
  CHECK(refusal(parse, R"({"iceServers":[{"urls":"stun:a","username":1}]})", "[0].username") ==
        errc::type_error);
  CHECK(refusal(parse, R"({"iceTransportPolicy":"none"})", "\"all\" or \"relay\"") ==
        errc::type_error);
  CHECK(refusal(parse, R"({"iceCandidatePoolSize":256})", "0 to 255") == errc::type_error);
  CHECK(refusal(parse, R"({"iceCandidatePoolSize":-1})", "0 to 255") == errc::type_error);
}

TEST_CASE("options of a channel are read from JSON, with either name of its life time") {
  const auto init = parse_data_channel_init(
      R"({"ordered":false,"maxRetransmits":0,"protocol":"chat","negotiated":true,"id":7})");
  CHECK_FALSE(init.ordered);
  CHECK(init.max_retransmits == std::uint16_t{0});
  CHECK(init.protocol == "chat");
  CHECK(init.negotiated);
  CHECK(init.id == std::uint16_t{7});
  CHECK(parse_data_channel_init(R"({"maxPacketLifeTime":9})").max_packet_life_time ==
        milliseconds(9));
  CHECK(parse_data_channel_init(R"({"maxPacketLifetime":9})").max_packet_life_time ==
        milliseconds(9));
  CHECK(parse_data_channel_init("{}") == data_channel_init());
  const auto parse = [](const char* text) { return parse_data_channel_init(text); };
  CHECK(refusal(parse, R"({"maxRetransmit":1})", "data_channel_init.maxRetransmit:") ==
        errc::type_error);
  CHECK(refusal(parse, R"({"ordered":1})", "true or false") == errc::type_error);
  CHECK(refusal(parse, R"({"maxRetransmits":1.5})", "whole number") == errc::type_error);
  CHECK(refusal(parse, R"({"id":65536})", "0 to 65535") == errc::type_error);
}

}  // namespace asiortc::test

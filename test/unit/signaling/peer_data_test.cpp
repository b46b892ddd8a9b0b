#include "signaling/peer_data.hpp"

#include "signaling/url.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

namespace sig = asiortc::signaling;
using asiortc::ice_candidate;
using asiortc::session_description;
using json = nlohmann::json;

TEST_CASE("a description is written as a browser's toJSON gives it") {
  const session_description offer(asiortc::sdp_type::offer, "v=0\r\n");
  const auto text = sig::encode_peer_data(offer);
  CHECK(json::parse(text) == json{{"description", {{"type", "offer"}, {"sdp", "v=0\r\n"}}}});
  const auto back = sig::decode_peer_data(text);
  REQUIRE(back);
  CHECK(std::get<session_description>(*back) == offer);
}

TEST_CASE("a candidate is written with its four members") {
  ice_candidate in;
  in.candidate = "candidate:1 1 udp 1 1.2.3.4 5 typ host";
  in.sdp_mid = "0";
  in.sdp_m_line_index = std::uint16_t{0};
  const auto text = sig::encode_peer_data(in);
  CHECK(json::parse(text) == json{{"candidate",
                                   {{"candidate", in.candidate},
                                    {"sdpMid", "0"},
                                    {"sdpMLineIndex", 0},
                                    {"usernameFragment", json()}}}});
  const auto back = sig::decode_peer_data(text);
  REQUIRE(back);
  CHECK(std::get<ice_candidate>(*back) == in);
}

TEST_CASE("a null candidate and an empty one end the candidates") {
  for (const char* text : {R"({"candidate":null})", R"({"candidate":{"candidate":""}})",
                           R"({"candidate":{"candidate":"","sdpMid":null}})"}) {
    const auto back = sig::decode_peer_data(text);
    REQUIRE(back);
    CHECK(std::get<ice_candidate>(*back) == ice_candidate());
  }
}

TEST_CASE("a rollback needs no sdp") {
  const auto back = sig::decode_peer_data(R"({"description":{"type":"rollback"}})");
  REQUIRE(back);
  CHECK(std::get<session_description>(*back).type == asiortc::sdp_type::rollback);
}

TEST_CASE("data of another shape is nothing") {
  for (const char* text :
       {"", "{}", "[]", R"({"description":"x"})", R"({"description":{"type":"demand","sdp":""}})",
        R"({"description":{"type":"offer","sdp":1}})", R"({"candidate":"candidate:1"})",
        R"({"candidate":{"candidate":"x","sdpMLineIndex":70000}})",
        R"({"candidate":{"candidate":"x","sdpMid":1}})", R"({"chat":"hello"})"}) {
    CAPTURE(text);
    CHECK_FALSE(sig::decode_peer_data(text));
  }
}

TEST_CASE("a WebSocket URL is taken apart") {
  sig::websocket_url url;
  REQUIRE_FALSE(sig::websocket_url::parse("ws://example.org:8765/", url));
  CHECK(url.host == "example.org");
  CHECK(url.port == 8765);
  CHECK(url.target == "/");
  CHECK(url.authority == "example.org:8765");
  url = {};
  REQUIRE_FALSE(sig::websocket_url::parse("ws://[::1]:9/x?y=1", url));
  CHECK(url.host == "::1");
  CHECK(url.target == "/x?y=1");
  url = {};
  REQUIRE_FALSE(sig::websocket_url::parse("WS://host", url));
  CHECK(url.port == 80);
}

TEST_CASE("what is no WebSocket URL is refused") {
  sig::websocket_url url;
  for (const char* text : {"",
                           "w",
                           "ws:",
                           "ws:/x",
                           "host",
                           "http://host/",
                           "ws://",
                           "ws:///",
                           "ws://:80/",
                           "ws://h:0/",
                           "ws://h:65536/",
                           "ws://h:1x/",
                           "ws://[::1/",
                           "ws://[::1]x/",
                           "ws://u@h/",
                           "ws://h/#f",
                           "ws://h/a b",
                           "ws://h?x",
                           "ws://h:/",
                           "ws://h\r\nx/"}) {
    CAPTURE(text);
    url = {};
    CHECK(sig::websocket_url::parse(text, url) == asiortc::errc::syntax_error);
  }
  CHECK(sig::websocket_url::parse("wss://host/", url) == asiortc::errc::not_supported);
}

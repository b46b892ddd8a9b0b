// Descriptions as other stacks write them.
#include "unit/peer/fixture.hpp"
#include "unit/sdp/samples.hpp"

#include <doctest/doctest.h>

namespace asiortc::test {
namespace {

constexpr std::string_view any_fingerprint =
    "sha-256 7B:8B:F0:65:5F:78:E2:51:3B:AC:6F:F3:3F:46:1B:35:"
    "DC:B8:5F:64:1A:24:C2:43:F0:A1:58:D0:A1:2C:19:08";

std::string transport_lines(std::string_view ufrag, std::string_view setup) {
  return "a=ice-ufrag:" + std::string(ufrag) +
         "\n"
         "a=ice-pwd:eGyBIbFhWLZwBDhVkJ2kUQ5R\n"
         "a=ice-options:trickle\n"
         "a=fingerprint:" +
         std::string(any_fingerprint) + "\na=setup:" + std::string(setup) + "\n";
}

/// Audio, video and data in one BUNDLE, as Chromium offers them.
std::string chromium_offer(std::string_view group = "a=group:BUNDLE 0 1 2\n") {
  return crlf(
      "v=0\n"
      "o=- 8403615332048243445 2 IN IP4 127.0.0.1\n"
      "s=-\n"
      "t=0 0\n" +
      std::string(group) +
      "a=extmap-allow-mixed\n"
      "a=msid-semantic: WMS stream\n"
      "m=audio 9 UDP/TLS/RTP/SAVPF 111 0\n"
      "c=IN IP4 0.0.0.0\n"
      "a=rtcp:9 IN IP4 0.0.0.0\n" +
      transport_lines("aUdi", "actpass") +
      "a=mid:0\n"
      "a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level\n"
      "a=sendrecv\n"
      "a=msid:stream track\n"
      "a=rtcp-mux\n"
      "a=rtpmap:111 opus/48000/2\n"
      "a=rtcp-fb:111 transport-cc\n"
      "a=fmtp:111 minptime=10;useinbandfec=1\n"
      "a=rtpmap:0 PCMU/8000\n"
      "m=video 9 UDP/TLS/RTP/SAVPF 96\n"
      "c=IN IP4 0.0.0.0\n" +
      transport_lines("vIde", "actpass") +
      "a=mid:1\n"
      "a=sendrecv\n"
      "a=rtcp-mux\n"
      "a=rtpmap:96 VP8/90000\n"
      "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\n"
      "c=IN IP4 0.0.0.0\n" +
      transport_lines("dAta", "actpass") +
      "a=mid:2\n"
      "a=sctp-port:5000\n"
      "a=max-message-size:262144\n");
}

const std::string host = "candidate:1 1 udp 2122260223 192.0.2.7 5000 typ host generation 0 ufrag ";

}  // namespace

TEST_CASE("audio, video and data of Chromium: data is taken, the tagged audio is kept inactive") {
  lone_peer peer;
  REQUIRE(peer.set_remote(sdp_type::offer, chromium_offer()));
  const std::string answer = peer.answer();
  CHECK(line_of(answer, "m=audio") == "m=audio 9 UDP/TLS/RTP/SAVPF 111 0");
  CHECK(line_of(answer, "m=video") == "m=video 0 UDP/TLS/RTP/SAVPF 96");
  CHECK(line_of(answer, "m=application") == "m=application 9 UDP/DTLS/SCTP webrtc-datachannel");
  CHECK(line_of(answer, "a=group") == "a=group:BUNDLE 0 2");
  CHECK(count_of(answer, "a=inactive\r\n") == 1);
  CHECK(count_of(answer, "a=rtcp-mux\r\n") == 1);
  CHECK(count_of(answer, "a=rtpmap:111 opus/48000/2\r\n") == 1);
  CHECK(count_of(answer, "a=fmtp:111 minptime=10;useinbandfec=1\r\n") == 1);
  CHECK(count_of(answer, "a=mid:") == 3);
  REQUIRE(peer.set_local());
  peer.gather();
  // The transport is that of the tagged section, and its candidates are told for it.
  CHECK(peer.candidates().at(0).sdp_mid == "0");
  CHECK(peer.add(host + "aUdi", "2"));
  CHECK(failure_of(peer.add(host + "dAta", "2")).code == errc::operation_error);
  CHECK(peer->candidate_pairs(start).size() == 1);
}

TEST_CASE("a data section that leads the group needs no audio kept alive") {
  lone_peer peer;
  REQUIRE(peer.set_remote(sdp_type::offer, chromium_offer("a=group:BUNDLE 2 0 1\n")));
  const std::string answer = peer.answer();
  CHECK(line_of(answer, "m=audio") == "m=audio 0 UDP/TLS/RTP/SAVPF 111 0");
  CHECK(line_of(answer, "a=group") == "a=group:BUNDLE 2");
  REQUIRE(peer.set_local());
  CHECK(peer.add(host + "dAta", "2"));
}

TEST_CASE("without BUNDLE the data section has its own transport") {
  lone_peer peer;
  REQUIRE(peer.set_remote(sdp_type::offer, chromium_offer("")));
  const std::string answer = peer.answer();
  CHECK(line_of(answer, "m=audio") == "m=audio 0 UDP/TLS/RTP/SAVPF 111 0");
  CHECK(line_of(answer, "a=group").empty());
  REQUIRE(peer.set_local());
  CHECK(peer.add(host + "dAta", "2"));
}

TEST_CASE("under our own max-bundle, data that is not bundled with the first section is rejected") {
  peer::settings settings;
  settings.bundle_policy = bundle_policy::max_bundle;
  for (const bool bundled : {false, true}) {
    CAPTURE(bundled);
    lone_peer peer(1, settings);
    REQUIRE(peer.set_remote(sdp_type::offer,
                            bundled ? chromium_offer() : chromium_offer("a=group:BUNDLE 1 2\n")));
    const std::string answer = peer.answer();
    CHECK(line_of(answer, "m=application")
              .starts_with(bundled ? "m=application 9" : "m=application 0"));
  }
}

TEST_CASE("the place of a rejected section is used again for data, under a mid of its own") {
  lone_peer peer;
  std::string media = chromium_offer("");
  media.resize(media.find("m=application"));
  REQUIRE(peer.set_remote(sdp_type::offer, media));
  CHECK(count_of(peer.answer(), "\r\nm=") == 2);
  REQUIRE(peer.set_local());
  peer.create_channel();
  const std::string offer = peer.offer();
  CHECK(count_of(offer, "\r\nm=") == 2);
  CHECK(line_of(offer, "m=") == "m=application 9 UDP/DTLS/SCTP webrtc-datachannel");
  CHECK(line_of(offer, "a=mid") == "a=mid:2");
  CHECK(line_of(offer, "m=", 1) == "m=video 0 UDP/TLS/RTP/SAVPF 96");
  CHECK(line_of(offer, "a=group") == "a=group:BUNDLE 2");
  REQUIRE(peer.set_local());
  REQUIRE(
      peer.set_remote(sdp_type::answer, crlf("v=0\no=- 1 2 IN IP4 127.0.0.1\ns=-\nt=0 0\n"
                                             "a=group:BUNDLE 2\n"
                                             "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\n"
                                             "c=IN IP4 0.0.0.0\n" +
                                             transport_lines("dAta", "active") +
                                             "a=mid:2\n"
                                             "m=video 0 UDP/TLS/RTP/SAVPF 96\n"
                                             "c=IN IP4 0.0.0.0\na=mid:1\n")));
  CHECK(peer->sctp().has_value());
}

TEST_CASE("what each real stack offers is answered, and what one answers is taken") {
  for (const auto& [what, text] : real_descriptions) {
    const std::string_view name = what;  // clang 14 captures no binding
    CAPTURE(name);
    lone_peer peer;
    if (name == "Pion's answer") {
      peer.create_channel();
      REQUIRE(peer.set_local());
      CHECK(peer.set_remote(sdp_type::answer, text));
    } else if (name.find("offer") != std::string_view::npos) {
      REQUIRE(peer.set_remote(sdp_type::offer, text));
      const std::string answer = peer.answer();
      CHECK(count_of(answer, "\r\nm=") == count_of(text, "\r\nm="));
      CHECK_FALSE(line_of(answer, "m=application").starts_with("m=application 0"));
      REQUIRE(peer.set_local());
    } else {
      // Not WebRTC's: its media are rejected, and there is nothing to connect.
      REQUIRE(peer.set_remote(sdp_type::offer, text));
      const std::string section = line_of(peer.answer(), "m=");
      CHECK((section.empty() || section.starts_with("m=video 0 ")));
      continue;
    }
    CHECK(peer->current_signaling_state() == signaling_state::stable);
    CHECK(peer->sctp().has_value());
  }
}

TEST_CASE("data that were rejected may be asked for again, by either side") {
  lone_peer peer;
  peer.create_channel();
  REQUIRE(peer.set_local());
  REQUIRE(
      peer.set_remote(sdp_type::answer, crlf("v=0\no=- 1 2 IN IP4 127.0.0.1\ns=-\nt=0 0\n"
                                             "m=application 0 UDP/DTLS/SCTP webrtc-datachannel\n"
                                             "c=IN IP4 0.0.0.0\na=mid:0\n")));
  peer.drain();
  CHECK(peer.negotiations_needed() == 1);  // once, for the channel that was rejected
  SUBCASE("by this one") {
    peer.create_channel();
    peer.drain();
    CHECK(peer.negotiations_needed() == 2);
    CHECK(line_of(peer.offer(), "m=application 9").starts_with("m=application 9"));
  }
  SUBCASE("by the other one") {
    lone_peer other(2);
    other.create_channel();
    REQUIRE(other.set_local());
    // Its section takes the place of the one that was rejected.
    REQUIRE(peer.set_remote(sdp_type::offer, other->pending_local_description()->sdp));
    CHECK(line_of(peer.answer(), "m=application").starts_with("m=application 9"));
    REQUIRE(peer.set_local());
    peer.create_channel();
  }
}

TEST_CASE("data that were stopped on a connection are rejected when they are offered again") {
  lone_peer peer;
  lone_peer other(2);
  other.create_channel();
  const auto exchange = [&] {
    REQUIRE(other.set_local());
    REQUIRE(peer.set_remote(sdp_type::offer, other->pending_local_description()->sdp));
    REQUIRE(peer.set_local());
  };
  exchange();
  const std::string offer = peer->current_remote_description()->sdp;
  std::string stopped = offer;
  stopped.replace(stopped.find("m=application 9"), 15, "m=application 0");
  REQUIRE(peer.set_remote(sdp_type::offer, stopped));
  CHECK(line_of(peer.answer(), "m=application").starts_with("m=application 0"));
  REQUIRE(peer.set_local());
  REQUIRE(peer.set_remote(sdp_type::offer, offer));
  CHECK(line_of(peer.answer(), "m=application").starts_with("m=application 0"));
}

TEST_CASE("a remote offer may use the place of a rejected section for another kind") {
  lone_peer peer;
  std::string media = chromium_offer("");
  media.resize(media.find("m=video"));
  REQUIRE(peer.set_remote(sdp_type::offer, media));
  REQUIRE(peer.set_local());
  const std::string data = replace(data_sdp(), "a=mid:0", "a=mid:7");
  REQUIRE(peer.set_remote(sdp_type::offer, replace(data, "BUNDLE 0", "BUNDLE 7")));
  REQUIRE(peer.set_local());
  CHECK(line_of(peer->current_local_description()->sdp, "a=mid") == "a=mid:7");
  CHECK(peer->sctp().has_value());
}

TEST_CASE("bundle-only sections of a max-bundle offer are not taken for rejected") {
  lone_peer peer;
  const std::string offer = replace(replace(chromium_offer(), "m=application 9", "m=application 0"),
                                    "a=sctp-port", "a=bundle-only\r\na=sctp-port");
  REQUIRE(peer.set_remote(sdp_type::offer, offer));
  const std::string answer = peer.answer();
  CHECK(line_of(answer, "m=application") == "m=application 9 UDP/DTLS/SCTP webrtc-datachannel");
  CHECK(line_of(answer, "a=group") == "a=group:BUNDLE 0 2");
}

TEST_CASE("a later offer of ours keeps the sections that were negotiated, in their order") {
  lone_peer peer;
  REQUIRE(peer.set_remote(sdp_type::offer, chromium_offer()));
  REQUIRE(peer.set_local());
  const std::string offer = peer.offer();
  CHECK(line_of(offer, "m=") == "m=audio 9 UDP/TLS/RTP/SAVPF 111 0");
  CHECK(line_of(offer, "m=", 1) == "m=video 0 UDP/TLS/RTP/SAVPF 96");
  CHECK(line_of(offer, "m=", 2) == "m=application 9 UDP/DTLS/SCTP webrtc-datachannel");
  CHECK(line_of(offer, "a=setup") == "a=setup:actpass");
  CHECK(line_of(offer, "a=group") == "a=group:BUNDLE 0 2");
}

TEST_CASE("Firefox's session-level fingerprint and options are read") {
  lone_peer peer;
  const std::string offer = crlf(
      "v=0\n"
      "o=mozilla...THIS_IS_SDPARTA-99.0 2544926482325346172 0 IN IP4 0.0.0.0\n"
      "s=-\n"
      "t=0 0\n"
      "a=fingerprint:" +
      std::string(any_fingerprint) +
      "\n"
      "a=group:BUNDLE 0\n"
      "a=ice-options:trickle\n"
      "a=msid-semantic:WMS *\n"
      "m=application 51472 UDP/DTLS/SCTP webrtc-datachannel\n"
      "c=IN IP4 192.0.2.44\n"
      "a=candidate:0 1 UDP 2122252543 192.0.2.44 51472 typ host\n"
      "a=candidate:1 1 TCP 2105524479 192.0.2.44 9 typ host tcptype active\n"
      "a=sendrecv\n"
      "a=end-of-candidates\n"
      "a=ice-pwd:bf6b5ad8e2dcb1dc0a0b1b5f5c9e6f11\n"
      "a=ice-ufrag:5b8a1f2c\n"
      "a=mid:0\n"
      "a=setup:actpass\n"
      "a=sctp-port:5000\n"
      "a=max-message-size:1073741823\n");
  REQUIRE(peer.set_remote(sdp_type::offer, offer));
  CHECK(peer->can_trickle_ice_candidates() == true);
  REQUIRE(peer.set_local());
  peer.gather();
  CHECK(peer->sctp()->max_message_size == 1073741823);
  CHECK(peer->candidate_pairs(start).size() == 1);
  CHECK(peer->current_remote_description()->sdp == offer);
}

TEST_CASE("Pion's answer, which has no max-message-size, is taken") {
  lone_peer peer;
  peer.create_channel();
  REQUIRE(peer.set_local());
  const std::string answer = crlf(
      "v=0\n"
      "o=- 6920920643910646739 1600000000 IN IP4 0.0.0.0\n"
      "s=-\n"
      "t=0 0\n"
      "a=fingerprint:" +
      std::string(any_fingerprint) +
      "\n"
      "a=extmap-allow-mixed\n"
      "a=group:BUNDLE 0\n"
      "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\n"
      "c=IN IP4 0.0.0.0\n"
      "a=setup:active\n"
      "a=mid:0\n"
      "a=sendrecv\n"
      "a=sctp-port:5000\n"
      "a=ice-ufrag:bWlOBMOBgzKSKbCW\n"
      "a=ice-pwd:aDIvhGiYqmNhPbYuOxkJKkXlWqGqKhzA\n"
      "a=candidate:4234997325 1 udp 2130706431 192.0.2.3 40000 typ host\n"
      "a=end-of-candidates\n");
  REQUIRE(peer.set_remote(sdp_type::answer, answer));
  CHECK(peer->sctp()->max_message_size == 65536);
}

TEST_CASE("libdatachannel's offer in its own order is taken") {
  lone_peer peer;
  REQUIRE(peer.set_remote(sdp_type::offer, crlf("v=0\n"
                                                "o=rtc 2911738530 0 IN IP4 127.0.0.1\n"
                                                "s=-\n"
                                                "t=0 0\n"
                                                "a=group:BUNDLE 0\n"
                                                "a=group:LS 0\n"
                                                "a=msid-semantic:WMS *\n"
                                                "a=ice-options:ice2,trickle\n"
                                                "a=fingerprint:" +
                                                std::string(any_fingerprint) +
                                                "\n"
                                                "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\n"
                                                "c=IN IP4 0.0.0.0\n"
                                                "a=mid:0\n"
                                                "a=sendrecv\n"
                                                "a=sctp-port:5000\n"
                                                "a=max-message-size:262144\n"
                                                "a=setup:actpass\n"
                                                "a=ice-ufrag:Il2v\n"
                                                "a=ice-pwd:xGqTkFZEwB2ldAKuYQ4RvL\n")));
  CHECK(line_of(peer.answer(), "a=setup") == "a=setup:active");
  CHECK(peer->can_trickle_ice_candidates() == true);
}

}  // namespace asiortc::test

// What a description must have, and what each flaw is refused with.
#include "unit/peer/fixture.hpp"

#include <doctest/doctest.h>

namespace asiortc::test {
namespace {

/// Of a fresh peer that is given this offer.
base::failure refusal_of(std::string_view offer) {
  lone_peer peer;
  const auto done = peer.set_remote(sdp_type::offer, offer);
  CHECK(peer->current_signaling_state() == signaling_state::stable);
  return failure_of(done);
}

std::string answer_to(std::string_view offer) {
  lone_peer peer;
  REQUIRE(peer.set_remote(sdp_type::offer, offer));
  return peer.answer();
}

bool names(const base::failure& failure, std::string_view attribute) {
  return failure.detail.find(attribute) != std::string::npos;
}

}  // namespace

TEST_CASE("an offer has the lines that RFC 9429 asks for") {
  lone_peer peer;
  peer.create_channel();
  const std::string offer = peer.offer();
  CHECK(offer.substr(0, 5) == "v=0\r\n");
  CHECK(count_of(offer, "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n") == 1);
  CHECK(count_of(offer, "a=group:BUNDLE 0\r\n") == 1);
  CHECK(count_of(offer, "a=mid:0\r\n") == 1);
  CHECK(count_of(offer, "a=ice-options:trickle ice2\r\n") == 1);
  CHECK(count_of(offer, "a=setup:actpass\r\n") == 1);
  CHECK(count_of(offer, "a=fingerprint:sha-256 ") == 1);
  CHECK(count_of(offer, "a=sctp-port:5000\r\n") == 1);
  CHECK(count_of(offer, "a=max-message-size:262144\r\n") == 1);
  CHECK(offer.substr(offer.size() - 2) == "\r\n");
}

TEST_CASE("ICE-lite is said at session level, and only by who is") {
  peer::settings settings;
  settings.ice.lite = true;
  lone_peer lite(1, settings);
  lite.create_channel();
  const std::string offer = lite.offer();
  CHECK(count_of(offer, "a=ice-lite\r\n") == 1);
  CHECK(offer.find("a=ice-lite") < offer.find("m="));
  lone_peer full;
  full.create_channel();
  CHECK(count_of(full.offer(), "a=ice-lite") == 0);
}

TEST_CASE("the answer's setup follows from the offer's") {
  CHECK(line_of(answer_to(data_sdp("actpass")), "a=setup") == "a=setup:active");
  CHECK(line_of(answer_to(data_sdp("active")), "a=setup") == "a=setup:passive");
  CHECK(line_of(answer_to(data_sdp("passive")), "a=setup") == "a=setup:active");
  // RFC 4145 4.1: absent is active in an offer.
  CHECK(line_of(answer_to(replace(data_sdp(), "a=setup:actpass\r\n", "")), "a=setup") ==
        "a=setup:passive");
}

TEST_CASE("a setup that cannot be answered is refused") {
  CHECK(refusal_of(data_sdp("holdconn")).code == errc::not_supported);
  CHECK(refusal_of(data_sdp("sideways")).code == errc::syntax_error);
  lone_peer peer;
  peer.create_channel();
  REQUIRE(peer.set_local());
  const auto actpass = failure_of(peer.set_remote(sdp_type::answer, data_sdp("actpass")));
  CHECK(actpass.code == errc::syntax_error);
  CHECK(names(actpass, "a=setup"));
  CHECK(peer->current_signaling_state() == signaling_state::have_local_offer);
  CHECK(peer.set_remote(sdp_type::answer, data_sdp("passive")));
}

TEST_CASE("credentials out of their bounds are refused by name") {
  const auto short_ufrag = refusal_of(replace(data_sdp(), "a=ice-ufrag:Zx4k", "a=ice-ufrag:Zx4"));
  CHECK(short_ufrag.code == errc::syntax_error);
  CHECK(names(short_ufrag, "a=ice-ufrag"));
  CHECK(names(refusal_of(replace(data_sdp(), "a=ice-ufrag:Zx4k\r\n", "")), "a=ice-ufrag"));
  CHECK(names(refusal_of(replace(data_sdp(), "0123456789abcdefghijklmn", "0123456789abcdefghijk")),
              "a=ice-pwd"));
  CHECK(names(refusal_of(replace(data_sdp(), "Zx4k", std::string(257, 'x'))), "a=ice-ufrag"));
  CHECK(names(refusal_of(replace(data_sdp(), "Zx4k", "Zx4k:")), "ice-char"));
  lone_peer longest;
  CHECK(longest.set_remote(sdp_type::offer, replace(data_sdp(), "Zx4k", std::string(256, 'x'))));
}

TEST_CASE("fingerprints are read in every form, and must be there") {
  const std::string line = line_of(data_sdp(), "a=fingerprint") + "\r\n";
  CHECK(names(refusal_of(replace(data_sdp(), line, "")), "a=fingerprint"));
  CHECK(refusal_of(replace(data_sdp(), "sha-256 7B", "sha-256 7")).code == errc::syntax_error);
  CHECK(refusal_of(replace(data_sdp(), "sha-256", "md5")).code == errc::not_supported);
  std::string lower = line;
  for (char& each : lower) each = static_cast<char>(std::tolower(each));
  const std::vector<std::string> forms{
      replace(data_sdp(), line, lower),
      replace(data_sdp(), line, "a=fingerprint:sha-1 00:11\r\n" + line),
      replace(replace(data_sdp(), line, ""), "t=0 0\r\n", "t=0 0\r\n" + line)};
  for (const auto& form : forms) {
    lone_peer peer;
    CHECK(peer.set_remote(sdp_type::offer, form));
  }
}

TEST_CASE("ICE credentials and setup may stand at session level") {
  std::string offer = data_sdp();
  std::string moved;
  for (const std::string_view start_of : {"a=ice-ufrag", "a=ice-pwd", "a=setup"}) {
    const std::string line = line_of(offer, start_of) + "\r\n";
    offer = replace(offer, line, "");
    moved += line;
  }
  offer = replace(offer, "t=0 0\r\n", "t=0 0\r\n" + moved);
  CHECK(line_of(answer_to(offer), "a=setup") == "a=setup:active");
}

TEST_CASE("sctp-port and max-message-size have defaults and bounds") {
  std::string offer = replace(data_sdp(), "a=sctp-port:5000\r\n", "");
  offer = replace(offer, "a=max-message-size:262144\r\n", "");
  lone_peer peer;
  REQUIRE(peer.set_remote(sdp_type::offer, offer));
  REQUIRE(peer.set_local());
  CHECK(peer->sctp()->max_message_size == 65536);
  CHECK(names(refusal_of(replace(data_sdp(), "sctp-port:5000", "sctp-port:65536")), "SCTP port"));
  CHECK(names(refusal_of(replace(data_sdp(), "sctp-port:5000", "sctp-port:0")), "SCTP port"));
  CHECK(names(refusal_of(replace(data_sdp(), "size:262144", "size:lots")), "max-message-size"));
  lone_peer any;
  REQUIRE(any.set_remote(sdp_type::offer, replace(data_sdp(), "size:262144", "size:0")));
  REQUIRE(any.set_local());
  CHECK(any->sctp()->max_message_size == UINT64_MAX);
}

TEST_CASE("an old DTLS/SCTP offer is answered in its own form") {
  std::string offer = replace(data_sdp(), "UDP/DTLS/SCTP webrtc-datachannel", "DTLS/SCTP 5000");
  offer = replace(offer, "a=sctp-port:5000", "a=sctpmap:5000 webrtc-datachannel 1024");
  const std::string answer = answer_to(offer);
  CHECK(line_of(answer, "m=") == "m=application 9 DTLS/SCTP 5000");
  CHECK(line_of(answer, "a=sctpmap") == "a=sctpmap:5000 webrtc-datachannel 65535");
  CHECK(line_of(answer, "a=sctp-port").empty());
}

TEST_CASE("TCP/DTLS/SCTP is accepted and echoed") {
  const std::string answer = answer_to(replace(data_sdp(), "UDP/DTLS", "TCP/DTLS"));
  CHECK(line_of(answer, "m=") == "m=application 9 TCP/DTLS/SCTP webrtc-datachannel");
}

TEST_CASE("a data section of an unknown protocol is rejected with port 0, not refused") {
  const std::string answer = answer_to(replace(data_sdp(), "UDP/DTLS/SCTP", "UDP/QUIC"));
  CHECK(line_of(answer, "m=") == "m=application 0 UDP/QUIC webrtc-datachannel");
  CHECK(line_of(answer, "a=group").empty());
  CHECK(line_of(answer, "a=mid") == "a=mid:0");
}

TEST_CASE("a mid of the offer's own choosing is echoed, and an absent one is not made up") {
  std::string offer = replace(data_sdp(), "a=mid:0", "a=mid:data-7");
  offer = replace(offer, "BUNDLE 0", "BUNDLE data-7");
  CHECK(line_of(answer_to(offer), "a=mid") == "a=mid:data-7");
  CHECK(line_of(answer_to(offer), "a=group") == "a=group:BUNDLE data-7");
  std::string bare = replace(data_sdp(), "a=mid:0\r\n", "");
  bare = replace(bare, "a=group:BUNDLE 0\r\n", "");
  CHECK(line_of(answer_to(bare), "a=mid").empty());
}

TEST_CASE("a BUNDLE group must name mids that exist, each once") {
  CHECK(names(refusal_of(replace(data_sdp(), "BUNDLE 0", "BUNDLE 0 1")), "BUNDLE"));
  CHECK(names(refusal_of(replace(data_sdp(), "a=mid:0\r\n", "a=mid:\r\n")), "a=mid"));
}

TEST_CASE("an answer must have the offer's m-sections") {
  lone_peer peer;
  peer.create_channel();
  REQUIRE(peer.set_local());
  const std::string answer = data_sdp("active");
  const auto more = answer + crlf("m=audio 0 UDP/TLS/RTP/SAVPF 0\nc=IN IP4 0.0.0.0\n");
  CHECK(failure_of(peer.set_remote(sdp_type::answer, more)).code == errc::invalid_modification);
  const auto other = replace(answer, "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
                             "m=audio 9 UDP/TLS/RTP/SAVPF 0");
  CHECK(failure_of(peer.set_remote(sdp_type::answer, other)).code == errc::invalid_modification);
  const auto moved = replace(replace(answer, "a=mid:0", "a=mid:1"), "BUNDLE 0", "BUNDLE 1");
  CHECK(names(failure_of(peer.set_remote(sdp_type::answer, moved)), "a=mid"));
  CHECK(peer->current_signaling_state() == signaling_state::have_local_offer);
  CHECK(peer.set_remote(sdp_type::answer, answer));
}

TEST_CASE("an answer that rejects the data section ends the channels") {
  lone_peer peer;
  peer.create_channel();
  REQUIRE(peer.set_local());
  REQUIRE(peer.set_remote(sdp_type::answer,
                          replace(data_sdp("active"), "m=application 9", "m=application 0")));
  CHECK(peer->current_signaling_state() == signaling_state::stable);
  bool ended = false;
  for (const auto& each : peer.events) {
    const auto* channel = std::get_if<datachannel::event>(&each);
    const auto* state =
        channel == nullptr ? nullptr : std::get_if<datachannel::channel_state_changed>(channel);
    ended = ended || (state != nullptr && state->reason.code == errc::not_supported);
  }
  CHECK(ended);
}

TEST_CASE("an answer does not change the role, whatever it says") {
  lone_peer peer;
  REQUIRE(peer.set_remote(sdp_type::offer, data_sdp()));
  REQUIRE(peer.set_local());
  CHECK(line_of(peer->current_local_description()->sdp, "a=setup") == "a=setup:active");
  // What Firefox answers to a restart: new credentials, and the role that is ours.
  REQUIRE(peer.set_local(session_description(sdp_type::offer, peer.offer(true))));
  const auto answer = replace(data_sdp("active"), "a=ice-ufrag:Zx4k", "a=ice-ufrag:Zx4l");
  REQUIRE(peer.set_remote(sdp_type::answer, answer));
  CHECK(peer->current_signaling_state() == signaling_state::stable);
  REQUIRE(peer.set_remote(sdp_type::offer, replace(answer, "setup:active", "setup:actpass")));
  CHECK(line_of(peer.answer(), "a=setup") == "a=setup:active");
}

TEST_CASE("a changed fingerprint, tls-id or role in a later offer is refused by name") {
  lone_peer peer;
  const std::string first =
      replace(data_sdp(), "a=mid:0", "a=tls-id:abcdefghijklmnopqrst\r\na=mid:0");
  REQUIRE(peer.set_remote(sdp_type::offer, first));
  REQUIRE(peer.set_local());
  const auto fingerprint =
      failure_of(peer.set_remote(sdp_type::offer, replace(first, "7B:8B", "7C:8B")));
  CHECK(fingerprint.code == errc::not_supported);
  CHECK(names(fingerprint, "a=fingerprint"));
  CHECK(names(failure_of(peer.set_remote(sdp_type::offer, replace(first, "rst\r", "rsx\r"))),
              "a=tls-id"));
  // We are active; an active offer would make us passive.
  CHECK(names(
      failure_of(peer.set_remote(sdp_type::offer, replace(first, "setup:actpass", "setup:active"))),
      "a=setup"));
  CHECK(peer->current_signaling_state() == signaling_state::stable);
  REQUIRE(peer.set_remote(sdp_type::offer, first));
  CHECK(line_of(peer.answer(), "a=setup") == "a=setup:active");
}

TEST_CASE("LF-only input is read, and unknown lines survive in the description") {
  std::string offer = data_sdp();
  offer.erase(std::remove(offer.begin(), offer.end(), '\r'), offer.end());
  lone_peer peer;
  REQUIRE(peer.set_remote(sdp_type::offer, replace(offer, "t=0 0\n", "t=0 0\na=x-other:1 2\n")));
  const auto text = peer->pending_remote_description()->sdp;
  CHECK(count_of(text, "a=x-other:1 2\r\n") == 1);
  CHECK(count_of(text, "a=msid-semantic: WMS\r\n") == 1);
}

TEST_CASE("a malformed candidate in a description refuses it, an unknown one does not") {
  const auto with = [](std::string_view line) { return data_sdp() + std::string(line) + "\r\n"; };
  CHECK(names(refusal_of(with("a=candidate:1 1 udp 2122260223 192.0.2.7 port typ host")),
              "a=candidate"));
  lone_peer peer;
  CHECK(peer.set_remote(sdp_type::offer,
                        with("a=candidate:1 1 udp 2122260223 192.0.2.7 5000 typ future")));
}

TEST_CASE("trickle support is told by ice-options") {
  lone_peer peer;
  CHECK_FALSE(peer->can_trickle_ice_candidates().has_value());
  REQUIRE(peer.set_remote(sdp_type::offer, replace(data_sdp(), "a=ice-options:trickle\r\n", "")));
  CHECK(peer->can_trickle_ice_candidates() == false);
  REQUIRE(peer.set_remote(sdp_type::offer,
                          replace(data_sdp(), "options:trickle", "options:renomination trickle")));
  CHECK(peer->can_trickle_ice_candidates() == true);
}

}  // namespace asiortc::test

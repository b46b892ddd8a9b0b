// Session descriptions as real stacks write them, shortened where they only repeat themselves.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <utility>

namespace asiortc::test {

inline constexpr std::string_view chromium_data_offer =
    "v=0\r\n"
    "o=- 4611731400430051336 2 IN IP4 127.0.0.1\r\n"
    "s=-\r\n"
    "t=0 0\r\n"
    "a=group:BUNDLE 0\r\n"
    "a=extmap-allow-mixed\r\n"
    "a=msid-semantic: WMS\r\n"
    "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n"
    "c=IN IP4 0.0.0.0\r\n"
    "a=candidate:2999745851 1 udp 2113937151 0c7e5d1f-8b0e-4b4e-a5ba-ac0d75ed0b2e.local 51472 typ "
    "host generation 0 network-cost 999\r\n"
    "a=ice-ufrag:8hhY\r\n"
    "a=ice-pwd:asd88fgpdd777uzjYhagZg8h\r\n"
    "a=ice-options:trickle\r\n"
    "a=fingerprint:sha-256 7B:8B:F0:65:5F:78:E2:51:3B:AC:6F:F3:3F:46:1B:35:DC:B8:5F:64:1A:24:C2:43:"
    "F0:A1:58:D0:A1:2C:19:08\r\n"
    "a=setup:actpass\r\n"
    "a=mid:0\r\n"
    "a=sctp-port:5000\r\n"
    "a=max-message-size:262144\r\n";

inline constexpr std::string_view chromium_media_and_data_offer =
    "v=0\r\n"
    "o=- 1495799811084970 3 IN IP4 127.0.0.1\r\n"
    "s=-\r\n"
    "t=0 0\r\n"
    "a=group:BUNDLE 0 1 2\r\n"
    "a=extmap-allow-mixed\r\n"
    "a=msid-semantic: WMS stream\r\n"
    "m=audio 9 UDP/TLS/RTP/SAVPF 111 63 0 8 13 110\r\n"
    "c=IN IP4 0.0.0.0\r\n"
    "a=rtcp:9 IN IP4 0.0.0.0\r\n"
    "a=ice-ufrag:pfKk\r\n"
    "a=ice-pwd:zAqu4XYpsMkyIzYQtUZjxPxf\r\n"
    "a=fingerprint:sha-256 "
    "4A:11:C0:5E:77:0B:9D:62:3F:E8:24:90:AB:CD:EF:01:23:45:67:89:9A:BC:DE:F0:11:"
    "22:33:44:55:66:77:88\r\n"
    "a=setup:actpass\r\n"
    "a=mid:0\r\n"
    "a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\n"
    "a=sendrecv\r\n"
    "a=msid:stream 2a3c\r\n"
    "a=rtcp-mux\r\n"
    "a=rtcp-rsize\r\n"
    "a=rtpmap:111 opus/48000/2\r\n"
    "a=rtcp-fb:111 transport-cc\r\n"
    "a=fmtp:111 minptime=10;useinbandfec=1\r\n"
    "a=ssrc:3570614608 cname:4TOk42mSjXCkVIa6\r\n"
    "m=video 9 UDP/TLS/RTP/SAVPF 96 97\r\n"
    "c=IN IP4 0.0.0.0\r\n"
    "a=mid:1\r\n"
    "a=recvonly\r\n"
    "a=rtcp-mux\r\n"
    "a=rtpmap:96 VP8/90000\r\n"
    "a=rtpmap:97 rtx/90000\r\n"
    "a=fmtp:97 apt=96\r\n"
    "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n"
    "c=IN IP4 0.0.0.0\r\n"
    "a=mid:2\r\n"
    "a=sctp-port:5000\r\n"
    "a=max-message-size:262144\r\n";

inline constexpr std::string_view firefox_data_offer =
    "v=0\r\n"
    "o=mozilla...THIS_IS_SDPARTA-99.0 5621137393476172571 0 IN IP4 0.0.0.0\r\n"
    "s=-\r\n"
    "t=0 0\r\n"
    "a=fingerprint:sha-256 25:1B:66:C1:08:1F:7E:8A:4B:5C:1D:2E:3F:40:51:62:73:84:95:A6:B7:C8:D9:EA:"
    "FB:0C:1D:2E:3F:40:51:62\r\n"
    "a=group:BUNDLE 0\r\n"
    "a=ice-options:trickle\r\n"
    "a=msid-semantic:WMS *\r\n"
    "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n"
    "c=IN IP4 0.0.0.0\r\n"
    "a=sendrecv\r\n"
    "a=ice-pwd:3bd39bd8fa7ff9ff2f5e2a7cb1ff4f33\r\n"
    "a=ice-ufrag:7f2fd9f6\r\n"
    "a=mid:0\r\n"
    "a=setup:actpass\r\n"
    "a=sctp-port:5000\r\n"
    "a=max-message-size:1073741823\r\n";

inline constexpr std::string_view old_firefox_offer =
    "v=0\r\n"
    "o=mozilla...THIS_IS_SDPARTA-52.0 123 0 IN IP4 0.0.0.0\r\n"
    "s=-\r\n"
    "t=0 0\r\n"
    "a=ice-options:trickle\r\n"
    "a=fingerprint:sha-256 "
    "4A:11:C0:5E:77:0B:9D:62:3F:E8:24:90:AB:CD:EF:01:23:45:67:89:9A:BC:DE:F0:11:"
    "22:33:44:55:66:77:88\r\n"
    "m=application 40511 DTLS/SCTP 5000\r\n"
    "c=IN IP4 192.168.1.4\r\n"
    "a=sendrecv\r\n"
    "a=candidate:0 1 UDP 2122252543 192.168.1.4 40511 typ host\r\n"
    "a=end-of-candidates\r\n"
    "a=ice-pwd:5c7d4a1e9b0f2d3c8a6e4b1f0d9c7a5e\r\n"
    "a=ice-ufrag:d9c7a5e1\r\n"
    "a=mid:sdparta_0\r\n"
    "a=sctpmap:5000 webrtc-datachannel 256\r\n"
    "a=setup:actpass\r\n";

inline constexpr std::string_view old_chromium_offer =
    "v=0\r\n"
    "o=- 7904395417190351341 2 IN IP4 127.0.0.1\r\n"
    "s=-\r\n"
    "t=0 0\r\n"
    "a=msid-semantic: WMS\r\n"
    "m=application 9 DTLS/SCTP 5000\r\n"
    "c=IN IP4 0.0.0.0\r\n"
    "b=AS:30\r\n"
    "a=ice-ufrag:Bq7v\r\n"
    "a=ice-pwd:Yl0Zt0ky9K2gPbBzIHbWVbTG\r\n"
    "a=fingerprint:sha-256 "
    "4A:11:C0:5E:77:0B:9D:62:3F:E8:24:90:AB:CD:EF:01:23:45:67:89:9A:BC:DE:F0:11:"
    "22:33:44:55:66:77:88\r\n"
    "a=setup:actpass\r\n"
    "a=mid:data\r\n"
    "a=sctpmap:5000 webrtc-datachannel 1024\r\n";

inline constexpr std::string_view aiortc_offer =
    "v=0\r\n"
    "o=- 3775719571 3775719571 IN IP4 0.0.0.0\r\n"
    "s=-\r\n"
    "t=0 0\r\n"
    "a=group:BUNDLE 0\r\n"
    "a=msid-semantic:WMS *\r\n"
    "m=application 36022 UDP/DTLS/SCTP webrtc-datachannel\r\n"
    "c=IN IP4 192.168.99.5\r\n"
    "a=mid:0\r\n"
    "a=sctp-port:5000\r\n"
    "a=max-message-size:65536\r\n"
    "a=candidate:5f1d4f1b6ca4be0f6c2e3f6e7e5a4b1c 1 udp 2130706431 192.168.99.5 36022 typ host\r\n"
    "a=end-of-candidates\r\n"
    "a=ice-ufrag:gkLJ\r\n"
    "a=ice-pwd:5tKyiRUHcyT1lnoWFAJmfx\r\n"
    "a=fingerprint:sha-256 "
    "4A:11:C0:5E:77:0B:9D:62:3F:E8:24:90:AB:CD:EF:01:23:45:67:89:9A:BC:DE:F0:11:"
    "22:33:44:55:66:77:88\r\n"
    "a=setup:actpass\r\n";

inline constexpr std::string_view pion_answer =
    "v=0\r\n"
    "o=- 3546004397921447048 1596742744 IN IP4 0.0.0.0\r\n"
    "s=-\r\n"
    "t=0 0\r\n"
    "a=msid-semantic:WMS*\r\n"
    "a=fingerprint:sha-256 0F:74:31:25:CB:A2:13:EC:28:6F:6D:2C:61:FF:5D:C2:BC:B9:DB:3D:98:14:8D:1A:"
    "BB:EA:33:0C:A4:60:A8:8E\r\n"
    "a=extmap-allow-mixed\r\n"
    "a=group:BUNDLE 0\r\n"
    "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n"
    "c=IN IP4 0.0.0.0\r\n"
    "a=setup:active\r\n"
    "a=mid:0\r\n"
    "a=sendrecv\r\n"
    "a=sctp-port:5000\r\n"
    "a=max-message-size:1073741823\r\n"
    "a=ice-ufrag:KJiQrRzxQClDwKvZ\r\n"
    "a=ice-pwd:JmHHKhNZJEjWMhcGsEAKVwTwFzgLbYqb\r\n"
    "a=candidate:233762139 1 udp 2130706431 fd12:3456::1 57336 typ host ufrag KJiQrRzxQClDwKvZ\r\n"
    "a=end-of-candidates\r\n";

inline constexpr std::string_view libdatachannel_offer =
    "v=0\r\n"
    "o=rtc 3767197920 0 IN IP4 127.0.0.1\r\n"
    "s=-\r\n"
    "t=0 0\r\n"
    "a=group:BUNDLE 0\r\n"
    "a=group:LS 0\r\n"
    "a=msid-semantic:WMS *\r\n"
    "a=ice-options:ice2,trickle\r\n"
    "a=fingerprint:sha-256 D7:EA:33:0C:A4:60:A8:8E:0F:74:31:25:CB:A2:13:EC:28:6F:6D:2C:61:FF:5D:C2:"
    "BC:B9:DB:3D:98:14:8D:1A\r\n"
    "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n"
    "c=IN IP4 0.0.0.0\r\n"
    "a=mid:0\r\n"
    "a=sendrecv\r\n"
    "a=sctp-port:5000\r\n"
    "a=max-message-size:262144\r\n"
    "a=setup:actpass\r\n"
    "a=ice-ufrag:wmn3\r\n"
    "a=ice-pwd:KXIu4BvYFpEAeXYd0eKVhE\r\n";

inline constexpr std::string_view gstreamer_offer =
    "v=0\r\n"
    "o=- 8131023412345678901 0 IN IP4 0.0.0.0\r\n"
    "s=-\r\n"
    "t=0 0\r\n"
    "a=ice-options:trickle\r\n"
    "a=group:BUNDLE video0 application1\r\n"
    "m=video 9 UDP/TLS/RTP/SAVPF 96\r\n"
    "c=IN IP4 0.0.0.0\r\n"
    "b=AS:2500\r\n"
    "a=setup:actpass\r\n"
    "a=ice-ufrag:9pl8VYvWzNTpFU9l9TuExkfF0xfKJ0XL\r\n"
    "a=ice-pwd:Zh1xk2VFQjCq0jGGpkyxPPTtKz6/xQhC\r\n"
    "a=fingerprint:sha-256 "
    "4A:11:C0:5E:77:0B:9D:62:3F:E8:24:90:AB:CD:EF:01:23:45:67:89:9A:BC:DE:F0:11:"
    "22:33:44:55:66:77:88\r\n"
    "a=rtcp-mux\r\n"
    "a=sendonly\r\n"
    "a=rtpmap:96 VP8/90000\r\n"
    "a=framerate:30\r\n"
    "a=mid:video0\r\n"
    "m=application 0 UDP/DTLS/SCTP webrtc-datachannel\r\n"
    "c=IN IP4 0.0.0.0\r\n"
    "a=setup:actpass\r\n"
    "a=bundle-only\r\n"
    "a=mid:application1\r\n"
    "a=sctp-port:5000\r\n";

// Not WebRTC's, but every kind of line that RFC 8866 has, and one that it has not.
inline constexpr std::string_view every_line =
    "v=0\r\n"
    "o=jdoe 3724394400 3724394405 IN IP6 2001:db8::1\r\n"
    "s=Call to John Smith \xc3\xa9\r\n"
    "i=SDP Offer #1\r\n"
    "u=http://www.jdoe.example.com/home.html\r\n"
    "e=Jane Doe <jane@jdoe.example.com>\r\n"
    "p=+1 617 555-6011\r\n"
    "c=IN IP4 198.51.100.1\r\n"
    "b=AS:128\r\n"
    "t=0 0\r\n"
    "r=604800 3600 0 90000\r\n"
    "k=prompt\r\n"
    "Z=unknown: kept \t as it is\r\n"
    "a=empty:\r\n"
    "a=recvonly\r\n"
    "m=video 49170/2 RTP/AVP 99  100 \r\n"
    "i=title\r\n"
    "a=colons:a:b::c\r\n";

inline constexpr std::array<std::pair<std::string_view, std::string_view>, 11> real_descriptions{
    {{"Chromium's data channel offer", chromium_data_offer},
     {"Chromium's offer of audio, video and data", chromium_media_and_data_offer},
     {"Firefox's data channel offer", firefox_data_offer},
     {"an old Firefox's offer with sctpmap", old_firefox_offer},
     {"an old Chromium's offer with sctpmap", old_chromium_offer},
     {"aiortc's offer", aiortc_offer},
     {"Pion's answer", pion_answer},
     {"libdatachannel's offer", libdatachannel_offer},
     {"GStreamer's offer", gstreamer_offer},
     {"every kind of line", every_line},
     {"a description without m-sections", "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n"}}};

inline std::string without_carriage_returns(std::string_view text) {
  std::string out(text);
  std::erase(out, '\r');
  return out;
}

}  // namespace asiortc::test

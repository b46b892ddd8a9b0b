// Damage to a description or candidate, as the bytes of an input say.
#pragma once

#include "base/bytes.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace asiortc::fuzz {

/// Lines that mean something in a description, for the chance of one that fits.
inline constexpr std::array<std::string_view, 16> known_lines{
    "a=setup:active",
    "a=setup:passive",
    "a=setup:actpass",
    "a=ice-lite",
    "a=ice-ufrag:other",
    "a=ice-pwd:another password of someone",
    "a=ice-options:ice2",
    "a=max-message-size:0",
    "a=max-message-size:100",
    "a=sctp-port:0",
    "a=end-of-candidates",
    "a=candidate:7 1 udp 99 10.0.0.2 5002 typ host",
    "a=tls-id:aaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "a=bundle-only",
    "m=audio 9 UDP/TLS/RTP/SAVPF 0",
    "m=application 0 UDP/DTLS/SCTP webrtc-datachannel",
};

/// What happens to the next text: one change to one line, or to one character.
struct damage {
  enum class kind { none, drop, remove, repeat, replace, insert, alter, append };

  void read(base::byte_reader& script) {
    what = static_cast<kind>(script.u8() % 8);
    place = script.u8();
    value = script.u8();
    const std::size_t size = std::min<std::size_t>(script.remaining(), value & 31);
    // Raw text for the upper half, one of the known lines for the lower.
    text = value >= 128 ? std::string(base::as_text(script.take(size)))
                        : std::string(known_lines[value % known_lines.size()]);
  }

  void apply(std::string& to) const {
    if (to.empty()) return;
    const std::size_t lines = static_cast<std::size_t>(std::count(to.begin(), to.end(), '\n')) + 1;
    std::size_t begin = 0;
    for (std::size_t line = place % lines; line > 0; --line) begin = to.find('\n', begin) + 1;
    const std::size_t end = std::min(to.find('\n', begin), to.size() - 1) + 1;
    const std::string line = to.substr(begin, end - begin);
    if (what == kind::remove) to.erase(begin, end - begin);
    if (what == kind::repeat) to.insert(begin, line);
    if (what == kind::replace) to.replace(begin, end - begin, text + "\r\n");
    if (what == kind::insert) to.insert(begin, text + "\r\n");
    if (what == kind::alter) to[place * 3U % to.size()] ^= static_cast<char>(value | 1);
    if (what == kind::append) to += text;
  }

  kind what = kind::none;
  std::uint8_t place = 0;
  std::uint8_t value = 0;
  std::string text;
};

/// Does the damage, once; false where the text is to be lost.
inline bool spoil(damage& planned, std::string& text) {
  const damage now = std::exchange(planned, {});
  if (now.what == damage::kind::drop) return false;
  now.apply(text);
  return true;
}

}  // namespace asiortc::fuzz

#include "stun/stream_framer.hpp"

#include "stun/message_builder.hpp"
#include "stun/message_view.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace asiortc;

namespace {

base::bytes message(std::string_view text) {
  stun::message_builder builder(stun::message_class::indication, stun::method::data, {});
  builder.add_text(stun::attribute_type::data, text);
  return std::move(builder).take();
}

base::bytes channel_data(std::string_view text) {
  base::bytes out;
  base::byte_writer writer(out);
  writer.u16(0x4001);
  writer.u16(static_cast<std::uint16_t>(text.size()));
  writer.append(base::as_bytes(text));
  return out;
}

template <class Framer>
std::vector<base::bytes> drain(Framer& framer) {
  std::vector<base::bytes> out;
  while (const auto packet = framer.next()) out.emplace_back(packet->begin(), packet->end());
  return out;
}

base::bytes joined(const std::vector<base::bytes>& packets) {
  base::bytes out;
  for (const auto& packet : packets) {
    out.insert(out.end(), packet.begin(), packet.end());
    while (out.size() % 4 != 0) out.push_back(0xEE);
  }
  return out;
}

}  // namespace

TEST_CASE("messages and padded ChannelData come out whole, wherever the stream is cut") {
  const std::vector<base::bytes> packets{message("one"),         channel_data("12345"),
                                         channel_data(""),       message(""),
                                         channel_data("123456"), channel_data("12345678")};
  const base::bytes stream = joined(packets);
  for (std::size_t step = 1; step <= stream.size(); ++step) {
    stun::message_framer framer(1500);
    std::vector<base::bytes> got;
    for (std::size_t at = 0; at < stream.size(); at += step) {
      framer.feed(base::byte_span(stream).subspan(at, std::min(step, stream.size() - at)));
      for (auto& packet : drain(framer)) got.push_back(std::move(packet));
    }
    REQUIRE(got == packets);
    REQUIRE_FALSE(framer.broken());
  }
}

TEST_CASE("a stream that is neither STUN nor ChannelData is given up at its first bytes") {
  base::bytes stream = message("one");
  SUBCASE("TLS") { stream[0] = 0x80; }
  SUBCASE("a channel number that RFC 8656 reserves") { stream[0] = 0x50; }
  SUBCASE("another cookie") { stream[4] ^= 1; }
  SUBCASE("a length that is no multiple of four") { stream[3] = 5; }
  SUBCASE("more than the bound") {
    stream[2] = 0x05;
    stream.resize(8);
  }
  stun::message_framer framer(1000);
  framer.feed(stream);
  CHECK_FALSE(framer.next());
  CHECK(framer.broken());
  framer.feed(message("two"));
  CHECK_FALSE(framer.next());
}

TEST_CASE("a frame may be as large as the bound and no larger") {
  stun::message_framer framer(1000);
  framer.feed(channel_data(std::string(996, 'x')));
  CHECK(framer.next());
  framer.feed(channel_data(std::string(997, 'x')));
  CHECK_FALSE(framer.next());
  CHECK(framer.broken());
}

TEST_CASE("what is read into the framer's own memory needs no copy, and the memory does not grow") {
  stun::message_framer framer(1500);
  const base::bytes stream = joined({channel_data("abcde"), message("f")});
  const std::uint8_t* memory = nullptr;
  for (int round = 0; round < 100; ++round) {
    const auto room = framer.prepare(512);
    REQUIRE(room.size() == 512);
    if (round > 0) REQUIRE(room.data() == memory);
    memory = room.data();
    std::copy(stream.begin(), stream.end(), room.begin());
    framer.commit(stream.size());
    REQUIRE(drain(framer).size() == 2);
  }
}

TEST_CASE("RFC 4571: a packet that is larger than agreed ends the stream before it is there") {
  stun::rfc4571_framer framer(100);
  base::bytes stream;
  stun::rfc4571_framer::write(stream, base::bytes(100, 1));
  stun::rfc4571_framer::write(stream, base::bytes(101, 2));
  framer.feed(base::byte_span(stream).first(104));
  CHECK(drain(framer) == std::vector<base::bytes>{base::bytes(100, 1)});
  CHECK(framer.broken());
  framer.feed(base::byte_span(stream).subspan(104));
  CHECK(drain(framer).empty());
}

TEST_CASE("RFC 4571: packets come out whole, wherever the stream is cut, and empty ones not") {
  const std::vector<base::bytes> packets{{1}, {2, 3, 4}, base::bytes(65535, 5), {6}};
  base::bytes stream;
  for (const auto& packet : packets) {
    stun::rfc4571_framer::write(stream, packet);
    stun::rfc4571_framer::write(stream, {});
  }
  CHECK(base::byte_span(stream).first(5).back() == 0);
  for (const std::size_t step : {1U, 2U, 3U, 7U, 1000U, 70000U}) {
    stun::rfc4571_framer framer;
    std::vector<base::bytes> got;
    for (std::size_t at = 0; at < stream.size(); at += step) {
      framer.feed(base::byte_span(stream).subspan(at, std::min(step, stream.size() - at)));
      for (auto& packet : drain(framer)) got.push_back(std::move(packet));
    }
    REQUIRE(got == packets);
  }
}

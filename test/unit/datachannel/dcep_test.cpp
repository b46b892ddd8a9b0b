#include "datachannel/dcep.hpp"

#include <doctest/doctest.h>

using namespace asiortc;
using namespace asiortc::datachannel;
using std::chrono::milliseconds;

namespace {

dcep::open_message sample() {
  dcep::open_message message;
  message.label = "chat";
  message.init.protocol = "p";
  return message;
}

}  // namespace

TEST_CASE("an OPEN has the bytes of RFC 8832 5.1") {
  dcep::open_message message = sample();
  message.init.ordered = false;
  message.init.max_retransmits = 5;
  CHECK(dcep::write(message) ==
        base::bytes{0x03, 0x81, 1, 0, 0, 0, 0, 5, 0, 4, 0, 1, 'c', 'h', 'a', 't', 'p'});
  CHECK(dcep::write_ack() == base::bytes{0x02});
}

TEST_CASE("every channel type is written and read") {
  for (const bool ordered : {true, false}) {
    dcep::open_message message = sample();
    message.init.ordered = ordered;
    const std::uint8_t flag = ordered ? 0 : 0x80;
    CHECK(dcep::write(message)[1] == flag);
    CHECK(dcep::parse_open(dcep::write(message)) == message);
    message.init.max_retransmits = 0;
    CHECK(dcep::write(message)[1] == (flag | 1));
    CHECK(dcep::parse_open(dcep::write(message)) == message);
    message.init.max_retransmits.reset();
    message.init.max_packet_life_time = milliseconds(65535);
    CHECK(dcep::write(message)[1] == (flag | 2));
    CHECK(dcep::parse_open(dcep::write(message)) == message);
  }
}

TEST_CASE("label and protocol of 65535 bytes each are written and read") {
  dcep::open_message message;
  message.label.assign(65535, 'l');
  message.init.protocol.assign(65535, 'p');
  CHECK(dcep::write(message).size() == 12 + 2 * 65535);
  CHECK(dcep::parse_open(dcep::write(message)) == message);
}

TEST_CASE("an OPEN that is cut anywhere is refused") {
  const base::bytes whole = dcep::write(sample());
  for (std::size_t size = 0; size < whole.size(); ++size) {
    CHECK_FALSE(dcep::parse_open(base::byte_span(whole).first(size)).has_value());
  }
}

TEST_CASE("unknown channel types and texts that are not UTF-8 are refused") {
  for (const int type : {0x03, 0x04, 0x7f, 0x83, 0xff}) {
    base::bytes bytes = dcep::write(sample());
    bytes[1] = static_cast<std::uint8_t>(type);
    CHECK_FALSE(dcep::parse_open(bytes).has_value());
  }
  dcep::open_message message = sample();
  message.label = "\xff";
  CHECK_FALSE(dcep::parse_open(dcep::write(message)).has_value());
  message = sample();
  message.init.protocol = "\xc0\x80";
  CHECK_FALSE(dcep::parse_open(dcep::write(message)).has_value());
}

TEST_CASE("the parameter of a reliable channel is ignored, a large number of retransmits clamped") {
  base::bytes bytes = dcep::write(sample());
  bytes[4] = 0xff;
  CHECK(dcep::parse_open(bytes) == sample());
  bytes[1] = 0x01;
  CHECK(dcep::parse_open(bytes)->init.max_retransmits == 65535);
  bytes[1] = 0x02;
  CHECK(dcep::parse_open(bytes)->init.max_packet_life_time == milliseconds(0xff000000));
}

TEST_CASE("types of messages are told apart") {
  CHECK(dcep::type_of(dcep::write_ack()) == dcep::message_type::ack);
  CHECK(dcep::type_of(dcep::write(sample())) == dcep::message_type::open);
  CHECK_FALSE(dcep::type_of({}).has_value());
  CHECK_FALSE(dcep::type_of(base::bytes{0x01}).has_value());
}

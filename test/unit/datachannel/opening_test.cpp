#include "table_pair.hpp"

#include <doctest/doctest.h>

using namespace asiortc;
using namespace asiortc::test;
using std::chrono::milliseconds;

namespace {

boost::system::error_code refusal(side& on, std::string label, data_channel_init init) {
  const auto made = on.table.create(on.now, std::move(label), std::move(init));
  REQUIRE(made.has_error());
  CHECK_FALSE(made.error().detail.empty());
  return made.error().code;
}

data_channel_init negotiated(std::uint16_t id) {
  data_channel_init init;
  init.negotiated = true;
  init.id = id;
  return init;
}

}  // namespace

TEST_CASE("an in-band channel arrives with label, protocol and options equal at both ends") {
  table_pair pair;
  pair.connect();
  data_channel_init init;
  init.ordered = false;
  init.max_retransmits = 3;
  init.protocol = "proto";
  const auto key = pair.a.create("label \xc3\xa9", init);
  pair.settle();
  REQUIRE(pair.b.opened());
  const auto info = *pair.b.table.info(*pair.b.opened());
  CHECK(info.label == "label \xc3\xa9");
  CHECK(info.init.protocol == "proto");
  CHECK_FALSE(info.init.ordered);
  CHECK(info.init.max_retransmits == 3);
  CHECK(info.id == 0);
  CHECK(info.state == data_channel_state::open);
  CHECK(pair.a.state(key) == data_channel_state::open);
  CHECK(pair.a.table.idle());
  CHECK(pair.b.table.idle());
}

TEST_CASE("a channel made before the association has no id until the role is known") {
  table_pair pair;
  const auto first = pair.b.create("first");
  const auto second = pair.b.create("second");
  pair.b.send(second, text("early"));
  CHECK_FALSE(pair.b.table.info(first)->id.has_value());
  CHECK_FALSE(pair.b.table.idle());
  pair.b.table.set_dtls_client(false);
  CHECK(pair.b.table.info(first)->id == 1);
  CHECK(pair.b.table.info(second)->id == 3);
  CHECK(pair.b.state(first) == data_channel_state::connecting);
  pair.connect();
  CHECK(pair.b.state(first) == data_channel_state::open);
  REQUIRE(pair.a.opened());
  CHECK(pair.a.table.info(*pair.a.opened())->label == "second");
  CHECK(pair.a.texts(*pair.a.opened()) == std::vector<std::string>{"early"});
}

TEST_CASE("a negotiated channel tells nothing in band and is no event at the peer") {
  table_pair pair;
  const auto a = pair.a.create("n", negotiated(7));
  pair.connect();
  const auto b = pair.b.create("n", negotiated(7));
  pair.settle();
  CHECK(pair.a.association.log.empty());
  CHECK(pair.b.association.log.empty());
  CHECK_FALSE(pair.b.opened());
  CHECK(pair.a.state(a) == data_channel_state::open);
  CHECK(pair.b.state(b) == data_channel_state::open);
  pair.a.send(a, text("hello"));
  pair.settle();
  CHECK(pair.b.texts(b) == std::vector<std::string>{"hello"});
}

TEST_CASE("data for a negotiated id that does not exist yet waits for it") {
  table_pair pair;
  const auto a = pair.a.create("n", negotiated(7));
  pair.connect();
  pair.a.send(a, text("one"));
  pair.a.send(a, text("two"));
  pair.settle();
  const auto b = pair.b.create("n", negotiated(7));
  CHECK(pair.b.texts(b) == std::vector<std::string>{"one", "two"});
}

TEST_CASE("bad arguments of a new channel are told apart") {
  side a(true);
  data_channel_init init;
  init.max_retransmits = 1;
  init.max_packet_life_time = milliseconds(1);
  CHECK(refusal(a, "x", init) == errc::type_error);
  init = {};
  init.max_packet_life_time = milliseconds(-1);
  CHECK(refusal(a, "x", init) == errc::type_error);
  init.max_packet_life_time = milliseconds(65536);
  CHECK(refusal(a, "x", init) == errc::type_error);
  init = {};
  init.negotiated = true;
  CHECK(refusal(a, "x", init) == errc::type_error);
  CHECK(refusal(a, "x", negotiated(65535)) == errc::type_error);
  CHECK(refusal(a, std::string(65536, 'x'), {}) == errc::type_error);
  CHECK(refusal(a, "\xff", {}) == errc::type_error);
  init = {};
  init.protocol = std::string(65536, 'x');
  CHECK(refusal(a, "x", init) == errc::type_error);
  a.create("x", negotiated(65534));
  CHECK(refusal(a, "x", negotiated(65534)) == errc::operation_error);
}

TEST_CASE("an id is ignored unless the channel is negotiated") {
  side a(true);
  data_channel_init init;
  init.id = 9;
  const auto key = a.create("x", init);
  a.connect();
  CHECK(a.table.info(key)->id == 0);
  CHECK_FALSE(a.table.info(key)->init.id.has_value());
}

TEST_CASE("in-band ids pass over negotiated ones, which may have any parity") {
  side a(true);
  a.create("n", negotiated(2));
  a.create("n", negotiated(3));
  a.connect();
  CHECK(a.table.info(a.create("x"))->id == 0);
  CHECK(a.table.info(a.create("y"))->id == 4);
}

TEST_CASE("an id at or above the negotiated number of streams is an operation_error") {
  side a(true);
  const auto negotiated_early = a.create("n", negotiated(4));
  std::vector<channel_key> in_band;
  for (int i = 0; i < 3; ++i) in_band.push_back(a.create("x"));
  a.connect(4);
  CHECK(a.closed(negotiated_early)->reason.code == errc::operation_error);
  CHECK(a.state(in_band[1]) == data_channel_state::open);
  CHECK(a.closed(in_band[2])->reason.code == errc::operation_error);
  CHECK(refusal(a, "x", negotiated(4)) == errc::operation_error);
  CHECK(refusal(a, "x", {}) == errc::operation_error);
  CHECK(a.table.max_channels() == 4);
}

TEST_CASE("the OPEN is reliable and ordered, whatever the channel is") {
  side a(true);
  data_channel_init init;
  init.ordered = false;
  init.max_retransmits = 0;
  a.create("x", init);
  a.connect();
  REQUIRE(a.association.log.size() == 1);
  const auto& options = a.association.log[0].options;
  CHECK(options.ppid == sctp::ppid::dcep);
  CHECK_FALSE(options.unordered);
  CHECK_FALSE(options.max_retransmits.has_value());
}

TEST_CASE("data on an unordered channel is ordered until the ACK, and the receiver's never is") {
  table_pair pair;
  pair.connect();
  data_channel_init init;
  init.ordered = false;
  init.max_packet_life_time = milliseconds(500);
  const auto key = pair.a.create("x", init);
  pair.a.send(key, text("before"));
  CHECK_FALSE(pair.a.association.log.back().options.unordered);
  CHECK(pair.a.association.log.back().options.lifetime == milliseconds(500));
  pair.settle();
  pair.a.send(key, text("after"));
  CHECK(pair.a.association.log.back().options.unordered);
  pair.b.send(*pair.b.opened(), text("back"));
  const auto& back = pair.b.association.log.back().options;
  CHECK(back.unordered);
  CHECK(back.lifetime == milliseconds(500));
}

TEST_CASE("any message stands for the ACK") {
  side a(true);
  a.connect();
  data_channel_init init;
  init.ordered = false;
  const auto key = a.create("x", init);
  a.receive(0, sctp::ppid::string, {'h', 'i'});
  a.send(key, text("after"));
  CHECK(a.association.log.back().options.unordered);
}

TEST_CASE("65535 channels at most, and no more than the settings allow") {
  datachannel::settings settings;
  settings.max_channels = 2;
  side a(true, settings);
  a.create("x");
  a.create("y");
  CHECK(refusal(a, "z", {}) == errc::operation_error);
}

TEST_CASE("a thousand channels open at once") {
  table_pair pair;
  pair.connect();
  for (int i = 0; i < 500; ++i) {
    pair.a.create("a" + std::to_string(i));
    pair.b.create("b" + std::to_string(i));
  }
  pair.settle();
  CHECK(pair.a.all<datachannel::channel_opened_by_peer>().size() == 500);
  CHECK(pair.b.all<datachannel::channel_opened_by_peer>().size() == 500);
  CHECK(pair.a.table.statistics().channels_opened == 1000);
}

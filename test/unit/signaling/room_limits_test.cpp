#include "room_harness.hpp"

#include <doctest/doctest.h>

#include <cstdint>

using asiortc::signaling::connection_id;
using asiortc::signaling::room_options;
using asiortc::test::json;
using asiortc::test::room_harness;
using namespace std::chrono_literals;

TEST_CASE("who does not join in 10 s is closed with 4008") {
  room_harness h;
  const int a = h.connect();
  h.pass(9999ms);
  CHECK(h.at[a].close_code == 0);
  h.pass(1ms);
  CHECK(h.error_of(a) == "join-timeout");
  CHECK(h.last_of(a).at("fatal") == true);
  CHECK(h.at[a].close_code == 4008);
}

TEST_CASE("a ping goes out every 15 s, and 45 s of silence end it with a timeout") {
  room_harness h;
  const int quiet = h.join();
  const int other = h.join();
  for (int i = 0; i < 44; ++i) {
    h.pass(1s);
    h.service.handle_alive(h.now, connection_id(other));
  }
  CHECK(h.at[quiet].pings == 2);
  CHECK(h.at[quiet].close_code == 0);
  h.pass(1s);
  CHECK(h.at[quiet].close_code == 4008);
  CHECK(h.error_of(quiet) == "idle");
  CHECK(h.last_of(other).at("reason") == "timeout");
  CHECK(h.at[other].close_code == 0);
  CHECK(h.at[other].pings == 3);
}

TEST_CASE("the third bad message within a minute closes with 4000") {
  room_harness h;
  const int a = h.join();
  const int b = h.join();
  h.say_text(a, "nonsense");
  h.say_text(a, "nonsense");
  CHECK(h.error_of(a) == "bad-message");
  CHECK(h.at[a].close_code == 0);
  h.say_text(a, "nonsense");
  CHECK(h.error_of(a) == "bad-message");
  CHECK(h.last_of(a).at("fatal") == true);
  CHECK(h.at[a].close_code == 4000);
  CHECK(h.last_of(b).at("reason") == "closed");
}

TEST_CASE("three bad messages over more than a minute are borne") {
  room_harness h;
  const int a = h.join();
  for (int i = 0; i < 6; ++i) {
    h.say_text(a, "nonsense");
    h.pass(31s);
  }
  CHECK(h.of_type(a, "error").size() == 6);
  CHECK(h.at[a].close_code == 0);
}

TEST_CASE("a binary frame is a bad message") {
  room_harness h;
  const int a = h.join();
  h.service.handle_binary(h.now, connection_id(a));
  h.drain();
  CHECK(h.error_of(a) == "bad-message");
}

TEST_CASE("64 KiB are taken, one byte more closes that socket with 1009 and only that") {
  room_harness h;
  const int a = h.join();
  const int b = h.join();
  std::string text = R"({"type":"signal","to":)" + std::to_string(h.id_of(b)) + R"(,"data":{"x":")";
  text.append(65536 - text.size() - 3, 'x').append("\"}}");
  REQUIRE(text.size() == 65536);
  h.say_text(a, text);
  CHECK(h.last_of(b).at("type") == "signal");
  h.say_text(a, text + " ");
  CHECK(h.at[a].close_code == 1009);
  CHECK(h.last_of(b).at("type") == "peer-left");
  CHECK(h.at[b].close_code == 0);
}

TEST_CASE("the 257th peer is told that the room is full") {
  room_harness h;
  for (int i = 0; i < 256; ++i) CHECK(h.last_of(h.join()).at("peers").size() == std::size_t(i));
  const int late = h.join();
  CHECK(h.error_of(late) == "room-full");
  CHECK(h.at[late].close_code == 4022);
  h.disconnect(1);
  CHECK(h.last_of(h.join()).at("type") == "joined");
}

TEST_CASE("rooms and connections are bounded: server-full, 1013") {
  room_options options;
  options.max_rooms = 2;
  options.max_connections = 4;
  room_harness h(options);
  h.join("a");
  h.join("b");
  const int third = h.join("c");
  CHECK(h.error_of(third) == "server-full");
  CHECK(h.at[third].close_code == 1013);
  h.join("a");
  const int fifth = h.connect();
  CHECK(h.error_of(fifth) == "server-full");
  CHECK(h.at[fifth].close_code == 1013);
}

TEST_CASE("who does not read is closed with 4010, and the room goes on") {
  room_options options;
  options.max_queue = 100 * 1024;
  room_harness h(options);
  const int slow = h.join();
  const int b = h.join();
  h.reads = false;
  const json data{{"x", std::string(60 * 1024, 'x')}};
  h.signal(b, h.id_of(slow), data);
  CHECK(h.at[slow].close_code == 0);
  h.signal(b, h.id_of(slow), data);
  CHECK(h.error_of(slow) == "slow-consumer");
  CHECK(h.at[slow].close_code == 4010);
  CHECK(h.at[slow].discarded);
  CHECK(h.last_of(b).at("type") == "peer-left");
  CHECK(h.at[b].close_code == 0);
}

TEST_CASE("what was written makes room in the queue") {
  room_options options;
  options.max_queue = 100 * 1024;
  room_harness h(options);
  const int a = h.join();
  const int b = h.join();
  const json data{{"x", std::string(60 * 1024, 'x')}};
  for (int i = 0; i < 50; ++i) h.signal(b, h.id_of(a), data);
  CHECK(h.of_type(a, "signal").size() == 50);
}

TEST_CASE("several slow ones at once fall together and each is told once to the rest") {
  room_options options;
  options.max_queue = 1000;
  room_harness h(options);
  const int a = h.join();
  const int b = h.join();
  const int c = h.join();
  h.reads = false;
  for (int i = 0; i < 12 && h.at[c].close_code == 0; ++i) h.join();
  CHECK(h.at[a].close_code == 4010);
  CHECK(h.at[b].close_code == 4010);
  CHECK(h.at[c].close_code == 4010);
}

TEST_CASE("too much at once is warned of with to and n, and then closed with 4029") {
  room_options options;
  options.message_burst = 5;
  options.messages_per_second = 1;
  room_harness h(options);
  const int a = h.join();
  const int b = h.join();
  int sent = 0;
  while (h.at[b].close_code == 0 && sent < 100) {
    ++sent;
    h.say(b, json{{"type", "signal"}, {"to", h.id_of(a)}, {"data", json::object()}, {"n", sent}});
    if (sent == 5) {
      CHECK(h.error_of(b) == "rate-limited");
      CHECK(h.last_of(b).at("to") == h.id_of(a));
      CHECK(h.last_of(b).at("n") == 5);
    }
  }
  CHECK(h.of_type(a, "signal").size() == 4);
  CHECK(h.at[b].close_code == 4029);
  CHECK(sent == 14);
}

TEST_CASE("a second at the allowed rate makes up for a burst") {
  room_options options;
  options.message_burst = 5;
  options.messages_per_second = 5;
  room_harness h(options);
  const int a = h.join();
  for (int i = 0; i < 50; ++i) {
    h.say(a, json{{"type", "ping"}});
    h.pass(200ms);
    h.service.handle_alive(h.now, connection_id(a));
  }
  CHECK(h.of_type(a, "error").empty());
}

TEST_CASE("a newcomer may offer to a full room at once") {
  room_harness h;
  std::vector<int> ids;
  for (int i = 0; i < 255; ++i) ids.push_back(h.id_of(h.join()));
  const int late = h.join();
  const json data{{"description", {{"type", "offer"}, {"sdp", std::string(4000, 's')}}}};
  for (const int id : ids) {
    for (int i = 0; i < 11; ++i) h.signal(late, id, data);
  }
  CHECK(h.of_type(late, "error").empty());
  CHECK(h.of_type(1, "signal").size() == 11);
}

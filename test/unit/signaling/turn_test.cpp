// What comes out of turn.
#include "room_harness.hpp"

#include <doctest/doctest.h>

using asiortc::test::json;
using asiortc::test::room_harness;

TEST_CASE("nothing but join or resume comes first") {
  for (const char* text :
       {R"({"type":"signal","to":1,"data":{}})", R"({"type":"leave"})", R"({"type":"ping"})",
        R"({"type":"ack","seq":1})", R"({"type":"ice-servers"})", R"({"type":"seal"})",
        R"({"type":"kick","peer":1})"}) {
    CAPTURE(text);
    room_harness h;
    const int a = h.connect();
    h.say_text(a, std::string(text));
    CHECK(h.error_of(a) == "bad-message");
    CHECK(h.last_of(a).at("message") == "the first message must be 'join'");
    h.say(a, json{{"type", "join"}, {"room", "r"}});
    CHECK(h.last_of(a).at("type") == "joined");
  }
}

TEST_CASE("a signal that is refused is answered with its to and n") {
  room_harness h;
  const int a = h.connect();
  h.say_text(a, R"({"type":"signal","to":5,"n":1,"data":{}})");
  CHECK(h.error_of(a) == "bad-message");
  CHECK(h.last_of(a).at("to") == 5);
  CHECK(h.last_of(a).at("n") == 1);
  h.say(a, json{{"type", "join"}, {"room", "r"}});
  h.say_text(a, R"({"type":"signal","to":6,"n":2,"data":[]})");
  CHECK(h.error_of(a) == "bad-message");
  CHECK(h.last_of(a).at("to") == 6);
  CHECK(h.last_of(a).at("n") == 2);
}

TEST_CASE("a second join and a late resume are out of turn") {
  room_harness h;
  const int a = h.join();
  h.say(a, json{{"type", "join"}, {"room", "other"}});
  CHECK(h.error_of(a) == "bad-message");
  h.say(a, json{{"type", "resume"}, {"session", "s"}, {"secret", "t"}, {"last_seq", 0}});
  CHECK(h.error_of(a) == "bad-message");
  CHECK(h.service.rooms() == 1);
}

TEST_CASE("what comes from a connection that is gone or unknown changes nothing") {
  room_harness h;
  const int a = h.join();
  h.disconnect(a);
  h.say(a, json{{"type", "join"}, {"room", "r"}});
  h.say(77, json{{"type", "join"}, {"room", "r"}});
  h.disconnect(77);
  h.service.handle_sent(asiortc::signaling::connection_id(77), 10);
  CHECK(h.service.connections() == 0);
  CHECK(h.service.rooms() == 0);
}

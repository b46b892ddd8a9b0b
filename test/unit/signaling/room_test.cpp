#include "room_harness.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

using asiortc::test::json;
using asiortc::test::room_harness;

TEST_CASE("the first to join is alone, is the host and gets all that the contract promises") {
  room_harness h;
  const int a = h.join("room", "ann");
  const json joined = h.last_of(a);
  CHECK(joined.at("type") == "joined");
  CHECK(joined.at("room") == "room");
  CHECK(joined.at("id").get<int>() >= 1);
  CHECK(joined.at("host") == joined.at("id"));
  CHECK(joined.at("peers") == json::array());
  CHECK(joined.at("ice_servers") == json::array());
  CHECK(joined.at("resume_ms") == 0);
  CHECK(joined.at("session").get<std::string>().size() == 32);
  CHECK(joined.at("secret").get<std::string>().size() == 32);
  CHECK(joined.at("session") != joined.at("secret"));
  CHECK_FALSE(joined.contains("seq"));
}

TEST_CASE("who was there is listed, and who was there is told") {
  room_harness h;
  const int a = h.join("room", "ann");
  const int b = h.join("room", "bob");
  const int c = h.join("room");
  const json listed = h.last_of(c).at("peers");
  REQUIRE(listed.size() == 2);
  CHECK(listed[0] == json{{"id", h.id_of(a)}, {"name", "ann"}});
  CHECK(listed[1] == json{{"id", h.id_of(b)}, {"name", "bob"}});
  CHECK(h.last_of(c).at("host") == h.id_of(a));
  const auto told = h.of_type(a, "peer-joined");
  REQUIRE(told.size() == 2);
  CHECK(told[0] == json{{"type", "peer-joined"}, {"seq", 1}, {"id", h.id_of(b)}, {"name", "bob"}});
  CHECK(told[1] == json{{"type", "peer-joined"}, {"seq", 2}, {"id", h.id_of(c)}, {"name", ""}});
  CHECK(h.of_type(b, "peer-joined").size() == 1);
  CHECK(h.of_type(c, "peer-joined").empty());
}

TEST_CASE("rooms do not hear of each other") {
  room_harness h;
  const int a = h.join("one");
  const int b = h.join("two");
  CHECK(h.at[a].messages.size() == 1);
  h.signal(a, h.id_of(b));
  CHECK(h.error_of(a) == "peer-not-found");
  CHECK(h.at[b].messages.size() == 1);
  CHECK(h.service.rooms() == 2);
}

TEST_CASE("a signal arrives with its sender stamped and its data untouched") {
  room_harness h;
  const int a = h.join();
  const int b = h.join();
  const json data{{"candidate", {{"candidate", "x\u00e4"}, {"n", 1.5}, {"deep", {{"a", json()}}}}}};
  h.say(b, json{{"type", "signal"}, {"to", h.id_of(a)}, {"from", 99}, {"data", data}, {"n", 1}});
  CHECK(h.last_of(a) == json{{"type", "signal"}, {"seq", 2}, {"from", h.id_of(b)}, {"data", data}});
  h.signal(a, h.id_of(b), {{"k", 1}});
  CHECK(h.last_of(b) ==
        json{{"type", "signal"}, {"seq", 1}, {"from", h.id_of(a)}, {"data", {{"k", 1}}}});
}

TEST_CASE("seq counts per receiver without gaps over presence and signals") {
  room_harness h;
  const int a = h.join();
  const int b = h.join();
  h.signal(b, h.id_of(a));
  const int c = h.join();
  h.signal(c, h.id_of(a));
  h.say(b, json{{"type", "leave"}});
  h.signal(c, h.id_of(a));
  std::uint64_t expected = 0;
  for (const json& message : h.at[a].messages) {
    if (message.contains("seq")) CHECK(message.at("seq") == ++expected);
  }
  CHECK(expected == 6);
}

TEST_CASE("a signal to oneself, to a stranger or to one who left is answered with to and n") {
  room_harness h;
  const int a = h.join();
  const int b = h.join();
  const int gone = h.id_of(b);
  h.disconnect(b);
  std::uint64_t n = 0;
  for (const int to : {h.id_of(a), gone, h.id_of(a) == 7 ? 8 : 7}) {
    h.say(a, json{{"type", "signal"}, {"to", to}, {"data", json::object()}, {"n", ++n}});
    const json answer = h.last_of(a);
    CHECK(answer.at("code") == "peer-not-found");
    CHECK(answer.at("to") == to);
    CHECK(answer.at("n") == n);
    CHECK_FALSE(answer.contains("fatal"));
  }
  CHECK(h.at[a].close_code == 0);
}

TEST_CASE("a repeated n is dropped") {
  room_harness h;
  const int a = h.join();
  const int b = h.join();
  for (const int n : {1, 2, 2, 1, 3}) {
    h.say(b, json{{"type", "signal"}, {"to", h.id_of(a)}, {"data", {{"n", n}}}, {"n", n}});
  }
  const auto got = h.of_type(a, "signal");
  REQUIRE(got.size() == 3);
  CHECK(got[2].at("data").at("n") == 3);
}

TEST_CASE("leave is answered by closing with 1000, and the others are told") {
  room_harness h;
  const int a = h.join();
  const int b = h.join();
  h.say(b, json{{"type", "leave"}});
  CHECK(h.at[b].close_code == 1000);
  CHECK(h.last_of(a) ==
        json{{"type", "peer-left"}, {"seq", 2}, {"id", h.id_of(b)}, {"reason", "left"}});
  h.disconnect(b);
  CHECK(h.of_type(a, "peer-left").size() == 1);
}

TEST_CASE("a closed socket is told as closed, a broken one as a timeout") {
  room_harness h;
  const int a = h.join();
  h.disconnect(h.join(), false);
  CHECK(h.last_of(a).at("reason") == "closed");
  h.disconnect(h.join(), true);
  CHECK(h.last_of(a).at("reason") == "timeout");
}

TEST_CASE("nothing from a peer comes after its peer-left") {
  room_harness h;
  const int a = h.join();
  const int b = h.join();
  h.say(b, json{{"type", "leave"}});
  h.signal(b, h.id_of(a));
  CHECK(h.last_of(a).at("type") == "peer-left");
}

TEST_CASE("ids differ while the room lives, also from those who left") {
  room_harness h;
  h.join();
  std::set<int> ids;
  for (int i = 0; i < 2000; ++i) {
    const int who = h.join();
    const int id = h.id_of(who);
    CHECK(id >= 1);
    CHECK(ids.insert(id).second);
    h.disconnect(who);
    h.at.clear();
    h.pass(std::chrono::milliseconds(1));
  }
}

TEST_CASE("the longest in the room is its host once the first has left") {
  room_harness h;
  const int a = h.join();
  const int b = h.join();
  h.disconnect(a);
  const int c = h.join();
  CHECK(h.last_of(c).at("host") == h.id_of(b));
}

TEST_CASE("a room is gone with its last peer") {
  room_harness h;
  const int a = h.join();
  CHECK(h.service.rooms() == 1);
  h.disconnect(a);
  CHECK(h.service.rooms() == 0);
  CHECK(h.service.connections() == 0);
  CHECK(h.service.next_deadline() == asiortc::base::never);
}

TEST_CASE("ping is answered with pong and its ts, whatever that is") {
  room_harness h;
  const int a = h.join();
  h.say_text(a, R"({"type":"ping"})");
  CHECK(h.last_of(a) == json{{"type", "pong"}});
  h.say_text(a, R"({"type":"ping","ts":1700000000000.5})");
  CHECK(h.last_of(a) == json{{"type", "pong"}, {"ts", 1700000000000.5}});
  h.say_text(a, R"({"type":"ping","ts":{"a":[null]}})");
  CHECK(h.last_of(a).at("ts") == json{{"a", {json()}}});
}

TEST_CASE("ice servers are told on joining and on asking") {
  asiortc::signaling::room_options options;
  asiortc::ice_server server("turn:t.example");
  server.username = "u";
  server.credential = "c";
  options.ice_servers = {asiortc::ice_server("stun:s.example"), server};
  room_harness h(options);
  const int a = h.join();
  const json expected{{{"urls", {"stun:s.example"}}},
                      {{"urls", {"turn:t.example"}}, {"username", "u"}, {"credential", "c"}}};
  CHECK(h.last_of(a).at("ice_servers") == expected);
  h.say(a, json{{"type", "ice-servers"}});
  CHECK(h.last_of(a) == json{{"type", "ice-servers"}, {"ice_servers", expected}});
}

TEST_CASE("acks are accepted, a resume fails for good, and nobody may seal or kick") {
  room_harness h;
  const int a = h.join();
  const int b = h.join();
  h.say(a, json{{"type", "ack"}, {"seq", 1}});
  h.say(a, json{{"type", "seal"}});
  CHECK(h.error_of(a) == "forbidden");
  h.say(a, json{{"type", "kick"}, {"peer", h.id_of(b)}});
  CHECK(h.error_of(a) == "forbidden");
  CHECK(h.at[a].close_code == 0);
  const int c = h.connect();
  h.say(c, json{{"type", "resume"}, {"session", "s"}, {"secret", "t"}, {"last_seq", 0}});
  CHECK(h.error_of(c) == "resume-failed");
  CHECK(h.last_of(c).at("fatal") == true);
  CHECK(h.at[c].close_code == 4004);
}

TEST_CASE("a server that stops says so, closes with 1012 and takes nobody in") {
  room_harness h;
  const int a = h.join();
  const int waiting = h.connect();
  h.service.handle_stop();
  h.drain();
  CHECK(h.last_of(a).at("type") == "going-away");
  CHECK(h.last_of(a).at("reconnect_ms").is_number_unsigned());
  CHECK(h.at[a].close_code == 1012);
  CHECK(h.at[waiting].messages.empty());
  CHECK(h.at[waiting].close_code == 1012);
  const int late = h.connect();
  CHECK(h.at[late].close_code == 1012);
  CHECK(h.service.rooms() == 0);
}

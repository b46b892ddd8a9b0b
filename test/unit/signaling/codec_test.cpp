#include "signaling/codec.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace sig = asiortc::signaling;

namespace {

std::string complaint(const std::string& text) {
  const auto message = sig::decode_client_message(text);
  CHECK_FALSE(message.value);
  return message.complaint;
}

template <class Message>
Message read(const std::string& text) {
  const auto message = sig::decode_client_message(text);
  REQUIRE_MESSAGE(message.value, message.complaint);
  REQUIRE(std::holds_alternative<Message>(*message.value));
  return std::get<Message>(*message.value);
}

}  // namespace

TEST_CASE("unknown fields are ignored") {
  const auto join = read<sig::join_message>(R"({"type":"join","room":"a.B_9-","later":[1,{}]})");
  CHECK(join.room == "a.B_9-");
  CHECK(join.name.empty());
}

TEST_CASE("a complaint says what was wrong") {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"", "not valid JSON"},
      {"{", "not valid JSON"},
      {"[]", "not a JSON object"},
      {"\"join\"", "not a JSON object"},
      {"null", "not a JSON object"},
      {"{} {}", "not valid JSON"},
      {"{}", "'type' is missing, expected a string"},
      {R"({"type":1})", "'type' is not a string"},
      {R"({"type":"dance"})", "unknown 'type'"},
      {R"({"type":"join"})", "'room' is missing, expected a string"},
      {R"({"type":"join","room":7})", "'room' is not a string"},
      {R"({"type":"join","room":""})", "'room' is not 1 to 64 of A-Z a-z 0-9 . _ -"},
      {R"({"type":"join","room":"a b"})", "'room' is not 1 to 64 of A-Z a-z 0-9 . _ -"},
      {R"({"type":"join","room":"r","name":null})", "'name' is not a string"},
      {R"({"type":"signal","data":{}})", "'to' is missing, expected an integer"},
      {R"({"type":"signal","to":"1","data":{}})", "'to' is not an integer from 1 to 2147483647"},
      {R"({"type":"signal","to":0,"data":{}})", "'to' is not an integer from 1 to 2147483647"},
      {R"({"type":"signal","to":-1,"data":{}})", "'to' is not an integer from 1 to 2147483647"},
      {R"({"type":"signal","to":1.0,"data":{}})", "'to' is not an integer from 1 to 2147483647"},
      {R"({"type":"signal","to":2147483648,"data":{}})",
       "'to' is not an integer from 1 to 2147483647"},
      {R"({"type":"signal","to":99999999999999999999999,"data":{}})",
       "'to' is not an integer from 1 to 2147483647"},
      {R"({"type":"signal","to":1})", "'data' is missing, expected an object"},
      {R"({"type":"signal","to":1,"data":[]})", "'data' is not an object"},
      {R"({"type":"signal","to":1,"data":null})", "'data' is not an object"},
      {R"({"type":"signal","to":1e999,"data":{}})", "'to' is not an integer from 1 to 2147483647"},
      {R"({"type":"signal","to":1e0,"data":{}})", "'to' is not an integer from 1 to 2147483647"},
      {R"({"type":"ack"})", "'seq' is missing, expected an integer"},
      {R"({"type":"kick"})", "'peer' is missing, expected an integer"},
      {R"({"type":"resume","session":"s","secret":"t"})",
       "'last_seq' is missing, expected an integer"},
  };
  for (const auto& wrong : cases) {
    CAPTURE(wrong.first);
    CHECK(complaint(wrong.first) == wrong.second);
  }
}

TEST_CASE("room and name have their bounds") {
  const auto join = [](std::size_t room, std::size_t name) {
    return R"({"type":"join","room":")" + std::string(room, 'r') + R"(","name":")" +
           std::string(name, 'n') + "\"}";
  };
  CHECK(read<sig::join_message>(join(64, 64)).name.size() == 64);
  CHECK(complaint(join(65, 1)) == "'room' is longer than 64 bytes");
  CHECK(complaint(join(1, 65)) == "'name' is longer than 64 bytes");
}

TEST_CASE("invalid UTF-8 is no JSON") {
  CHECK(complaint("{\"type\":\"join\",\"room\":\"r\",\"name\":\"\xff\"}") == "not valid JSON");
  CHECK(complaint("{\"type\":\"join\",\"room\":\"r\",\"name\":\"\xc0\x80\"}") == "not valid JSON");
}

TEST_CASE("lone surrogates, which browsers write, are passed on, and read as U+FFFD") {
  const std::string data = R"({"a":"\ud83d\ude00\ude00\uD83D","b":"\\ud800","\udfff":1})";
  CHECK(read<sig::signal_request>(R"({"type":"signal","to":1,"data":)" + data + "}").data == data);
  CHECK(read<sig::ping_message>(R"({"type":"ping","ts":"\ud800\ud800"})").ts ==
        R"("\ud800\ud800")");
  const auto name_of = [](const std::string& escapes) {
    return read<sig::join_message>(R"({"type":"join","room":"r","name":")" + escapes + R"("})")
        .name;
  };
  CHECK(name_of(R"(\ud800)") == "\xef\xbf\xbd");
  CHECK(name_of(R"(\udc00\ud83d\ude00)") == "\xef\xbf\xbd\xf0\x9f\x98\x80");
  CHECK(complaint(R"({"type":"join","room":"r","name":"\ud8"})") == "not valid JSON");
}

TEST_CASE("a complaint of a signal says which, as far as that can be read") {
  const auto refused = sig::decode_client_message(R"({"type":"signal","to":3,"n":9,"data":[]})");
  CHECK_FALSE(refused.value);
  CHECK(refused.to == 3);
  CHECK(refused.n == std::uint64_t{9});
  const auto vague = sig::decode_client_message(R"({"type":"signal","to":0,"n":"x","data":{}})");
  CHECK_FALSE(vague.to);
  CHECK_FALSE(vague.n);
  CHECK_FALSE(sig::decode_client_message(R"({"type":"kick","to":3,"n":9})").to);
}

TEST_CASE("deep nesting is refused before it can exhaust the stack") {
  const auto nested = [](std::size_t depth) {
    return R"({"type":"signal","to":1,"data":{"x":)" + std::string(depth, '[') +
           std::string(depth, ']') + "}}";
  };
  CHECK(complaint(nested(30000)) == "the JSON is nested too deeply");
  CHECK(complaint(nested(31)) == "the JSON is nested too deeply");
  CHECK(read<sig::signal_request>(nested(30)).to == 1);
  // Brackets in a string are no nesting.
  read<sig::signal_request>(R"({"type":"signal","to":1,"data":{"x":"\")" + std::string(100, '[') +
                            "\"}}");
}

TEST_CASE("of a field given twice the last counts") {
  CHECK(read<sig::join_message>(R"({"type":"ping","room":"a","type":"join","room":"b"})").room ==
        "b");
}

TEST_CASE("data and ts are passed on as they were written") {
  const std::string data =
      R"({ "b":12345678901234567890123,"a" : [-0, 1.10,1e400],"\u0061":"\/" })";
  const auto signal =
      read<sig::signal_request>(R"({"data":{},"type":"signal","to":1, "data" : )" + data + "}");
  CHECK(signal.data == data);
  const std::string passed_on = sig::encode(sig::signal_message{1, 2, signal.data});
  const auto heard = sig::decode_server_message(passed_on);
  REQUIRE_MESSAGE(heard.value, heard.complaint);
  CHECK(std::get<sig::signal_message>(*heard.value).data == data);
  CHECK(read<sig::ping_message>(R"({"type":"ping","ts": 1.50 })").ts == "1.50");
}

TEST_CASE("what a client encodes a server reads back") {
  const std::vector<sig::client_message> messages{sig::join_message{"room", "n\"\\\n\xc3\xa4", "t"},
                                                  sig::signal_request{5, R"({"a":1})", 3},
                                                  sig::leave_message{},
                                                  sig::ping_message{"12"},
                                                  sig::ping_message{},
                                                  sig::ack_message{9},
                                                  sig::resume_message{"s", "t", 4},
                                                  sig::ice_servers_request{},
                                                  sig::seal_message{},
                                                  sig::kick_message{8}};
  for (const auto& message : messages) {
    const std::string text = sig::encode(message);
    CAPTURE(text);
    const auto back = sig::decode_client_message(text);
    REQUIRE(back.value);
    CHECK(back.value->index() == message.index());
    CHECK(sig::encode(*back.value) == text);
  }
}

TEST_CASE("what a server encodes a client reads back") {
  sig::joined_message joined;
  joined.room = "r";
  joined.id = joined.host = 1;
  joined.peers = {{2, "b"}};
  asiortc::ice_server server("turn:x");
  server.username = "u";
  joined.ice_servers = {server};
  joined.session = "s";
  joined.secret = "t";
  const std::vector<sig::server_message> messages{
      joined,
      sig::peer_joined_message{1, {3, "c"}},
      sig::peer_left_message{2, 3, asiortc::leave_reason::kicked},
      sig::peer_away_message{3, 2},
      sig::peer_back_message{4, 2},
      sig::signal_message{5, 2, R"({"x":[1,2]})"},
      sig::pong_message{"\"t\""},
      sig::ice_servers_message{{server}},
      sig::sealed_message{6},
      sig::going_away_message{100},
      sig::error_message{"peer-not-found", "no", 7, 8, false},
      sig::error_message{"room-full", "full", {}, {}, true}};
  for (const auto& message : messages) {
    const std::string text = sig::encode(message);
    CAPTURE(text);
    const auto back = sig::decode_server_message(text);
    REQUIRE_MESSAGE(back.value, back.complaint);
    CHECK(back.value->index() == message.index());
    CHECK(sig::encode(*back.value) == text);
  }
}

TEST_CASE("a client ignores a type that it does not know") {
  const auto message = sig::decode_server_message(R"({"type":"weather","seq":-1})");
  REQUIRE(message.value);
  CHECK(std::holds_alternative<sig::unknown_message>(*message.value));
}

TEST_CASE("urls of an ice server may be one string") {
  const auto message =
      sig::decode_server_message(R"({"type":"ice-servers","ice_servers":[{"urls":"stun:a"}]})");
  REQUIRE(message.value);
  CHECK(std::get<sig::ice_servers_message>(*message.value).ice_servers.at(0).urls.at(0) ==
        "stun:a");
}

TEST_CASE("every error has its name and its close code") {
  using sig::error_kind;
  const std::vector<std::tuple<error_kind, std::string, int>> table{
      {error_kind::bad_message, "bad-message", 4000},
      {error_kind::unauthorized, "unauthorized", 4001},
      {error_kind::forbidden, "forbidden", 4003},
      {error_kind::resume_failed, "resume-failed", 4004},
      {error_kind::join_timeout, "join-timeout", 4008},
      {error_kind::idle, "idle", 4008},
      {error_kind::replaced, "replaced", 4009},
      {error_kind::slow_consumer, "slow-consumer", 4010},
      {error_kind::kicked, "kicked", 4011},
      {error_kind::room_full, "room-full", 4022},
      {error_kind::sealed, "sealed", 4023},
      {error_kind::rate_limited, "rate-limited", 4029},
      {error_kind::server_full, "server-full", 1013},
      {error_kind::going_away, "going-away", 1012}};
  for (const auto& [kind, name, code] : table) {
    CHECK(sig::to_string(kind) == name);
    CHECK(static_cast<int>(sig::close_code_of(kind)) == code);
  }
}

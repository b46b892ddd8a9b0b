#include "signaling/client_session.hpp"

#include "signaling/codec.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <vector>

namespace sig = asiortc::signaling;
using asiortc::errc;
using json = nlohmann::json;
using namespace std::chrono_literals;

namespace {

struct session_harness {
  asiortc::base::time_point now{};
  sig::client_session session{{}, now, asiortc::base::logger()};
  std::vector<json> said;
  std::vector<sig::server_message> news;
  std::optional<sig::session_end> end;

  void drain() {
    while (const auto output = session.poll()) {
      if (const auto* text = std::get_if<sig::session_text>(&*output)) {
        said.push_back(json::parse(text->text));
      } else if (const auto* heard = std::get_if<sig::session_news>(&*output)) {
        news.push_back(heard->message);
      } else {
        REQUIRE_FALSE(end);
        end = std::get<sig::session_end>(*output);
      }
    }
  }
  void hear(const sig::server_message& message) { hear_text(sig::encode(message)); }
  void hear_text(const std::string& text) {
    session.handle_text(now, text);
    drain();
  }
  void join(std::vector<asiortc::signaling_peer> peers = {}) {
    session.join(now, {"room", "me", {}});
    sig::joined_message joined;
    joined.room = "room";
    joined.id = joined.host = 1;
    joined.peers = std::move(peers);
    hear(joined);
  }
  void expect_violation() {
    REQUIRE(end);
    CHECK(end->reason == errc::signaling_protocol);
    CHECK(session.state() == sig::session_state::ended);
  }
};

}  // namespace

TEST_CASE("a session joins, signals with n, and leaves") {
  session_harness h;
  h.join({{2, "b"}});
  CHECK(h.said.at(0) == json{{"type", "join"}, {"room", "room"}, {"name", "me"}});
  CHECK(h.session.state() == sig::session_state::joined);
  h.session.signal(2, R"({"a":1})");
  h.session.signal(2, R"({"a":2})");
  h.session.leave();
  h.drain();
  CHECK(h.said.at(1) == json{{"type", "signal"}, {"to", 2}, {"n", 1}, {"data", {{"a", 1}}}});
  CHECK(h.said.at(2).at("n") == 2);
  CHECK(h.said.at(3) == json{{"type", "leave"}});
  h.session.handle_closed(1000, "");
  h.drain();
  REQUIRE(h.end);
  CHECK_FALSE(h.end->reason);
}

TEST_CASE("a gap or a repeat in seq breaks the protocol") {
  for (const std::uint64_t seq : {3U, 1U}) {
    session_harness h;
    h.join({{2, "b"}});
    h.hear(sig::signal_message{1, 2, "{}"});
    CHECK(h.news.size() == 2);
    h.hear(sig::signal_message{seq, 2, "{}"});
    h.expect_violation();
  }
}

TEST_CASE("every numbered message counts in seq") {
  session_harness h;
  h.join({{2, "b"}});
  h.hear(sig::peer_away_message{1, 2});
  h.hear(sig::peer_back_message{2, 2});
  h.hear(sig::sealed_message{3});
  h.hear(sig::peer_left_message{4, 2, asiortc::leave_reason::left});
  CHECK_FALSE(h.end);
  CHECK(h.news.size() == 5);
}

TEST_CASE("a peer joins once and leaves once") {
  {
    session_harness h;
    h.join({{2, "b"}});
    h.hear(sig::peer_joined_message{1, {2, "b"}});
    h.expect_violation();
  }
  {
    session_harness h;
    h.join();
    h.hear(sig::peer_left_message{1, 2, asiortc::leave_reason::left});
    h.expect_violation();
  }
  {
    session_harness h;
    h.join({{1, "myself"}});
    h.expect_violation();
  }
}

TEST_CASE("what comes before joined, a second joined, and no JSON break the protocol") {
  {
    session_harness h;
    h.hear(sig::signal_message{1, 2, "{}"});
    h.expect_violation();
  }
  {
    session_harness h;
    h.join();
    sig::joined_message again;
    again.room = "room";
    again.id = again.host = 1;
    h.hear(again);
    h.expect_violation();
  }
  {
    session_harness h;
    h.hear_text("<html>");
    h.expect_violation();
  }
}

TEST_CASE("a fatal error ends the session with the server's words") {
  session_harness h;
  h.session.join(h.now, {"room", "", {}});
  h.hear(sig::error_message{"room-full", "the room is full", {}, {}, true});
  REQUIRE(h.end);
  CHECK(h.end->reason == errc::signaling_refused);
  CHECK(h.end->words == "room-full: the room is full");
  h.session.handle_closed(4022, "room-full");
  h.drain();
}

TEST_CASE("an error before the joined is the answer to the join") {
  session_harness h;
  h.session.join(h.now, {"room", "", {}});
  h.hear(sig::error_message{"bad-message", "'name' is wrong", {}, {}, false});
  REQUIRE(h.end);
  CHECK(h.end->reason == errc::signaling_refused);
  CHECK(h.end->words == "bad-message: 'name' is wrong");
}

TEST_CASE("an error that is not fatal is news") {
  session_harness h;
  h.join();
  h.hear(sig::error_message{"peer-not-found", "gone", 7, 1, false});
  CHECK_FALSE(h.end);
  CHECK(h.news.size() == 2);
}

TEST_CASE("no joined within 10 s, and 45 s of silence, end the session") {
  {
    session_harness h;
    h.session.join(h.now, {"room", "", {}});
    h.drain();
    CHECK(h.session.next_deadline() == h.now + 10s);
    h.session.handle_timeout(h.now + 10s);
    h.drain();
    REQUIRE(h.end);
    CHECK(h.end->reason == boost::system::errc::timed_out);
  }
  {
    session_harness h;
    h.join();
    h.session.handle_alive(h.now + 20s);
    CHECK(h.session.next_deadline() == h.now + 65s);
    h.session.handle_timeout(h.now + 64s);
    h.drain();
    CHECK_FALSE(h.end);
    h.session.handle_timeout(h.now + 65s);
    h.drain();
    REQUIRE(h.end);
    CHECK(h.end->reason == errc::signaling_lost);
    CHECK(h.session.next_deadline() == asiortc::base::never);
  }
}

TEST_CASE("close codes from 4000 are refusals, others are a loss") {
  for (const int code : {4008, 1012, 1000, 0}) {
    session_harness h;
    h.join();
    h.session.handle_closed(static_cast<std::uint16_t>(code), "why");
    h.drain();
    REQUIRE(h.end);
    CHECK(h.end->reason == (code >= 4000 ? errc::signaling_refused : errc::signaling_lost));
  }
}

TEST_CASE("a room with more members than anybody can meet ends the session") {
  const auto others = [](std::size_t count) {
    std::vector<asiortc::signaling_peer> peers;
    for (std::size_t each = 0; each < count; ++each) {
      asiortc::signaling_peer peer;
      peer.id = static_cast<asiortc::peer_id>(each + 2);
      peers.push_back(peer);
    }
    return peers;
  };
  constexpr auto most = sig::client_session::max_members;
  SUBCASE("from the start") {
    session_harness h;
    h.join(others(most + 1));
    REQUIRE(h.end);
    CHECK(h.end->reason == errc::limit_reached);
    CHECK(h.news.empty());
  }
  SUBCASE("one by one") {
    session_harness h;
    h.join(others(most));
    REQUIRE_FALSE(h.end);
    sig::peer_joined_message last;
    last.seq = 1;
    last.peer.id = 1000000;
    h.hear(last);
    REQUIRE(h.end);
    CHECK(h.end->reason == errc::limit_reached);
  }
}

#include "signaling/remote_session.hpp"

#include <doctest/doctest.h>

#include <string>

namespace asiortc::signaling {
namespace {

using verdict = remote_session::verdict;

session_description from(const std::string& session, sdp_type type, int version = 1) {
  return session_description(type, "v=0\r\no=- " + session + " " + std::to_string(version) +
                                       " IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n");
}

}  // namespace

TEST_CASE("the session id is the second word of the o= line") {
  CHECK(session_id_of("v=0\r\no=- 4711 2 IN IP4 0.0.0.0\r\n") == "4711");
  CHECK(session_id_of("o=mozilla 12 0 IN IP4 0.0.0.0") == "12");
  CHECK(session_id_of("o=- 12") == "12");
  CHECK(session_id_of("v=0\r\ns=o=- 1\r\n").empty());
  CHECK(session_id_of("v=0\r\no=\r\ns=- 7 8\r\n").empty());
  CHECK(session_id_of("").empty());
  CHECK(session_id_of("\no=").empty());
}

TEST_CASE("the descriptions of one connection are current, whatever their version") {
  remote_session remote;
  CHECK(remote.judge(from("7", sdp_type::offer)) == verdict::current);
  CHECK(remote.judge(from("7", sdp_type::offer, 2)) == verdict::current);
  CHECK(remote.judge(from("7", sdp_type::answer, 3)) == verdict::current);
  CHECK(remote.judge(session_description(sdp_type::rollback, "")) == verdict::current);
}

TEST_CASE("an offer of another connection begins anew, and what came from the old one is stale") {
  remote_session remote;
  CHECK(remote.judge(from("7", sdp_type::answer)) == verdict::current);
  CHECK(remote.judge(from("8", sdp_type::offer)) == verdict::anew);
  CHECK(remote.judge(from("7", sdp_type::offer)) == verdict::stale);
  CHECK(remote.judge(from("7", sdp_type::answer)) == verdict::stale);
  CHECK(remote.judge(from("8", sdp_type::answer)) == verdict::current);
  CHECK(remote.judge(from("9", sdp_type::answer)) == verdict::stale);  // to nothing we said
}

TEST_CASE("when our side begins anew, the first new connection is current and the old ones stale") {
  remote_session remote;
  CHECK(remote.judge(from("7", sdp_type::offer)) == verdict::current);
  remote.begin_anew();
  CHECK(remote.judge(from("7", sdp_type::answer)) == verdict::stale);
  CHECK(remote.judge(from("8", sdp_type::answer)) == verdict::current);
  remote.begin_anew();
  remote.begin_anew();
  CHECK(remote.judge(from("8", sdp_type::offer)) == verdict::stale);
}

TEST_CASE("only the last few connections are remembered") {
  remote_session remote;
  for (int number = 0; number < 100; ++number) {
    remote.judge(from(std::to_string(number), sdp_type::offer));
  }
  CHECK(remote.judge(from("98", sdp_type::offer)) == verdict::stale);
  CHECK(remote.judge(from("91", sdp_type::offer)) == verdict::stale);
  CHECK(remote.judge(from("90", sdp_type::offer)) == verdict::anew);
}

}  // namespace asiortc::signaling

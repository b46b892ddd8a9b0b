#include "agent_pair.hpp"

using namespace asiortc;
using namespace asiortc::test;
using ice::agent_state;

namespace {

ice::candidate remote_at(const base::endpoint& address) {
  ice::candidate remote;
  remote.foundation = std::to_string(1);
  remote.priority = 2000000000;
  remote.address = address;
  return remote;
}

/// An agent whose other side never answers.
struct forsaken {
  forsaken() {
    pair.left.add_socket(ep("10.0.0.1:1000"));
    pair.left.agent.finish_gathering(pair.net.now);
    pair.left.agent.set_remote_credentials(pair.net.now, {"abcd", "1234567890123456789012"});
    pair.left.pump();
  }
  void add(const base::endpoint& address) {
    CHECK(pair.left.agent.add_remote_candidate(pair.net.now, remote_at(address)).has_value());
    pair.left.pump();
  }
  void end() {
    pair.left.agent.end_of_remote_candidates(pair.net.now);
    pair.left.pump();
  }
  bool failed_within(base::duration time) {
    pair.run_for(time);
    return pair.left.agent.state() == agent_state::failed;
  }
  agent_pair pair;
};

}  // namespace

TEST_CASE("checks that nobody answers fail at 39.5 s once the end of candidates is known") {
  forsaken lone;
  lone.add(ep("10.0.0.2:2000"));
  lone.end();
  CHECK_FALSE(lone.failed_within(39499ms));
  CHECK(lone.pair.left.agent.state() == agent_state::checking);
  CHECK(lone.failed_within(2ms));
  CHECK(lone.pair.left.reason.code == errc::checks_failed);
  CHECK(lone.pair.left.agent.pairs()[0].state == candidate_pair_state::failed);
  CHECK(lone.pair.left.agent.pairs()[0].failure == "no answer");
  CHECK(lone.pair.left.agent.pairs()[0].requests_sent == 7);
  CHECK(lone.pair.left.reason.detail == "no candidate pair works: 1 failed (1 no answer)");
}

TEST_CASE("pairs that fail early do not fail the agent before the PAC timer") {
  forsaken lone;
  lone.add(ep("10.0.0.2:2000"));
  lone.end();
  lone.pair.left.agent.handle_send_error(lone.pair.net.now,
                                         {base::socket_id{1}, ep("10.0.0.2:2000")});
  CHECK_FALSE(lone.failed_within(39s));
  CHECK(lone.failed_within(1s));
}

TEST_CASE("no candidate and the end of them is told as such") {
  forsaken lone;
  lone.end();
  CHECK_FALSE(lone.failed_within(39499ms));
  CHECK(lone.pair.left.agent.state() == agent_state::new_);
  CHECK(lone.failed_within(2ms));
  CHECK(lone.pair.left.reason.code == errc::no_remote_candidates);
}

TEST_CASE("without the end of candidates, 15 quiet seconds more must pass") {
  forsaken lone;
  lone.add(ep("10.0.0.2:2000"));
  CHECK_FALSE(lone.failed_within(54s));
  CHECK(lone.failed_within(1s));
}

TEST_CASE("a candidate that comes late gets its checks") {
  forsaken lone;
  CHECK_FALSE(lone.failed_within(50s));
  lone.add(ep("10.0.0.2:2000"));
  CHECK_FALSE(lone.failed_within(39s));
  CHECK(lone.failed_within(1s));
}

TEST_CASE("a name that is being resolved holds the failure off, but not for ever") {
  forsaken lone;
  lone.end();
  lone.pair.left.agent.hold_remote_candidate(lone.pair.net.now);
  SUBCASE("it resolves to nothing") {
    CHECK_FALSE(lone.failed_within(45s));
    lone.pair.left.agent.release_remote_candidate(lone.pair.net.now);
    lone.pair.left.agent.release_remote_candidate(lone.pair.net.now);
    lone.pair.left.pump();
  }
  SUBCASE("nobody says so") { CHECK_FALSE(lone.failed_within(54s)); }
  CHECK(lone.failed_within(1s));
  CHECK(lone.pair.left.reason.code == errc::no_remote_candidates);
}

TEST_CASE("candidates that never end are bounded, and so is the time") {
  forsaken lone;
  int accepted = 0;
  const auto start = lone.pair.net.now;
  for (int i = 0; lone.pair.left.agent.state() != agent_state::failed; ++i) {
    const base::endpoint address(*base::ip_address::parse("10.0.0.2"),
                                 static_cast<std::uint16_t>(1 + i));
    const auto added =
        lone.pair.left.agent.add_remote_candidate(lone.pair.net.now, remote_at(address));
    if (added) ++accepted;
    lone.pair.run_for(1s);
    REQUIRE(lone.pair.net.now - start < 200s);
  }
  CHECK(accepted == 100);
  CHECK(lone.pair.left.reason.code == errc::checks_failed);
}

TEST_CASE("a failed agent is still until it restarts") {
  forsaken lone;
  lone.end();
  REQUIRE(lone.failed_within(60s));
  lone.add(ep("10.0.0.2:2000"));
  lone.pair.run_for(60s);
  CHECK(lone.pair.left.requests_sent() == 0);
  lone.pair.left.agent.restart(lone.pair.net.now);
  CHECK(lone.pair.left.agent.state() == agent_state::checking);
  lone.pair.left.agent.set_remote_credentials(lone.pair.net.now, {"efgh", "12345678901234567890"});
  lone.add(ep("10.0.0.2:2000"));
  lone.pair.run_for(50ms);
  CHECK(lone.pair.left.requests_sent() == 1);
}

TEST_CASE("candidates that nothing can be sent to are refused with a reason") {
  forsaken lone;
  auto& agent = lone.pair.left.agent;
  const auto now = lone.pair.net.now;
  const auto error_of = [&](const ice::candidate& remote) {
    return agent.add_remote_candidate(now, remote).error().code;
  };
  auto remote = remote_at(ep("10.0.0.2:2000"));
  SUBCASE("TCP") {
    remote.protocol = ice::transport_protocol::tcp;
    CHECK(error_of(remote) == errc::not_supported);
  }
  SUBCASE("a second component") {
    remote.component = 2;
    CHECK(error_of(remote) == errc::not_supported);
  }
  SUBCASE("a name") {
    remote.host_name = "x.local";
    CHECK(error_of(remote) == errc::not_supported);
  }
  SUBCASE("addresses") {
    for (const auto* text : {"0.0.0.0:1", "224.0.0.1:1", "10.0.0.1:0", "[::]:1"}) {
      CHECK(error_of(remote_at(ep(text))) == errc::type_error);
    }
  }
  SUBCASE("another generation") {
    remote.ufrag = "old";
    CHECK(error_of(remote) == errc::operation_error);
  }
  CHECK(agent.pairs().empty());
}

TEST_CASE("an address of another family or scope makes no pair") {
  forsaken lone;
  lone.add(ep("[2001:db8::1]:1"));
  lone.add(ep("127.0.0.1:1"));
  lone.end();
  CHECK(lone.pair.left.agent.pairs().empty());
  CHECK(lone.failed_within(40s));
  CHECK(lone.pair.left.reason.code == errc::checks_failed);
  CHECK(lone.pair.left.reason.detail.find("no local address") != std::string::npos);
}

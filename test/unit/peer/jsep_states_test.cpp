// The offer/answer state machine (RFC 9429 3.5, webrtc-pc 4.4).
#include "unit/peer/fixture.hpp"

#include <doctest/doctest.h>

namespace asiortc::test {

using s = signaling_state;

TEST_CASE("an offer and its answer bring both sides back to stable") {
  lone_peer a(1);
  lone_peer b(2);
  a.create_channel();
  const std::string offer = a.offer();
  REQUIRE(a.set_local(session_description(sdp_type::offer, offer)));
  CHECK(a->pending_local_description()->sdp == offer);
  CHECK_FALSE(a->current_local_description());
  REQUIRE(b.set_remote(sdp_type::offer, offer));
  CHECK(b->pending_remote_description()->sdp == offer);
  const std::string answer = b.answer();
  REQUIRE(b.set_local(session_description(sdp_type::answer, answer)));
  REQUIRE(a.set_remote(sdp_type::answer, answer));
  CHECK(a.signaling_states() == std::vector{s::have_local_offer, s::stable});
  CHECK(b.signaling_states() == std::vector{s::have_remote_offer, s::stable});
  CHECK(a->current_local_description()->sdp == offer);
  CHECK(a->current_remote_description()->sdp == answer);
  CHECK(b->current_remote_description()->type == sdp_type::offer);
  CHECK_FALSE(a->pending_local_description());
  CHECK_FALSE(b->pending_remote_description());
  CHECK(a->sctp()->max_message_size == 262144);
}

TEST_CASE("each description is refused in a state that does not allow it, which stays") {
  lone_peer a;
  CHECK(failure_of(a.set_remote(sdp_type::answer, data_sdp("active"))).code == errc::invalid_state);
  CHECK(failure_of(a.set_remote(sdp_type::pranswer, data_sdp("active"))).code ==
        errc::invalid_state);
  CHECK(failure_of(a.set_remote(sdp_type::rollback, "")).code == errc::invalid_state);
  CHECK(failure_of(a.set_local(session_description(sdp_type::rollback, ""))).code ==
        errc::invalid_state);
  CHECK(failure_of(a.set_local(session_description(sdp_type::answer, ""))).code ==
        errc::invalid_state);
  CHECK(a->create_answer(start).error().code == errc::invalid_state);
  REQUIRE(a.set_remote(sdp_type::offer, data_sdp()));
  CHECK(a->create_offer(start, {}).error().code == errc::invalid_state);
  CHECK(failure_of(a.set_local(session_description(sdp_type::offer, ""))).code ==
        errc::invalid_state);
  CHECK(failure_of(a.set_remote(sdp_type::answer, data_sdp("active"))).code == errc::invalid_state);
  CHECK(a->current_signaling_state() == s::have_remote_offer);
}

TEST_CASE("a local description must be the last one created, or empty to mean it") {
  lone_peer a;
  a.create_channel();
  const std::string offer = a.offer();
  const auto changed = replace(offer, "a=setup:actpass", "a=setup:active");
  CHECK(failure_of(a.set_local(session_description(sdp_type::offer, changed))).code ==
        errc::invalid_modification);
  CHECK(a->current_signaling_state() == s::stable);
  CHECK(a.gatherings_wanted() == 0);
  REQUIRE(a.set_local(session_description(sdp_type::offer, "")));
  CHECK(a->pending_local_description()->sdp == offer);
}

TEST_CASE("with no description given the state decides between offer and answer") {
  lone_peer a;
  a.create_channel();
  REQUIRE(a.set_local());
  CHECK(a->pending_local_description()->type == sdp_type::offer);
  lone_peer b;
  REQUIRE(b.set_remote(sdp_type::offer, data_sdp()));
  REQUIRE(b.set_local());
  CHECK(b->current_local_description()->type == sdp_type::answer);
}

TEST_CASE("creating an offer twice gives the same text") {
  lone_peer a;
  a.create_channel();
  const std::string offer = a.offer();
  CHECK(a.offer() == offer);
  CHECK(a->current_signaling_state() == s::stable);
}

TEST_CASE("provisional answers can be changed until the final one, on both sides") {
  lone_peer a(1);
  lone_peer b(2);
  a.create_channel();
  REQUIRE(a.set_local());
  REQUIRE(b.set_remote(sdp_type::offer, a->pending_local_description()->sdp));
  const std::string answer = b.answer();
  REQUIRE(b.set_local(session_description(sdp_type::pranswer, answer)));
  REQUIRE(b.set_local(session_description(sdp_type::pranswer, answer)));
  REQUIRE(a.set_remote(sdp_type::pranswer, answer));
  REQUIRE(a.set_remote(sdp_type::pranswer, answer));
  CHECK(a->pending_remote_description()->type == sdp_type::pranswer);
  CHECK(failure_of(a.set_remote(sdp_type::rollback, "")).code == errc::invalid_state);
  CHECK(failure_of(b.set_local(session_description(sdp_type::rollback, ""))).code ==
        errc::invalid_state);
  REQUIRE(b.set_local(session_description(sdp_type::answer, answer)));
  REQUIRE(a.set_remote(sdp_type::answer, answer));
  CHECK(a.signaling_states() ==
        std::vector{s::have_local_offer, s::have_remote_pranswer, s::stable});
  CHECK(b.signaling_states() ==
        std::vector{s::have_remote_offer, s::have_local_pranswer, s::stable});
}

TEST_CASE("rollback forgets what is pending, from either side") {
  for (const bool by_local : {true, false}) {
    lone_peer a;
    a.create_channel();
    REQUIRE(a.set_local());
    const auto back = by_local ? a.set_local(session_description(sdp_type::rollback, "ignored"))
                               : a.set_remote(sdp_type::rollback, "");
    REQUIRE(back);
    CHECK_FALSE(a->pending_local_description());
    CHECK(a->current_signaling_state() == s::stable);
    REQUIRE(a.set_remote(sdp_type::offer, data_sdp()));
    REQUIRE(a.set_remote(sdp_type::rollback, ""));
    CHECK_FALSE(a->pending_remote_description());
    CHECK_FALSE(a->can_trickle_ice_candidates().has_value());
    REQUIRE(a.set_local());
  }
}

TEST_CASE("a remote offer rolls a local one back, but a malformed one changes nothing") {
  lone_peer a;
  a.create_channel();
  REQUIRE(a.set_local());
  CHECK(failure_of(a.set_remote(sdp_type::offer, "v=0\r\nrubbish\r\n")).code == errc::syntax_error);
  CHECK(a->current_signaling_state() == s::have_local_offer);
  CHECK(a->pending_local_description());
  REQUIRE(a.set_remote(sdp_type::offer, data_sdp()));
  CHECK(a.signaling_states() == std::vector{s::have_local_offer, s::stable, s::have_remote_offer});
  CHECK_FALSE(a->pending_local_description());
  REQUIRE(a.set_local());
  CHECK(a->current_signaling_state() == s::stable);
}

TEST_CASE("candidates that nobody could use after a rollback go into the next description") {
  lone_peer a;
  a.create_channel();
  REQUIRE(a.set_local());
  REQUIRE(a.set_remote(sdp_type::offer, data_sdp()));
  a.gather();
  CHECK(a.candidates().empty());
  REQUIRE(a.set_local());
  const auto answer = a->current_local_description()->sdp;
  CHECK(count_of(answer, "a=candidate:") == 1);
  CHECK(count_of(answer, "a=end-of-candidates\r\n") == 1);
}

TEST_CASE("negotiation is needed once, in stable, until an exchange has met the need") {
  lone_peer a(1);
  lone_peer b(2);
  CHECK(a.negotiations_needed() == 0);
  a.create_channel();
  a.create_channel();
  CHECK(a.negotiations_needed() == 1);
  REQUIRE(a.set_local());
  REQUIRE(b.set_remote(sdp_type::offer, a->pending_local_description()->sdp));
  b.create_channel();
  REQUIRE(b.set_local());
  REQUIRE(a.set_remote(sdp_type::answer, b->current_local_description()->sdp));
  CHECK(a.negotiations_needed() == 1);
  CHECK(b.negotiations_needed() == 0);
  a->restart_ice(start);
  a.drain();
  CHECK(a.negotiations_needed() == 2);
}

TEST_CASE("a need that an exchange did not meet is told again after it") {
  lone_peer a;
  REQUIRE(a.set_local());  // an offer with nothing in it
  CHECK(count_of(a->pending_local_description()->sdp, "m=") == 0);
  a.create_channel();
  CHECK(a.negotiations_needed() == 0);
  REQUIRE(a.set_local(session_description(sdp_type::rollback, "")));
  CHECK(a.negotiations_needed() == 1);
}

TEST_CASE("an empty offer is answered with an empty answer") {
  lone_peer a(1);
  lone_peer b(2);
  REQUIRE(a.set_local());
  REQUIRE(b.set_remote(sdp_type::offer, a->pending_local_description()->sdp));
  REQUIRE(b.set_local());
  REQUIRE(a.set_remote(sdp_type::answer, b->current_local_description()->sdp));
  CHECK(a->current_signaling_state() == s::stable);
  CHECK(a.gatherings_wanted() == 0);
  CHECK_FALSE(a->sctp());
}

TEST_CASE("an ICE restart changes both credentials of the offer, and the answer follows") {
  lone_peer a(1);
  lone_peer b(2);
  a.create_channel();
  REQUIRE(a.set_local());
  REQUIRE(b.set_remote(sdp_type::offer, a->pending_local_description()->sdp));
  REQUIRE(b.set_local());
  const auto answer = b->current_local_description()->sdp;
  REQUIRE(a.set_remote(sdp_type::answer, answer));
  const std::string same = a.offer();
  const std::string restarted = a.offer(true);
  const auto first = a->current_local_description()->sdp;
  CHECK(line_of(same, "a=ice-ufrag") == line_of(first, "a=ice-ufrag"));
  CHECK(line_of(restarted, "a=ice-ufrag") != line_of(first, "a=ice-ufrag"));
  CHECK(line_of(restarted, "a=ice-pwd") != line_of(first, "a=ice-pwd"));
  CHECK(failure_of(a.set_local(session_description(sdp_type::offer, same))).code ==
        errc::invalid_modification);
  REQUIRE(a.set_local(session_description(sdp_type::offer, restarted)));
  CHECK(a.gatherings_wanted() == 2);
  REQUIRE(b.set_remote(sdp_type::offer, restarted));
  REQUIRE(b.set_local());
  const auto second = b->current_local_description()->sdp;
  CHECK(line_of(second, "a=ice-ufrag") != line_of(answer, "a=ice-ufrag"));
  CHECK(line_of(second, "a=setup") == line_of(answer, "a=setup"));
  REQUIRE(a.set_remote(sdp_type::answer, second));
}

TEST_CASE(
    "a restart that is rolled back or never set leaves the answer's credentials as they were") {
  lone_peer a(1);
  lone_peer b(2);
  a.create_channel();
  REQUIRE(a.set_local());
  a.gather();
  REQUIRE(b.set_remote(sdp_type::offer, a->pending_local_description()->sdp));
  REQUIRE(b.set_local());
  REQUIRE(a.set_remote(sdp_type::answer, b->current_local_description()->sdp));
  const auto before = a->current_local_description()->sdp;
  REQUIRE(line_of(before, "a=candidate") != "");
  const auto needed = a.negotiations_needed();
  const session_description rollback(sdp_type::rollback, "");
  bool asked = false;
  SUBCASE("never set") { a.offer(true); }
  SUBCASE("rolled back") {
    REQUIRE(a.set_local(session_description(sdp_type::offer, a.offer(true))));
    REQUIRE(a.set_local(rollback));
  }
  SUBCASE("it collides with a plain offer") {
    asked = true;
    a->restart_ice(start);
    REQUIRE(a.set_local());
  }
  SUBCASE("the other side's restart is rolled back") {
    const std::string restarted = b.offer(true);
    REQUIRE(a.set_remote(sdp_type::offer, restarted));
    a.answer();
    REQUIRE(a.set_remote(sdp_type::rollback, ""));
    REQUIRE(b.set_local(session_description(sdp_type::offer, restarted)));
    REQUIRE(b.set_local(rollback));
  }
  const auto told = a.candidates().size();
  const std::string offer = b.offer();
  CHECK(line_of(offer, "a=ice-ufrag") ==
        line_of(b->current_local_description()->sdp, "a=ice-ufrag"));
  REQUIRE(a.set_remote(sdp_type::offer, offer));
  REQUIRE(a.set_local());
  const auto answer = a->current_local_description()->sdp;
  for (const auto* const line :
       {"a=ice-ufrag", "a=ice-pwd", "a=candidate", "a=end-of-candidates"}) {
    CHECK(line_of(answer, line) == line_of(before, line));
  }
  CHECK(count_of(answer, "a=candidate") == count_of(before, "a=candidate"));
  CHECK(a.candidates().size() == told);
  CHECK(a->current_ice_gathering_state() == ice_gathering_state::complete);
  // What was asked for by restart_ice() is still wanted (webrtc-pc 4.4.1.2); an option is not.
  CHECK(a.negotiations_needed() == needed + (asked ? 2 : 0));
  CHECK((line_of(a.offer(), "a=ice-ufrag") != line_of(before, "a=ice-ufrag")) == asked);
}

TEST_CASE(
    "an answer to the offer of before finds its credentials beside a restart that is not set") {
  lone_peer a(1);
  lone_peer b(2);
  a.create_channel();
  REQUIRE(a.set_local());
  const auto offer = a->pending_local_description()->sdp;
  CHECK(line_of(a.offer(true), "a=ice-ufrag") != line_of(offer, "a=ice-ufrag"));
  REQUIRE(b.set_remote(sdp_type::offer, offer));
  REQUIRE(b.set_local());
  REQUIRE(a.set_remote(sdp_type::answer, b->current_local_description()->sdp));
  CHECK(line_of(a.offer(), "a=ice-ufrag") == line_of(offer, "a=ice-ufrag"));
}

TEST_CASE("options that an abandoned restart had taken up wait for the next one") {
  lone_peer a(1);
  lone_peer b(2);
  a.create_channel();
  REQUIRE(a.set_local());
  a.gather();
  REQUIRE(b.set_remote(sdp_type::offer, a->pending_local_description()->sdp));
  REQUIRE(b.set_local());
  REQUIRE(a.set_remote(sdp_type::answer, b->current_local_description()->sdp));
  peer::gathering_options options;
  options.relay_only = true;
  a->set_gathering_options(start, options);
  CHECK(count_of(a.offer(true), "a=candidate") == 0);
  CHECK(count_of(a.offer(), "a=candidate") == 1);
  CHECK(count_of(a.offer(true), "a=candidate") == 0);
}

TEST_CASE(
    "an answer that restarts ICE unasked is met by an offer, and our answers until then tell "
    "nothing new") {
  const auto restarted = [](std::string sdp) {
    return replace(std::move(sdp), "a=ice-ufrag:Zx4k", "a=ice-ufrag:Zx4l");
  };
  lone_peer a;
  a.create_channel();
  REQUIRE(a.set_local());
  REQUIRE(a.set_remote(sdp_type::answer, data_sdp("active")));
  const auto before = line_of(a->current_local_description()->sdp, "a=ice-ufrag");
  const auto needed = a.negotiations_needed();
  REQUIRE(a.set_local());
  REQUIRE(a.set_remote(sdp_type::answer, restarted(data_sdp("active"))));
  CHECK(a.negotiations_needed() == needed + 1);
  REQUIRE(a.set_remote(sdp_type::offer, restarted(data_sdp())));
  REQUIRE(a.set_local());
  CHECK(line_of(a->current_local_description()->sdp, "a=ice-ufrag") == before);
  CHECK(a.negotiations_needed() == needed + 2);
  REQUIRE(a.set_local());
  CHECK(line_of(a->pending_local_description()->sdp, "a=ice-ufrag") != before);
  REQUIRE(a.set_remote(sdp_type::answer, data_sdp("active")));
  CHECK(a.negotiations_needed() == needed + 2);
}

TEST_CASE("an ICE restart leaves the roles as they are") {
  // RFC 8445 6.1.1; some agents cannot resolve the conflict that another choice would be.
  std::vector<std::string> changes;
  const auto note = [&](log_level, std::string_view, std::string_view line) {
    if (line.starts_with("now control")) changes.emplace_back(line);
  };
  const base::logger log(note, log_level::debug, "test");
  const std::string restarted = replace(data_sdp(), "a=ice-ufrag:Zx4k", "a=ice-ufrag:Zx4l");
  lone_peer offerer(1, {}, log);
  offerer.create_channel();
  REQUIRE(offerer.set_local());
  REQUIRE(offerer.set_remote(sdp_type::answer, data_sdp("active")));
  CHECK(changes == std::vector<std::string>{"now controlling: told so"});
  REQUIRE(offerer.set_remote(sdp_type::offer, restarted));
  REQUIRE(offerer.set_local());
  lone_peer answerer(2, {}, log);
  REQUIRE(answerer.set_remote(sdp_type::offer, data_sdp()));
  REQUIRE(answerer.set_local());
  REQUIRE(answerer.set_local(session_description(sdp_type::offer, answerer.offer(true))));
  REQUIRE(answerer.set_remote(sdp_type::answer, replace(restarted, "actpass", "passive")));
  CHECK(changes.size() == 1);
}

TEST_CASE("after the end every call is refused as invalid_state") {
  lone_peer a;
  a.create_channel();
  a->close(start, errc::closed);
  a.drain();
  CHECK(a.signaling_states() == std::vector{s::closed});
  CHECK(a->create_offer(start, {}).error().code == errc::invalid_state);
  CHECK(a->create_answer(start).error().code == errc::invalid_state);
  CHECK(failure_of(a.set_local()).code == errc::invalid_state);
  CHECK(failure_of(a.set_remote(sdp_type::offer, data_sdp())).code == errc::invalid_state);
  CHECK(failure_of(a.add("", std::nullopt)).code == errc::invalid_state);
  CHECK(a->create_data_channel(start, "x", {}).error().code == errc::invalid_state);
  CHECK(a->next_deadline() == base::never);
  CHECK(a->current_connection_state() == connection_state::closed);
  a->close(start, errc::closed);
  a.drain();
  CHECK(a.signaling_states().size() == 1);
}

}  // namespace asiortc::test

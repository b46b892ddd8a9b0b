#include "check_sender.hpp"

using namespace asiortc;
using namespace asiortc::test;
using stun::attribute_type;
using stun::message_class;

TEST_CASE("a check is answered from where it came, with the address it came from") {
  check_sender peer;
  peer.start();
  peer.give(peer.build(peer.request()));
  const auto answer = peer.take(message_class::success);
  REQUIRE(answer);
  const auto message = stun::message_view::parse(*answer);
  CHECK(message->mapped_address() == peer.address);
  CHECK(message->has_fingerprint());
  CHECK(message->verify_integrity(base::as_bytes(peer.host.agent.local_credentials().password)));
}

TEST_CASE("a check is answered with one of ours at once, and the answer makes the pair valid") {
  check_sender peer;
  peer.start();
  peer.give(peer.build(peer.request()));
  const auto check = peer.take(message_class::request);
  REQUIRE(check);
  const auto message = stun::message_view::parse(*check);
  CHECK(message->find_text(attribute_type::username) ==
        "peer:" + peer.host.agent.local_credentials().ufrag);
  CHECK(message->verify_integrity(base::as_bytes(peer.own.password)));
  CHECK(message->has(attribute_type::ice_controlled));
  CHECK_FALSE(message->has(attribute_type::use_candidate));
  CHECK((*message->find_u32(attribute_type::priority) >> 24) == 110);
  peer.give(peer.success_for(*check));
  CHECK(peer.host.connected());
  CHECK_FALSE(peer.host.nominated());
}

TEST_CASE("requests that are not for us are dropped without an answer") {
  check_sender peer;
  peer.start();
  auto local = peer.host.agent.local_credentials();
  const auto dropped = peer.host.agent.dropped_datagrams();
  SUBCASE("a wrong integrity") {
    local.password += "x";
    peer.give(ice::build_check(peer.request(), peer.own, local));
  }
  SUBCASE("another user") {
    local.ufrag = "else";
    peer.give(ice::build_check(peer.request(), peer.own, local));
  }
  SUBCASE("no user name") { peer.give(ice::build_server_request(peer.request().id)); }
  SUBCASE("a user name without a colon") {
    stun::message_builder message(message_class::request, stun::method::binding, peer.request().id);
    message.add_text(attribute_type::username, local.ufrag).add_integrity({});
    peer.give(std::move(message).take());
  }
  SUBCASE("no STUN") { peer.give({0, 1, 0, 0}); }
  SUBCASE("another method") {
    stun::message_builder message(message_class::request, stun::method{3}, peer.request().id);
    peer.give(std::move(message).take());
  }
  SUBCASE("a socket that is not ours") {
    auto message = peer.build(peer.request());
    peer.host.receive(base::socket_id{77}, message, peer.address);
  }
  CHECK(peer.host.agent.dropped_datagrams() == dropped + 1);
  peer.run_for(5ms);
  CHECK(peer.received.empty());
  CHECK(peer.host.agent.pairs().empty());
}

TEST_CASE("an unknown required attribute is answered with 420 and its type") {
  check_sender peer;
  peer.start();
  const auto local = peer.host.agent.local_credentials();
  stun::message_builder request(message_class::request, stun::method::binding, peer.request().id);
  request.add_text(attribute_type::username, local.ufrag + ":peer")
      .add_u32(static_cast<attribute_type>(0x7777), 1)
      .add_integrity(base::as_bytes(local.password));
  peer.give(std::move(request).take());
  const auto answer = peer.take(message_class::error);
  REQUIRE(answer);
  const auto message = stun::message_view::parse(*answer);
  CHECK(message->error()->code == 420);
  CHECK(base::byte_reader(*message->find(attribute_type::unknown_attributes)).u16() == 0x7777);
  CHECK(message->verify_integrity(base::as_bytes(local.password)));
}

TEST_CASE("a check without PRIORITY is a bad request") {
  check_sender peer;
  peer.start();
  const auto local = peer.host.agent.local_credentials();
  stun::message_builder request(message_class::request, stun::method::binding, peer.request().id);
  request.add_text(attribute_type::username, local.ufrag + ":peer")
      .add_integrity(base::as_bytes(local.password));
  peer.give(std::move(request).take());
  CHECK(stun::message_view::parse(*peer.take(message_class::error))->error()->code == 400);
}

TEST_CASE("a check of another sender than the signalled one is answered and not followed") {
  check_sender peer;
  peer.start();
  const ice::credentials fork{"fork", "does not matter"};
  peer.give(ice::build_check(peer.request(), fork, peer.host.agent.local_credentials()));
  CHECK(peer.take(message_class::success));
  CHECK(peer.host.agent.pairs().empty());
}

TEST_CASE("answers that prove nothing are dropped and the check goes on") {
  check_sender peer;
  peer.start();
  peer.give(peer.build(peer.request()));
  const auto check = *peer.take(message_class::request);
  SUBCASE("a wrong integrity") {
    auto other = peer.own;
    other.password += "x";
    peer.give(ice::build_success(*stun::message_view::parse(check), ep("10.0.0.1:1000"), other));
  }
  SUBCASE("a wrong transaction") {
    auto twisted = check;
    twisted[8] ^= 1;
    base::byte_writer(twisted).patch_u16(2, 0);
    twisted.resize(20);
    peer.give(peer.success_for(twisted));
  }
  SUBCASE("an error without integrity") {
    stun::message_builder error(message_class::error, stun::method::binding,
                                stun::message_view::parse(check)->transaction());
    error.add_error(401, "Unauthenticated");
    peer.give(std::move(error).take());
  }
  SUBCASE("no mapped address") {
    stun::message_builder empty(message_class::success, stun::method::binding,
                                stun::message_view::parse(check)->transaction());
    empty.add_integrity(base::as_bytes(peer.own.password));
    peer.give(std::move(empty).take());
  }
  CHECK_FALSE(peer.host.connected());
  CHECK(peer.host.agent.dropped_datagrams() == 1);
  peer.give(peer.success_for(check));
  CHECK(peer.host.connected());
}

TEST_CASE("an answer from another address fails the pair") {
  check_sender peer;
  peer.start();
  peer.give(peer.build(peer.request()));
  const auto check = *peer.take(message_class::request);
  peer.give(peer.success_for(check), ep("10.0.0.66:666"));
  CHECK_FALSE(peer.host.connected());
  REQUIRE(peer.host.agent.pairs().size() == 1);
  CHECK(peer.host.agent.pairs()[0].state == candidate_pair_state::failed);
  // RFC 8445 7.3.1.4: a check from the other side gives a failed pair another chance.
  peer.give(peer.build(peer.request()));
  const auto again = peer.take(message_class::request);
  REQUIRE(again);
  peer.give(peer.success_for(*again));
  CHECK(peer.host.connected());
}

TEST_CASE("an authentic error fails the pair") {
  check_sender peer;
  peer.start();
  peer.give(peer.build(peer.request()));
  const auto check = *peer.take(message_class::request);
  peer.give(ice::build_error(*stun::message_view::parse(check), 400, "Bad Request", peer.own));
  CHECK(peer.host.agent.pairs()[0].state == candidate_pair_state::failed);
}

TEST_CASE("USE-CANDIDATE before our own check succeeded nominates when it does") {
  check_sender peer;
  peer.start();
  auto request = peer.request();
  request.use_candidate = true;
  peer.give(peer.build(request));
  const auto check = *peer.take(message_class::request);
  CHECK_FALSE(peer.host.nominated());
  peer.give(peer.success_for(check));
  CHECK(peer.host.nominated());
}

TEST_CASE("the pair is nominated again when the other side's first check of it comes later") {
  check_sender peer;
  peer.host.agent.set_role(ice::role::controlling);
  peer.start();
  ice::candidate remote;
  remote.address = peer.address;
  CHECK(peer.host.agent.add_remote_candidate(peer.net.now, remote).has_value());
  peer.host.pump();
  while (const auto check = peer.take(message_class::request)) peer.give(peer.success_for(*check));
  REQUIRE(peer.host.nominated());
  auto late = peer.request();
  late.as = ice::role::controlled;
  peer.give(peer.build(late));
  const auto again = peer.take(message_class::request);
  REQUIRE(again);
  CHECK(stun::message_view::parse(*again)->has(attribute_type::use_candidate));
  peer.give(peer.success_for(*again));
  late.id = ice::make_transaction_id(peer.random);
  peer.give(peer.build(late));
  CHECK_FALSE(peer.take(message_class::request));
}

TEST_CASE("aggressive nomination is tolerated: of all nominated pairs the best one wins") {
  check_sender peer;
  peer.start();
  const auto nominate_from = [&](const base::endpoint& from, std::uint32_t priority) {
    peer.net.attach(from, [&peer](base::mutable_byte_span bytes, const base::endpoint&) {
      peer.received.emplace_back(bytes.begin(), bytes.end());
    });
    auto request = peer.request();
    request.use_candidate = true;
    request.priority = priority;
    peer.give(peer.build(request), from);
    const auto check = peer.take(message_class::request);
    if (check) peer.give(peer.success_for(*check), from);
  };
  nominate_from(ep("10.0.0.20:1"), 2000);
  CHECK(peer.host.selected_row()->remote.address == ep("10.0.0.20:1"));
  nominate_from(ep("10.0.0.30:1"), 3000);
  CHECK(peer.host.selected_row()->remote.address == ep("10.0.0.30:1"));
  nominate_from(ep("10.0.0.10:1"), 1000);
  CHECK(peer.host.selected_row()->remote.address == ep("10.0.0.30:1"));
  // The selected pair goes quiet: now the worse one is what the other side means.
  peer.run_for(3s);
  nominate_from(ep("10.0.0.10:1"), 1000);
  CHECK(peer.host.selected_row()->remote.address == ep("10.0.0.10:1"));
}

TEST_CASE("487 to one of our checks changes the role and asks again") {
  check_sender peer;
  peer.start();
  peer.give(peer.build(peer.request()));
  const auto check = *peer.take(message_class::request);
  peer.give(ice::build_error(*stun::message_view::parse(check), 487, "Role Conflict", peer.own));
  CHECK(peer.host.agent.current_role() == ice::role::controlling);
  const auto again = peer.take(message_class::request);
  REQUIRE(again);
  CHECK(stun::message_view::parse(*again)->has(attribute_type::ice_controlling));
}

TEST_CASE("a binding indication is taken for a sign of life and never answered") {
  check_sender peer;
  peer.start();
  stun::message_builder message(message_class::indication, stun::method::binding, {});
  peer.give(std::move(message).take());
  peer.run_for(5ms);
  CHECK(peer.received.empty());
}

TEST_CASE("an ICMP error fails a check early and leaves a valid pair alone") {
  check_sender peer;
  peer.start();
  peer.give(peer.build(peer.request()));
  const auto check = *peer.take(message_class::request);
  const base::route route{base::socket_id{1}, peer.address};
  SUBCASE("while the check is under way") {
    peer.host.agent.handle_send_error(peer.net.now, route);
    CHECK(peer.host.agent.pairs()[0].state == candidate_pair_state::failed);
  }
  SUBCASE("when it has succeeded") {
    peer.give(peer.success_for(check));
    peer.host.agent.handle_send_error(peer.net.now, route);
    CHECK(peer.host.agent.pairs()[0].state == candidate_pair_state::succeeded);
  }
}

TEST_CASE("routes are known by a valid pair or a remote candidate") {
  check_sender peer;
  peer.start();
  const base::route route{base::socket_id{1}, peer.address};
  CHECK_FALSE(peer.host.agent.is_known_route(route));
  peer.give(peer.build(peer.request()));
  CHECK(peer.host.agent.is_known_route(route));
  peer.give(peer.success_for(*peer.take(message_class::request)));
  CHECK(peer.host.agent.is_known_route(route));
  CHECK_FALSE(peer.host.agent.is_known_route({base::socket_id{1}, ep("10.0.0.66:9000")}));
}

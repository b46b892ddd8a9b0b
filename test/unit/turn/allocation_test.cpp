#include "turn_fixture.hpp"

#include <doctest/doctest.h>

using namespace asiortc;
using namespace asiortc::test;
using stun::attribute_type;
using stun::message_view;

namespace {

base::bytes error_answer(base::byte_span request, std::uint16_t code) {
  const auto message = message_view::parse(request);
  stun::message_builder builder(stun::message_class::error, message->method(),
                                message->transaction());
  builder.add_error(code, "unsigned");
  return std::move(builder).take();
}

}  // namespace

TEST_CASE("an allocation takes a request without credentials and one with them") {
  turn_fixture f;
  REQUIRE(f.allocate());
  REQUIRE(f.to_server.size() == 2);
  CHECK_FALSE(message_view::parse(f.to_server[0])->has_integrity());
  CHECK(message_view::parse(f.to_server[1])->has_integrity());
  const auto* event = f.find_event<turn::allocated>();
  REQUIRE(event != nullptr);
  CHECK(event->relayed == base::endpoint::parse("198.51.100.1:49152"));
  CHECK(event->mapped == client_address);
  CHECK(event->lifetime == 600s);
  CHECK(f.client.dropped_datagrams() == 0);
}

TEST_CASE("every way of authentication that a server may ask for is met") {
  turn_server_settings server;
  SUBCASE("none") { server.authenticate = false; }
  SUBCASE("MD5 without a list") {}
  SUBCASE("MD5 from a list") { server.algorithms = {1}; }
  SUBCASE("SHA-256") { server.algorithms = {2, 1}; }
  SUBCASE("a hidden user name") { server.anonymous = true; }
  SUBCASE("SHA-256 with a hidden user name") {
    server.algorithms = {2};
    server.anonymous = true;
  }
  turn_fixture f(server);
  f.echo = true;
  REQUIRE(f.allocate());
  CHECK(f.send(peer_a, "hello"));
  f.run_for(1h);
  CHECK(f.client.current_state() == turn::state::allocated);
  CHECK(f.received == std::vector<turn_fixture::packet>{{peer_a, "hello"}});
}

TEST_CASE("an IPv6 address is had by asking for it") {
  auto settings = client_settings();
  settings.family = turn::address_family::ipv6;
  turn_fixture f({}, settings);
  REQUIRE(f.allocate());
  CHECK(f.relayed().address.is_v6());
  CHECK_FALSE(f.send(peer_a, "of the other family"));
  const auto v6 = *base::endpoint::parse("[2001:db8::9]:9");
  CHECK(f.send(v6, "x"));
  f.run_for(1s);
  CHECK(f.at_peers == std::vector<turn_fixture::packet>{{v6, "x"}});
}

TEST_CASE("an address of another family than asked for is given back") {
  turn_server_settings server;
  server.relay_v4 = server.relay_v6;
  turn_fixture f(server);
  CHECK_FALSE(f.allocate());
  CHECK(f.find_event<turn::failed>()->why.code == errc::turn_unreachable);
  CHECK(f.server.allocations(f.now) == 0);
}

TEST_CASE("each refusal ends the attempt at once with its code and words that name the server") {
  for (const int code : {300, 400, 403, 420, 437, 440, 441, 442, 446, 486, 500, 508, 699}) {
    CAPTURE(code);
    turn_server_settings server;
    server.alternate = base::endpoint::parse("192.0.2.2:3479");
    turn_fixture f(server);
    f.server.refuse = [=](const auto&) { return static_cast<std::uint16_t>(code); };
    CHECK_FALSE(f.allocate());
    const auto* event = f.find_event<turn::failed>();
    REQUIRE(event != nullptr);
    CHECK(event->code == code);
    CHECK(event->why.code == (code == 441 ? errc::turn_unauthorized : errc::turn_refused));
    CHECK(event->why.detail.find("192.0.2.1:3478") != std::string::npos);
    CHECK(event->why.detail.find("(" + std::to_string(code) + " because)") != std::string::npos);
    CHECK(event->alternate.has_value() == (code == 300));
    CHECK(f.events.size() == 1);
    CHECK(f.client.next_deadline() == base::never);
  }
}

TEST_CASE("an allocation that is in the way is given back, and another one taken") {
  turn_fixture f;
  SUBCASE("ours") {
    REQUIRE(f.allocate());
    const auto before = f.relayed();
    f.crash();
    REQUIRE(f.allocate());
    CHECK(f.relayed() != before);
    CHECK(f.server.allocations(f.now) == 1);
    f.run_for(1h);
    CHECK(f.client.current_state() == turn::state::allocated);
  }
  SUBCASE("somebody else's") {
    f.server.refuse = [](const message_view& request) -> std::optional<std::uint16_t> {
      return request.method() == stun::method::allocate ? 437 : 441;
    };
    CHECK_FALSE(f.allocate());
    REQUIRE(f.find_event<turn::failed>() != nullptr);
    CHECK(f.find_event<turn::failed>()->code == 437);
  }
}

TEST_CASE("wrong credentials and missing ones are told as such") {
  auto settings = client_settings();
  SUBCASE("a wrong password") { settings.password = "guess"; }
  SUBCASE("an unknown user") { settings.username = "nobody"; }
  SUBCASE("none") { settings.username.clear(); }
  turn_fixture f({}, settings);
  CHECK_FALSE(f.allocate());
  const auto* event = f.find_event<turn::failed>();
  REQUIRE(event != nullptr);
  CHECK(event->code == 401);
  CHECK(event->why.code == errc::turn_unauthorized);
  CHECK(event->why.detail == "TURN server 192.0.2.1:3478 refused the credentials (401)");
  CHECK(f.to_server.size() <= 2);
}

TEST_CASE("an error that is not signed is a refusal only if no true answer overtakes it") {
  turn_fixture f;
  SUBCASE("none comes") {
    turn_server_settings server;
    server.sign_errors = false;
    turn_fixture unsigned_errors(server);
    unsigned_errors.server.refuse = [](const auto&) { return std::uint16_t{486}; };
    unsigned_errors.start();
    unsigned_errors.run_for(1s);
    CHECK(unsigned_errors.events.empty());
    unsigned_errors.run_for(2s);
    REQUIRE(unsigned_errors.find_event<turn::failed>() != nullptr);
    CHECK(unsigned_errors.find_event<turn::failed>()->code == 486);
  }
  SUBCASE("it was forged") {
    f.start();
    f.run_for(25ms);
    f.give(error_answer(f.to_server.back(), 486));
    CHECK(f.client.dropped_datagrams() == 1);
    f.run_for(10s);
    CHECK(f.client.current_state() == turn::state::allocated);
  }
}

TEST_CASE("a list of algorithms that was taken out on the way is noticed") {
  turn_server_settings server;
  server.algorithms = {2, 1};
  turn_fixture f(server);
  // What an attacker who wants MD5 makes of the challenge.
  f.deliver = [&](int, bool to_server, base::byte_span bytes) {
    const auto message = message_view::parse(bytes);
    if (to_server || !message->has(attribute_type::password_algorithms)) return true;
    stun::message_builder weaker(message->kind(), message->method(), message->transaction());
    message->for_each([&](const stun::attribute_view& attribute) {
      const auto type = static_cast<attribute_type>(attribute.type);
      if (type != attribute_type::password_algorithms) weaker.add(type, attribute.value);
    });
    f.give(std::move(weaker).take());
    return false;
  };
  f.start();
  f.run_for(40s);
  const auto* event = f.find_event<turn::failed>();
  REQUIRE(event != nullptr);
  CHECK(event->code == 401);
  for (const auto& request : f.to_server)
    CHECK_FALSE(message_view::parse(request)->has_integrity());
}

TEST_CASE("answers with another transaction, a wrong integrity or from elsewhere change nothing") {
  turn_fixture f;
  f.deliver = [&](int number, bool, base::byte_span) { return number < 3; };
  f.start();
  f.run_for(100ms);
  REQUIRE(f.to_server.size() == 2);
  const auto& request = f.to_server.back();
  f.server.handle_client(f.now, client_address, request);
  const base::bytes good = f.to_client.back();
  auto bad = good;
  base::route from{client_socket, server_address};
  SUBCASE("another transaction") {
    bad[10] ^= 1;
    CHECK(f.give(bad).taken);
  }
  SUBCASE("a wrong integrity") {
    bad.back() ^= 1;
    CHECK(f.give(bad).taken);
  }
  SUBCASE("no integrity") {
    bad.resize(bad.size() - 24);
    bad[3] = static_cast<std::uint8_t>(bad[3] - 24);
    CHECK(f.give(bad).taken);
  }
  SUBCASE("an attribute that must be understood") {
    stun::message_builder unknown(stun::message_class::success, stun::method::allocate,
                                  message_view::parse(good)->transaction());
    unknown.add_u32(static_cast<attribute_type>(0x7FF0), 1);
    CHECK(f.give(std::move(unknown).take()).taken);
  }
  SUBCASE("another method") {
    bad[1] = 4;
    CHECK(f.give(bad).taken);
  }
  SUBCASE("from another address") {
    from.remote = peer_a;
    CHECK_FALSE(f.give(bad, from).taken);
  }
  SUBCASE("to another socket") {
    from.local = static_cast<base::socket_id>(2);
    CHECK_FALSE(f.give(bad, from).taken);
  }
  SUBCASE("a request") {
    bad[0] = 0;
    CHECK(f.give(bad).taken);
  }
  SUBCASE("cut") {
    bad.pop_back();
    CHECK(f.give(bad).taken);
  }
  CHECK(f.client.dropped_datagrams() == 1);
  CHECK(f.client.current_state() == turn::state::allocating);
  f.give(good);
  CHECK(f.client.current_state() == turn::state::allocated);
}

TEST_CASE("what is not TURN's is left to others") {
  turn_fixture f;
  REQUIRE(f.allocate());
  stun::message_builder binding(stun::message_class::success, stun::method::binding, {});
  CHECK_FALSE(f.give(std::move(binding).take()).taken);
  CHECK_FALSE(f.give({22, 254, 253}).taken);
  CHECK_FALSE(f.give({}).taken);
  CHECK(f.client.dropped_datagrams() == 0);
}

TEST_CASE("a server that says nothing is asked for 39.5 s") {
  auto settings = client_settings();
  SUBCASE("over UDP, anew every 9.5 s") {
    turn_fixture f({}, settings);
    f.deliver = [](int, bool, base::byte_span) { return false; };
    f.start();
    f.run_for(39499ms);
    CHECK(f.events.empty());
    CHECK(std::vector(f.sent_at.begin(), f.sent_at.begin() + 7) ==
          std::vector<base::duration>{0ms, 500ms, 1500ms, 3500ms, 7500ms, 9500ms, 10s});
    CHECK(f.sent_at.size() == 22);
    f.run_for(1ms);
    const auto* event = f.find_event<turn::failed>();
    REQUIRE(event != nullptr);
    CHECK(event->why.code == errc::turn_unreachable);
    CHECK(event->why.detail == "TURN server 192.0.2.1:3478 did not answer");
  }
  SUBCASE("over TCP, once") {
    settings.reliable = true;
    turn_fixture f({}, settings);
    f.deliver = [](int, bool, base::byte_span) { return false; };
    f.start();
    f.run_for(39500ms);
    CHECK(f.sent_at.size() == 1);
    CHECK(f.find_event<turn::failed>() != nullptr);
  }
}

TEST_CASE("over TCP an answer that cannot be believed ends the attempt at once") {
  auto settings = client_settings();
  settings.reliable = true;
  turn_fixture f({}, settings);
  f.start();
  f.run_for(25ms);
  f.give(error_answer(f.to_server.back(), 508));
  REQUIRE(f.find_event<turn::failed>() != nullptr);
  CHECK(f.find_event<turn::failed>()->code == 508);
}

TEST_CASE("a nonce that is stale at once is renewed once and not for ever") {
  turn_fixture f;
  f.deliver = [&](int, bool to_server, base::byte_span) {
    if (to_server) f.server.expire_nonce();
    return true;
  };
  f.start();
  f.run_for(5s);
  REQUIRE(f.find_event<turn::failed>() != nullptr);
  CHECK(f.find_event<turn::failed>()->code == 438);
  CHECK(f.to_server.size() == 3);
}

TEST_CASE("closing gives the allocation back, also one whose answer has not come") {
  turn_fixture f;
  SUBCASE("allocated") { REQUIRE(f.allocate()); }
  SUBCASE("answered on the way") {
    f.start();
    f.run_for(35ms);
    REQUIRE(f.server.allocations(f.now) == 1);
  }
  CHECK(f.client.current_state() != turn::state::closed);
  f.close();
  f.run_for(1s);
  CHECK(f.server.allocations(f.now) == 0);
  CHECK(f.client.current_state() == turn::state::closed);
  CHECK(f.client.next_deadline() == base::never);
  f.close();
  CHECK_FALSE(f.send(peer_a, "too late"));
}

TEST_CASE("giving back is repeated with a new nonce where ours is stale, and awaited no longer") {
  turn_fixture f;
  REQUIRE(f.allocate());
  f.server.expire_nonce();
  std::size_t left = 0;
  SUBCASE("the server says so") {}
  SUBCASE("the nonce is stale each time") {
    left = 1;
    f.deliver = [&](int, bool to_server, base::byte_span) {
      if (to_server) f.server.expire_nonce();
      return true;
    };
  }
  SUBCASE("the server is silent") {
    left = 1;
    f.deliver = [](int, bool, base::byte_span) { return false; };
  }
  SUBCASE("the server refuses") {
    left = 1;
    f.refuse(stun::method::refresh, 500);
  }
  f.close();
  CHECK(f.client.current_state() == turn::state::closing);
  f.run_for(510ms);
  CHECK(f.server.allocations(f.now) == left);
  CHECK(f.client.current_state() == turn::state::closed);
  CHECK(f.client.next_deadline() == base::never);
  CHECK_FALSE(f.client.poll_event());
}

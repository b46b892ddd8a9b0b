// Meshes that keep themselves: who meets whom, again and again.
#include "net/room_mesh_support.hpp"

#include <set>

namespace asiortc::test {

TEST_CASE("room mesh: five meet, one drops out and comes back, and all meet again") {
  tea_room room;
  for (const char* name : {"ann", "ben", "cat", "dan", "eve"}) room.invite(name);
  REQUIRE(room.wait_until_all_meet());
  room.talk();
  const auto members = room.guests.front()->net.members();
  CHECK(std::ranges::any_of(members, [](const auto& peer) { return peer.name == "eve"; }));
  for (const auto& each : room.guests) {
    room.expect_told(*each, mesh_event_kind::connection_succeeded, each->net.id(), 1);
    room.expect_told(*each, mesh_event_kind::peer_connected, 0, 4);
    room.expect_told(*each, mesh_event_kind::peer_disconnected, 0, 0);
  }

  const mesh_id gone = room.guests[2]->net.id();
  room.guests.erase(room.guests.begin() + 2);  // without a word
  REQUIRE(room.wait_until_all_meet());
  for (const auto& each : room.guests) {
    room.expect_told(*each, mesh_event_kind::peer_disconnected, gone, 1);
  }
  room.talk();
  const guest& back = room.invite("cat");
  REQUIRE(room.wait_until_all_meet());
  CHECK(back.net.id() != gone);
  room.talk();

  CHECK_FALSE(room.close(*room.guests[0]));  // and one says goodbye
  CHECK(room.guests[0]->told->ended);
  CHECK_FALSE(room.guests[0]->told->end);
  room.guests.erase(room.guests.begin());
  REQUIRE(room.wait_until_all_meet());
}

TEST_CASE("room mesh: a member whose connection ended is met again, though both begin at once") {
  tea_room room;
  guest& first = room.invite("first");
  guest& second = room.invite("second");
  REQUIRE(room.wait_until_all_meet());
  const mesh_id first_id = first.net.id();
  const mesh_id second_id = second.net.id();
  for (std::size_t round = 1; round <= 6; ++round) {
    CAPTURE(round);
    // One side breaks it, or the other, or both at once, which then offer at once, too.
    if (round % 3 != 0) first.net.get_peer(second_id)->connection->close();
    if (round % 3 != 1) second.net.get_peer(first_id)->connection->close();
    REQUIRE(run_until(room.context, [&] {
      return first.told->count(mesh_event_kind::peer_disconnected, second_id) >= round &&
             second.told->count(mesh_event_kind::peer_disconnected, first_id) >= round &&
             room.all_meet();
    }));
    room.talk();
  }
  CHECK(first.net.id() == first_id);  // nobody had to leave the room for it
  room.expect_told(first, mesh_event_kind::server_disconnected, 0, 0);
}

TEST_CASE("room mesh: connections go on without the server, and all meet anew when it is back") {
  tea_room room;
  guest& first = room.invite("first");
  guest& second = room.invite("second");
  room.invite("third");
  REQUIRE(room.wait_until_all_meet());
  auto same_port = on_any_port();
  same_port.port = room.server->port();
  const mesh_id first_id = first.net.id();
  const mesh_id second_id = second.net.id();
  room.stop_serving();
  REQUIRE(run_until(room.context, [&] {
    return std::ranges::all_of(room.guests, [](const auto& each) {
      return each->told->count(mesh_event_kind::server_disconnected) == 1;
    });
  }));
  CHECK(first.net.members().empty());
  CHECK(first.peers().size() == 2);
  room.talk();

  room.serve(same_port);
  REQUIRE(room.wait_until_all_meet());
  CHECK(first.net.id() != first_id);
  room.expect_told(first, mesh_event_kind::connection_succeeded, 0, 2);
  room.expect_told(first, mesh_event_kind::peer_disconnected, second_id, 1);
  // The new connection was there before the old one went.
  const auto& events = first.told->events;
  const auto at = [&](mesh_event_kind kind, mesh_id id) {
    return std::ranges::find_if(
        events, [&](const mesh_event& each) { return each.kind == kind && each.id == id; });
  };
  CHECK(at(mesh_event_kind::peer_connected, second.net.id()) <
        at(mesh_event_kind::peer_disconnected, second_id));
  room.talk();
}

TEST_CASE("room mesh: who alone loses the server comes back under another id") {
  tea_room room;
  guest& first = room.invite("first");
  const auto line = std::make_shared<wire>(room.context, room.server->port());
  line->accept();
  guest& second = room.invite_by(line->url(), quick("second"));
  REQUIRE(room.wait_until_all_meet());
  const mesh_id before = second.net.id();
  line->cut();
  line->accept();
  REQUIRE(run_until(room.context, [&] {
    return second.told->count(mesh_event_kind::connection_succeeded) == 2 && room.all_meet();
  }));
  CHECK(second.net.id() != before);
  room.expect_told(first, mesh_event_kind::peer_disconnected, before, 1);
  room.expect_told(first, mesh_event_kind::peer_connected, second.net.id(), 1);
  room.expect_told(first, mesh_event_kind::server_disconnected, 0, 0);
  // First stays under its id, so that its old connection goes before the new one is made.
  const mesh_id stayed = first.net.id();
  room.expect_told(second, mesh_event_kind::peer_connected, stayed, 2);
  room.expect_told(second, mesh_event_kind::peer_disconnected, stayed, 1);
  CHECK(second.told->events.back() == mesh_event(mesh_event_kind::peer_connected, stayed));
  const auto lost = std::ranges::find(second.told->events, mesh_event_kind::server_disconnected,
                                      &mesh_event::kind);
  CHECK(lost->reason.message() == "signaling was lost");
  room.talk();
  line->close();
}

TEST_CASE("room mesh: the servers that the room recommends are used unless that is not wanted") {
  tea_room room;
  room.stop_serving();
  auto recommending = on_any_port();
  recommending.ice_servers.emplace_back("stun:127.0.0.1:1");
  room.serve(recommending);
  auto own_alone = quick("second");
  own_alone.use_room_ice_servers = false;
  guest& first = room.invite("first");
  guest& second = room.invite_by(room.url, own_alone);
  REQUIRE(room.wait_until_all_meet());
  const auto servers_of = [](guest& one) {
    return one.net.get_peers().front().connection->configuration().ice_servers;
  };
  CHECK(servers_of(first) == recommending.ice_servers);
  CHECK(servers_of(second).empty());
}

TEST_CASE("room mesh: any peer with the three channels is a member") {
  tea_room room;
  guest& one = room.invite("mesh");
  REQUIRE(run_until(room.context, [&] { return one.net.id() != 0; }));
  signaling_client client(room.context.get_executor());
  room.join(client, "by hand");
  plain_peer other(room.context.get_executor());
  auto session = negotiate(other.connection, client.pipe_to(one.net.id()));
  other.channel(2).async_send("by hand", [](boost::system::error_code) {});
  std::string heard;
  CHECK(run_until(room.context, [&] { return !(heard = one.heard()).empty(); }));
  CHECK(heard == "by hand");
  CHECK(one.net.has_peer(client.id()));
  // It leaves the room and keeps its connection, which is closed for it.
  REQUIRE_FALSE(await_code(room.context, [&](auto done) { client.async_close(std::move(done)); }));
  CHECK(run_until(room.context, [&] { return one.peers().empty(); }));
}

TEST_CASE("room mesh: a member that begins anew all the time does not disturb the others") {
  tea_room room;
  guest& first = room.invite("first");
  guest& second = room.invite("second");
  REQUIRE(room.wait_until_all_meet());
  signaling_client client(room.context.get_executor());
  room.join(client, "restless");
  const auto pipe = client.pipe_to(first.net.id());
  for (int number = 0; number < 200; ++number) {
    CHECK(pipe->send(session_description(sdp_type::offer, "v=0\r\no=- " + std::to_string(number) +
                                                              " 1 IN IP4 0.0.0.0\r\nm=junk\r\n")));
  }
  const auto begun = std::chrono::steady_clock::now();
  std::set<std::string> connections;
  REQUIRE(run_until(room.context, [&] {
    if (const auto peer = first.net.get_peer(client.id())) {
      connections.insert(peer->connection->id());
    }
    return connections.size() >= 5;
  }));
  const auto taken = std::chrono::steady_clock::now() - begun;
  CHECK(taken >= 3 * 50ms);  // each waits for its turn
  first.net.async_send(second.net.id(), bytes_of("quiet"), transfer_mode::reliable,
                       [](boost::system::error_code code) { CHECK_FALSE(code); });
  std::string heard;
  CHECK(run_until(room.context, [&] { return !(heard = second.heard()).empty(); }));
  CHECK(heard == "quiet");
  CHECK(first.told->count(mesh_event_kind::peer_disconnected) == 0);
  REQUIRE_FALSE(await_code(room.context, [&](auto done) { client.async_close(std::move(done)); }));
  REQUIRE(room.wait_until_all_meet());
}

TEST_CASE("room mesh: a member that says nothing is tried again and again") {
  tea_room room;
  auto impatient = quick("impatient");
  impatient.configuration.timeouts.ice_failed = 100ms;
  impatient.configuration.timeouts.dtls_handshake = 100ms;
  guest& one = room.invite_by(room.url, impatient);
  REQUIRE(run_until(room.context, [&] { return one.net.id() != 0; }));
  signaling_client client(room.context.get_executor());
  room.join(client, "silent");
  std::set<std::string> connections;
  REQUIRE(run_until(room.context, [&] {
    if (const auto peer = one.net.get_peer(client.id())) {
      connections.insert(peer->connection->id());
    }
    return connections.size() >= 3;
  }));
  CHECK(one.told->count(mesh_event_kind::peer_failed, client.id()) >= 1);
  CHECK(one.told->count(mesh_event_kind::peer_connected) == 0);
  REQUIRE_FALSE(await_code(room.context, [&](auto done) { client.async_close(std::move(done)); }));
  room.invite("talkative");
  REQUIRE(room.wait_until_all_meet());
}

TEST_CASE("room mesh: a member without a place is met when there is one, by the offer it made") {
  for (const bool begins_anew : {false, true}) {
    CAPTURE(begins_anew);
    tea_room room;
    guest& first = room.invite("first");
    REQUIRE(run_until(room.context, [&] { return first.net.id() != 0; }));
    signaling_client client(room.context.get_executor());
    room.join(client, "by hand");
    auto narrow = quick("narrow");
    narrow.mesh.max_peers = 1;
    guest& one = room.invite_by(room.url, narrow);
    REQUIRE(run_until(room.context, [&] {
      return one.peers().size() == 1 &&
             one.told->count(mesh_event_kind::peer_failed, client.id()) >= 1;
    }));
    const auto pipe = client.pipe_to(one.net.id());
    if (begins_anew) {
      pipe->send(session_description(sdp_type::offer, "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\n"));
    }
    // It was there before and ignores what is offered to it while its own offer stands.
    plain_peer other(room.context.get_executor());
    const auto session = negotiate(other.connection, pipe);
    const auto tries = one.told->count(mesh_event_kind::peer_failed, client.id());
    REQUIRE(run_until(room.context, [&] {
      return one.told->count(mesh_event_kind::peer_failed, client.id()) >= tries + 3;
    }));
    CHECK(one.told->events.back().reason == errc::limit_reached);
    CHECK_FALSE(room.close(first));
    CHECK(run_until(room.context, [&] { return one.peers() == std::vector{client.id()}; }));
    REQUIRE_FALSE(
        await_code(room.context, [&](auto done) { client.async_close(std::move(done)); }));
  }
}

}  // namespace asiortc::test

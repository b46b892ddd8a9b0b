// Meshes that keep themselves, in rooms of the real server.
#include "net/mesh_support.hpp"
#include "net/signaling_support.hpp"
#include "support/process_counts.hpp"

#include <asiortc/room_mesh.hpp>

#include <boost/asio/write.hpp>

#include <algorithm>
#include <memory>
#include <set>

namespace asiortc::test {
namespace {

using namespace std::chrono_literals;

room_mesh_options quick(const std::string& name) {
  room_mesh_options options;
  options.name = name;
  options.retry_min = 50ms;
  options.retry_max = 400ms;
  options.configuration.timeouts.close_drain = 2s;
  return options;
}

/// What a guest was told; it may outlive it.
struct record {
  std::vector<mesh_event> events;
  bool ended = false;
  boost::system::error_code end;

  [[nodiscard]] std::size_t count(mesh_event_kind kind, mesh_id id = 0) const {
    return static_cast<std::size_t>(std::ranges::count_if(events, [&](const mesh_event& each) {
      return each.kind == kind && (id == 0 || each.id == id);
    }));
  }
};

void follow(event_stream<mesh_event> stream, std::shared_ptr<record> told) {
  stream.async_next([stream, told](boost::system::error_code code, std::optional<mesh_event> next) {
    if (!next) {
      told->ended = true;
      told->end = code;
      return;
    }
    told->events.push_back(*next);
    follow(stream, told);
  });
}

struct guest {
  guest(asio::io_context& context, const std::string& url, room_mesh_options options)
      : net(context, std::move(options)) {
    follow(net.events(), told);
    net.async_join(url, "tea",
                   [result = joined](boost::system::error_code code) { *result = code; });
  }

  /// Those that are connected, by their ids.
  [[nodiscard]] std::vector<mesh_id> peers() const {
    std::vector<mesh_id> ids;
    for (const auto& peer : net.get_peers()) {
      if (peer.connected) ids.push_back(peer.id);
    }
    return ids;
  }
  [[nodiscard]] std::string heard() {
    const auto packet = net.try_receive();
    return packet ? std::string(packet->text()) : std::string();
  }

  room_mesh net;
  std::shared_ptr<record> told = std::make_shared<record>();
  std::shared_ptr<std::optional<boost::system::error_code>> joined =
      std::make_shared<std::optional<boost::system::error_code>>();
};

struct tea_room {
  tea_room() { serve(on_any_port()); }
  ~tea_room() {
    guests.clear();
    stop_serving();
  }

  void serve(const signaling_server_options& options) {
    server.emplace(context.get_executor(), options);
    server->listen();
    url = server->url();
  }
  void stop_serving() {
    if (!server) return;
    CHECK_FALSE(await_code(context, [&](auto done) { server->async_close(done); }));
    server.reset();
  }
  guest& invite(const std::string& name) { return invite_by(url, quick(name)); }
  guest& invite_by(const std::string& address, room_mesh_options options) {
    guests.push_back(std::make_unique<guest>(context, address, std::move(options)));
    return *guests.back();
  }

  /// Every guest is connected to every other, under its id of now, and to nobody else.
  [[nodiscard]] bool all_meet() const {
    return std::ranges::all_of(guests, [&](const auto& each) {
      std::vector<mesh_id> others;
      for (const auto& other : guests) {
        if (other != each) others.push_back(other->net.id());
      }
      std::ranges::sort(others);
      return each->net.id() != 0 && each->peers() == others &&
             each->net.members().size() == others.size();
    });
  }
  bool wait_until_all_meet() {
    return run_until(context, [this] { return all_meet(); });
  }

  /// Each says something to all, and all hear it of each.
  void talk() {
    for (const auto& each : guests) {
      each->net.async_send(0, bytes_of("I am " + std::to_string(each->net.id())),
                           transfer_mode::reliable,
                           [](boost::system::error_code code) { CHECK_FALSE(code); });
    }
    for (const auto& each : guests) {
      std::vector<mesh_id> heard_of;
      CHECK(run_until(context, [&] {
        while (const auto packet = each->net.try_receive()) {
          CHECK(packet->text() == "I am " + std::to_string(packet->from));
          heard_of.push_back(packet->from);
        }
        return heard_of.size() == guests.size() - 1;
      }));
      std::ranges::sort(heard_of);
      CHECK(heard_of == each->peers());
    }
  }

  /// The guest was or will be told this so often, and no more by then.
  void expect_told(const guest& one, mesh_event_kind kind, mesh_id id, std::size_t times) {
    CAPTURE(to_string(kind));
    CHECK(run_until(context, [&] { return one.told->count(kind, id) >= times; }));
    CHECK(one.told->count(kind, id) == times);
  }

  boost::system::error_code close(guest& one) {
    return await_code(context, [&](auto done) { one.net.async_close(std::move(done)); });
  }

  asio::io_context context{1};
  std::optional<signaling_server> server;
  std::string url;
  std::vector<std::unique_ptr<guest>> guests;
};

/// Passes on what one client and the server say to each other, until it is cut.
class wire : public std::enable_shared_from_this<wire> {
 public:
  wire(asio::io_context& context, std::uint16_t server)
      : server_(asio::ip::address_v4::loopback(), server),
        acceptor_(context, {asio::ip::address_v4::loopback(), 0}),
        client_side_(context),
        server_side_(context) {}

  std::string url() const {
    return "ws://127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port()) + "/";
  }
  void accept() {
    acceptor_.async_accept(client_side_, [self = shared_from_this()](error_code failed) {
      if (failed) return;
      self->server_side_.connect(self->server_);
      pass_on(self, self->client_side_, self->server_side_, self->to_server_);
      pass_on(self, self->server_side_, self->client_side_, self->to_client_);
    });
  }
  void cut() {
    client_side_.close();
    server_side_.close();
  }
  void close() {
    acceptor_.close();
    cut();
  }

 private:
  using socket = asio::ip::tcp::socket;
  using buffer = std::array<char, 4096>;

  static void pass_on(const std::shared_ptr<wire>& self, socket& from, socket& to, buffer& bytes) {
    from.async_read_some(asio::buffer(bytes),
                         [self, &from, &to, &bytes](error_code ended, std::size_t size) {
                           if (ended) return;
                           error_code failed;
                           asio::write(to, asio::buffer(bytes, size), failed);
                           if (!failed) pass_on(self, from, to, bytes);
                         });
  }

  asio::ip::tcp::endpoint server_;
  asio::ip::tcp::acceptor acceptor_;
  socket client_side_;
  socket server_side_;
  buffer to_server_{};
  buffer to_client_{};
};

}  // namespace

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
  room.talk();
  line->close();
}

TEST_CASE("room mesh: any peer with the three channels is a member") {
  tea_room room;
  guest& one = room.invite("mesh");
  REQUIRE(run_until(room.context, [&] { return one.net.id() != 0; }));
  signaling_client client(room.context.get_executor());
  REQUIRE_FALSE(await_code(room.context,
                           [&](auto done) { client.async_connect(room.url, std::move(done)); }));
  REQUIRE_FALSE(await_code(
      room.context, [&](auto done) { client.async_join("tea", "by hand", std::move(done)); }));
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
  REQUIRE_FALSE(await_code(room.context,
                           [&](auto done) { client.async_connect(room.url, std::move(done)); }));
  REQUIRE_FALSE(await_code(
      room.context, [&](auto done) { client.async_join("tea", "restless", std::move(done)); }));
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
  REQUIRE_FALSE(await_code(room.context,
                           [&](auto done) { client.async_connect(room.url, std::move(done)); }));
  REQUIRE_FALSE(await_code(
      room.context, [&](auto done) { client.async_join("tea", "silent", std::move(done)); }));
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

TEST_CASE("room mesh: what cannot be is refused by name") {
  tea_room room;
  const auto refused = [&](auto change) {
    auto options = quick("x");
    change(options);
    try {
      room_mesh made(room.context, options);
    } catch (const error& thrown) {
      return thrown.code();
    }
    return boost::system::error_code();
  };
  CHECK(refused([](auto& options) { options.mesh.server_compatibility = true; }) ==
        errc::type_error);
  CHECK(refused([](auto& options) { options.retry_min = 0ms; }) == errc::type_error);
  CHECK(refused([](auto& options) { options.unreliable_lifetime = -1ms; }) == errc::type_error);
  CHECK(refused([](auto& options) { options.configuration.ice_servers.emplace_back("stun:"); }) ==
        errc::syntax_error);
  CHECK_FALSE(refused([](auto&) {}));

  guest& lost = room.invite_by("ws://127.0.0.1:1/", quick("lost"));
  CHECK(run_until(room.context, [&] { return lost.told->ended; }));
  CHECK(*lost.joined == asio::error::connection_refused);
  CHECK(lost.told->end == asio::error::connection_refused);
  CHECK(lost.net.id() == 0);
  const auto again = await_code(
      room.context, [&](auto done) { lost.net.async_join(room.url, "tea", std::move(done)); });
  CHECK(again == errc::invalid_state);
  CHECK_FALSE(room.close(lost));
}

TEST_CASE("room mesh: async_close frees everything, at any time") {
  asio::io_context context;
  asio::steady_timer warm_up(context, 0s);
  warm_up.async_wait([](auto) {});
  context.run();
  context.restart();
  signaling_server server(context.get_executor(), on_any_port());
  server.listen();
  const std::size_t descriptors = open_descriptors();
  for (const bool wait : {true, false}) {
    CAPTURE(wait);
    guest first(context, server.url(), quick("first"));
    guest second(context, server.url(), quick("second"));
    if (wait) {
      CHECK(run_until(context, [&] { return !first.peers().empty() && !second.peers().empty(); }));
      CHECK(open_descriptors() > descriptors);
    }
    for (auto* each : {&first, &second}) {
      CHECK_FALSE(await_code(context, [&](auto done) { each->net.async_close(std::move(done)); }));
      CHECK_FALSE(await_code(context, [&](auto done) { each->net.async_close(std::move(done)); }));
    }
    if (!wait) CHECK(*first.joined == errc::closed);
    // The server's own sockets go when it has heard of it.
    CHECK(run_until(context, [&] { return open_descriptors() == descriptors; }));
  }
  CHECK_FALSE(await_code(context, [&](auto done) { server.async_close(done); }));
  context.restart();
  context.run();  // returns, since nothing is pending
}

TEST_CASE("room mesh: the context may be destroyed first") {
  for (int handlers = 0; handlers < 400; handlers += 23) {
    CAPTURE(handlers);
    auto context = std::make_unique<asio::io_context>();
    signaling_server server(context->get_executor(), on_any_port());
    server.listen();
    auto first = std::make_unique<guest>(*context, server.url(), quick("first"));
    auto second = std::make_unique<guest>(*context, server.url(), quick("second"));
    for (int count = 0; count < handlers; ++count) context->run_one_for(1ms);
    if (handlers % 2 == 1) second.reset();
    context.reset();
    CHECK_FALSE(first->told->ended);
    CHECK(first->net.last_error_detail().empty());
  }
}

}  // namespace asiortc::test

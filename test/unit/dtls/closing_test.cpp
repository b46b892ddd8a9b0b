#include "unit/dtls/endpoint_pair.hpp"

#include <doctest/doctest.h>

using namespace asiortc;
using namespace asiortc::test;
using dtls::state;

TEST_CASE("closing sends close_notify, and the other side is closed by the remote at once") {
  for (const bool client_closes : {true, false}) {
    endpoint_pair pair;
    pair.start();
    pair.carry();
    side& closing = client_closes ? pair.client : pair.server;
    side& other = client_closes ? pair.server : pair.client;
    closing.dtls->close(virtual_time::now());
    closing.take_events();
    CHECK(closing.state() == state::closed);
    CHECK(closing.reason() == errc::closed);
    CHECK(closing.seal("late").empty());
    pair.carry();
    CHECK(other.state() == state::closed);
    CHECK(other.reason() == errc::remote_closed);
    CHECK(other.seal("late").empty());
    CHECK(other.dtls->next_deadline() == base::never);
    CHECK(other.events.size() == 3);
  }
}

TEST_CASE("data in flight with a close_notify is delivered first") {
  endpoint_pair pair;
  pair.start();
  pair.carry();
  auto datagram = pair.client.seal("last words");
  pair.client.dtls->close(virtual_time::now());
  for (const auto& alert : pair.client.poll()) {
    datagram.insert(datagram.end(), alert.begin(), alert.end());
  }
  pair.server.deliver(datagram);
  CHECK(pair.server.received == std::vector<std::string>{"last words"});
  CHECK(pair.server.reason() == errc::remote_closed);
}

TEST_CASE("closing before the handshake is done, twice, or after a failure is harmless") {
  endpoint_pair pair;
  pair.client.dtls->close(virtual_time::now());
  pair.client.dtls->close(virtual_time::now());
  pair.client.take_events();
  CHECK(pair.client.events.size() == 1);
  pair.client.dtls->start(virtual_time::now(), dtls::role::client);
  CHECK(pair.client.state() == state::closed);
  pair.server.dtls->start(virtual_time::now(), dtls::role::server);
  pair.server.dtls->close(virtual_time::now());
  pair.server.take_events();
  CHECK(pair.server.reason() == errc::closed);
  pair.server.dtls->handle_timeout(virtual_time::now());
  CHECK_FALSE(pair.server.dtls->export_keying_material("label", 16).has_value());
}

TEST_CASE("a closed endpoint ignores datagrams, and its peer's repeated close_notify") {
  endpoint_pair pair;
  pair.start();
  pair.carry();
  const auto late = pair.client.seal("late");
  pair.server.dtls->close(virtual_time::now());
  pair.server.deliver(late);
  CHECK(pair.server.received.empty());
  pair.wire = twice;
  pair.carry();
  CHECK(pair.client.state() == state::closed);
  CHECK(pair.client.events.size() == 3);
}

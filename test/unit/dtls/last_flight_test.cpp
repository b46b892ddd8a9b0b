// RFC 6347 4.2.4: who sends the last flight repeats it for as long as the other side asks.
#include "dtls/record_layer.hpp"
#include "unit/dtls/raw_peer.hpp"

#include <doctest/doctest.h>

using namespace asiortc;
using namespace asiortc::test;
using dtls::state;

namespace {

/// Our server and OpenSSL as its client, which has not seen the last flight yet.
struct server_ahead {
  server_ahead() {
    ours.dtls = dtls::make_openssl_endpoint(settings_for(shared_identity(), *shared_identity()));
    ours.dtls->start(virtual_time::now(), dtls::role::server);
    for (int i = 0; i < 10 && ours.state() != state::connected; ++i) {
      for (const auto& packet : peer.poll()) ours.deliver(packet);
      last = ours.poll();
      if (ours.state() == state::connected) return;
      for (const auto& packet : last) peer.deliver(packet);
    }
    REQUIRE(ours.state() == state::connected);
  }

  side ours;
  raw_peer peer{dtls::role::client, ask_for_certificate};
  std::vector<base::bytes> last;
};

}  // namespace

TEST_CASE("a server repeats its last flight whenever the client does, however late") {
  endpoint_pair pair;
  (void)hold_last_flight(pair);
  pair.wire = [](const packet& sent) { return sent.from_client ? once(sent) : lost(); };
  for (int i = 0; i < 5; ++i) {
    const std::size_t before = pair.carried.size();
    virtual_time::advance_to(pair.client.dtls->next_deadline());
    pair.client.dtls->handle_timeout(virtual_time::now());
    pair.carry();
    CHECK(pair.carried.size() > before + 1);
    CHECK(pair.client.state() == state::connecting);
  }
  pair.wire = once;
  virtual_time::advance_to(pair.client.dtls->next_deadline());
  pair.client.dtls->handle_timeout(virtual_time::now());
  pair.carry();
  CHECK(pair.connected());
  CHECK(exchanges_data(pair));
}

TEST_CASE("the last flight again is one datagram, and one however often it is asked for at once") {
  server_ahead pair;
  std::vector<base::bytes> asked;
  for (int i = 0; i < 4; ++i) {
    for (auto& packet : pair.peer.repeat()) asked.push_back(std::move(packet));
  }
  for (const auto& packet : asked) pair.ours.deliver(packet);
  const auto repeated = pair.ours.poll();
  REQUIRE(repeated.size() == 1);
  CHECK(pair.ours.poll().empty());
  pair.peer.deliver(repeated[0]);
  CHECK(pair.peer.connected());
  CHECK(pair.ours.state() == state::connected);
}

TEST_CASE("a repeated flight that itself is repeated asks for nothing") {
  server_ahead pair;
  const auto asked = pair.peer.repeat();
  for (const auto& packet : asked) pair.ours.deliver(packet);
  CHECK(pair.ours.poll().size() == 1);
  for (const auto& packet : asked) pair.ours.deliver(packet);
  CHECK(pair.ours.poll().empty());
}

TEST_CASE("OpenSSL as client connects from a repeated last flight, whatever data came before it") {
  for (const int early : {0, 1, 10, 300}) {
    CAPTURE(early);
    server_ahead pair;
    for (int i = 0; i < early; ++i) pair.peer.deliver(pair.ours.seal("early"));
    CHECK_FALSE(pair.peer.connected());
    for (const auto& packet : pair.peer.repeat()) pair.ours.deliver(packet);
    for (const auto& packet : pair.ours.poll()) pair.peer.deliver(packet);
    REQUIRE(pair.peer.connected());
    // What OpenSSL kept of the early data comes first.
    const auto late = pair.ours.seal("late");
    std::string text = pair.peer.open(late);
    for (int i = 0; i < early && text == "early"; ++i) text = pair.peer.open({});
    CHECK(text == "late");
    pair.ours.deliver(pair.peer.seal("back"));
    CHECK(pair.ours.received == std::vector<std::string>{"back"});
  }
}

TEST_CASE("OpenSSL as client connects when data overtakes the last flight") {
  server_ahead pair;
  const auto early = pair.ours.seal("early");
  pair.peer.deliver(early);
  for (const auto& packet : pair.last) pair.peer.deliver(packet);
  CHECK(pair.peer.connected());
  CHECK(pair.peer.open(pair.ours.seal("late")) != "");
}

TEST_CASE("a client that is connected ignores the last flight when it comes again") {
  side ours;
  ours.dtls = dtls::make_openssl_endpoint(settings_for(shared_identity(), *shared_identity()));
  ours.dtls->start(virtual_time::now(), dtls::role::client);
  raw_peer peer(dtls::role::server, ask_for_certificate);
  std::vector<base::bytes> flight;
  while (ours.state() == state::connecting) {
    flight = ours.poll();
    REQUIRE_FALSE(flight.empty());
    for (const auto& packet : flight) peer.deliver(packet);
    for (const auto& packet : peer.poll()) ours.deliver(packet);
  }
  REQUIRE(ours.state() == state::connected);
  // The server hears the client's last flight again, in new records: its Finished is ours to seal.
  dtls::key_block keys;
  REQUIRE(dtls::session_secrets::of(peer.ssl())->derive(keys));
  auto server_again = dtls::record_layer::make(keys, false, {1000, 0});
  base::packet_batch out;
  base::bytes finished(24, 0);
  finished[0] = 20;
  REQUIRE(server_again->seal(dtls::content_type::handshake, finished, out));
  ours.deliver(out.view(out.entries()[0]));
  CHECK(ours.poll().empty());
  CHECK(ours.dtls->dropped() == 0);
  CHECK(ours.state() == state::connected);
  CHECK(peer.open(ours.seal("data")) == "data");
}

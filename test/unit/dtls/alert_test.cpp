// Alerts and other records that are not data, once connected.
#include "dtls/record_layer.hpp"
#include "unit/dtls/raw_peer.hpp"

#include <doctest/doctest.h>

using namespace asiortc;
using namespace asiortc::test;
using dtls::content_type;
using dtls::state;

namespace {

/// Our endpoint, connected, and somebody with the peer's keys who seals what a peer should not.
struct rude_peer {
  explicit rude_peer(dtls::role ours_is = dtls::role::server)
      : peer(ours_is == dtls::role::server ? dtls::role::client : dtls::role::server,
             ask_for_certificate) {
    ours.dtls = dtls::make_openssl_endpoint(settings_for(shared_identity(), *shared_identity()));
    ours.dtls->start(virtual_time::now(), ours_is);
    peer.carry(ours);
    REQUIRE(ours.state() == state::connected);
    dtls::key_block keys;
    REQUIRE(dtls::session_secrets::of(peer.ssl())->derive(keys));
    records = dtls::record_layer::make(keys, ours_is == dtls::role::server, {1000, 0});
  }

  base::bytes seal(content_type type, const base::bytes& content) {
    base::packet_batch out;
    REQUIRE(records->seal(type, content, out));
    const auto sealed = out.view(out.entries().at(0));
    return {sealed.begin(), sealed.end()};
  }

  side ours;
  raw_peer peer;
  std::optional<dtls::record_layer> records;
};

}  // namespace

TEST_CASE("a fatal alert fails the endpoint and is named") {
  for (const auto role : {dtls::role::client, dtls::role::server}) {
    rude_peer rude(role);
    rude.ours.deliver(rude.seal(content_type::alert, {2, 80}));
    CHECK(rude.ours.state() == state::failed);
    CHECK(rude.ours.reason() == errc::dtls_failed);
    CHECK(rude.ours.events.back().reason.detail.find("internal error") != std::string::npos);
    CHECK(rude.ours.seal("late").empty());
    CHECK(rude.ours.poll().empty());
    CHECK_FALSE(rude.ours.dtls->export_keying_material("label", 16).has_value());
  }
}

TEST_CASE("warnings are ignored, and malformed alerts dropped and counted") {
  rude_peer rude;
  rude.ours.deliver(rude.seal(content_type::alert, {1, 90}));   // user_canceled
  rude.ours.deliver(rude.seal(content_type::alert, {1, 100}));  // no_renegotiation
  CHECK(rude.ours.dtls->dropped() == 0);
  for (const base::bytes& malformed : {base::bytes{}, base::bytes{2}, base::bytes{2, 80, 2},
                                       base::bytes{0, 80}, base::bytes{3, 0}}) {
    rude.ours.deliver(rude.seal(content_type::alert, malformed));
  }
  CHECK(rude.ours.dtls->dropped() == 5);
  CHECK(rude.ours.state() == state::connected);
}

TEST_CASE("close_notify closes at either level, and what follows it is not looked at") {
  for (const std::uint8_t level : {std::uint8_t{1}, std::uint8_t{2}}) {
    rude_peer rude;
    auto datagram = rude.seal(content_type::alert, {level, 0});
    const auto after = rude.seal(content_type::application_data, {'x'});
    datagram.insert(datagram.end(), after.begin(), after.end());
    rude.ours.deliver(datagram);
    CHECK(rude.ours.reason() == errc::remote_closed);
    CHECK(rude.ours.received.empty());
    CHECK(rude.ours.poll().size() == 1);
  }
}

TEST_CASE("alerts that are not authentic, of any epoch, end nothing") {
  rude_peer rude;
  for (const std::uint8_t epoch : {std::uint8_t{0}, std::uint8_t{1}, std::uint8_t{2}}) {
    for (const std::uint8_t description : {std::uint8_t{0}, std::uint8_t{80}}) {
      rude.ours.deliver(
          base::bytes{21, 0xfe, 0xfd, 0, epoch, 0, 0, 0, 0, 9, 9, 0, 2, 2, description});
    }
  }
  CHECK(rude.ours.state() == state::connected);
  CHECK(rude.ours.dtls->dropped() == 6);
  CHECK(rude.ours.poll().empty());
}

TEST_CASE("an attempt to negotiate again, and an empty record, change nothing") {
  for (const auto role : {dtls::role::client, dtls::role::server}) {
    rude_peer rude(role);
    rude.ours.deliver(rude.seal(content_type::handshake, base::bytes(12, 0)));  // HelloRequest
    base::bytes client_hello(60, 0);
    client_hello[0] = 1;
    rude.ours.deliver(rude.seal(content_type::handshake, client_hello));
    rude.ours.deliver(rude.seal(content_type::handshake, {}));
    rude.ours.deliver(rude.seal(content_type::change_cipher_spec, {1}));
    rude.ours.deliver(rude.seal(content_type::application_data, {}));
    CHECK(rude.ours.received.empty());
    CHECK(rude.ours.dtls->dropped() == 0);
    CHECK(rude.ours.poll().empty());
    CHECK(rude.ours.state() == state::connected);
    rude.ours.deliver(rude.seal(content_type::application_data, {'x'}));
    CHECK(rude.ours.received == std::vector<std::string>{"x"});
  }
}

TEST_CASE("a record of another version or epoch is dropped, even when it is sealed well") {
  rude_peer rude;
  const auto sealed = rude.seal(content_type::application_data, {'x'});
  for (const std::size_t place : {2U, 4U}) {
    auto altered = sealed;
    altered[place] ^= 2;
    rude.ours.deliver(altered);
  }
  CHECK(rude.ours.dtls->dropped() == 2);
  rude.ours.deliver(sealed);
  CHECK(rude.ours.received == std::vector<std::string>{"x"});
}

TEST_CASE("a close_notify that overtakes the last flight closes once the flight is there") {
  endpoint_pair pair;
  const auto held = hold_last_flight(pair);
  REQUIRE(pair.client.state() == state::connecting);
  pair.server.dtls->close(virtual_time::now());
  for (const auto& alert : pair.server.poll()) pair.client.deliver(alert);
  CHECK(pair.client.state() == state::connecting);
  pair.client.deliver(held);
  CHECK(pair.client.reason() == errc::remote_closed);
}

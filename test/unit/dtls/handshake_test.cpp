#include "unit/dtls/endpoint_pair.hpp"

#include <doctest/doctest.h>
#include <openssl/x509.h>

using namespace asiortc;
using namespace asiortc::test;
using crypto::hash_algorithm;
using crypto::key_type;
using dtls::state;

TEST_CASE("two endpoints connect, agree on what they negotiated and carry data both ways") {
  endpoint_pair pair;
  CHECK(pair.client.state() == state::new_);
  pair.start();
  CHECK(pair.client.state() == state::connecting);
  pair.carry();
  REQUIRE(pair.connected());
  CHECK(exchanges_data(pair));
  for (const side* each : {&pair.client, &pair.server}) {
    REQUIRE(each->events.size() == 2);
    CHECK(each->events[0].now == state::connecting);
    CHECK(each->events[1].now == state::connected);
    CHECK_FALSE(each->reason());
    CHECK(each->dtls->version() == 0xfefd);
    CHECK(each->dtls->srtp_profile() == 0x0007);  // AEAD_AES_128_GCM, RFC 7714 14.2
    CHECK(each->dtls->dropped() == 0);
  }
}

TEST_CASE("the remote certificate is shown, in DER form") {
  const auto one = fresh_identity();
  const auto other = fresh_identity();
  endpoint_pair pair(settings_for(one, *other), settings_for(other, *one));
  CHECK(pair.client.dtls->remote_certificate().empty());
  pair.start();
  pair.run();
  CHECK(crypto::fingerprint_of(pair.client.dtls->remote_certificate(), hash_algorithm::sha512) ==
        other->get_fingerprint(hash_algorithm::sha512));
  CHECK(crypto::fingerprint_of(pair.server.dtls->remote_certificate(), hash_algorithm::sha512) ==
        one->get_fingerprint(hash_algorithm::sha512));
}

TEST_CASE("both sides export the same keying material, and none before they are connected") {
  endpoint_pair pair;
  const auto material = [](side& from, std::string_view label) {
    return from.dtls->export_keying_material(label, 60);
  };
  CHECK_FALSE(material(pair.client, "EXTRACTOR-dtls_srtp").has_value());
  pair.start();
  CHECK_FALSE(material(pair.client, "EXTRACTOR-dtls_srtp").has_value());
  pair.run();
  const auto exported = material(pair.client, "EXTRACTOR-dtls_srtp").value();
  CHECK(exported.size() == 60);
  CHECK(exported == material(pair.server, "EXTRACTOR-dtls_srtp").value());
  CHECK(exported != material(pair.server, "another label").value());
  CHECK_FALSE(pair.client.dtls->export_keying_material("label", 1 << 20).has_value());
}

TEST_CASE("ECDSA and RSA certificates work in every combination") {
  for (const auto client_key : {key_type::ecdsa_p256, key_type::rsa_2048}) {
    for (const auto server_key : {key_type::ecdsa_p256, key_type::rsa_2048}) {
      const auto client = shared_identity(client_key);
      const auto server = shared_identity(server_key);
      endpoint_pair pair(settings_for(client, *server), settings_for(server, *client));
      pair.start();
      pair.carry();
      CHECK(pair.connected());
      CHECK(exchanges_data(pair));
    }
  }
}

TEST_CASE("a fingerprint of any algorithm is enough, and one right among wrong ones") {
  for (const auto algorithm :
       {hash_algorithm::sha256, hash_algorithm::sha384, hash_algorithm::sha512}) {
    auto settings = settings_for(shared_identity(), *fresh_identity());
    settings.remote_fingerprints.push_back(shared_identity()->get_fingerprint(algorithm));
    endpoint_pair pair(settings, settings);
    pair.start();
    pair.carry();
    CHECK(pair.connected());
  }
}

TEST_CASE("a server with another certificate than announced fails both sides, each for its cause") {
  endpoint_pair pair(settings_for(shared_identity(), *fresh_identity()),
                     settings_for(shared_identity(), *shared_identity()));
  pair.start();
  pair.run();
  CHECK(pair.client.state() == state::failed);
  CHECK(pair.client.reason() == errc::fingerprint_mismatch);
  CHECK(pair.server.state() == state::failed);
  CHECK(pair.server.reason() == errc::dtls_failed);
  CHECK(pair.server.events.back().reason.detail.find("bad certificate") != std::string::npos);
}

TEST_CASE("a client with another certificate than announced fails both sides, each for its cause") {
  endpoint_pair pair(settings_for(shared_identity(), *shared_identity()),
                     settings_for(shared_identity(), *fresh_identity()));
  pair.start();
  pair.run();
  CHECK(pair.server.state() == state::failed);
  CHECK(pair.server.reason() == errc::fingerprint_mismatch);
  CHECK(pair.client.state() == state::failed);
  CHECK(pair.client.reason() == errc::dtls_failed);
}

TEST_CASE("no announced fingerprint at all is a mismatch") {
  auto settings = settings_for(shared_identity(), *shared_identity());
  settings.remote_fingerprints.clear();
  endpoint_pair pair(settings, settings);
  pair.start();
  pair.run();
  CHECK(pair.client.reason() == errc::fingerprint_mismatch);
}

TEST_CASE("no datagram is larger than the MTU") {
  for (const std::size_t mtu : {256U, 300U, 600U, 1200U}) {
    auto settings =
        settings_for(shared_identity(key_type::rsa_2048), *shared_identity(key_type::rsa_2048));
    settings.mtu = mtu;
    endpoint_pair pair(settings, settings);
    pair.start();
    pair.carry();
    CHECK(pair.connected());
    for (const auto& packet : pair.carried) CHECK(packet.bytes.size() <= mtu);
  }
}

TEST_CASE("an endpoint seals only while connected, and nothing empty or longer than a packet") {
  endpoint_pair pair;
  CHECK(pair.client.seal("early").empty());
  pair.start();
  CHECK(pair.client.seal("early").empty());
  pair.carry();
  CHECK(pair.client.seal("").empty());
  CHECK(pair.client.seal(std::string(5000, 'x')).empty());
  const std::string largest(1188, 'x');
  const auto sealed = pair.client.seal(largest);
  CHECK(sealed.size() == largest.size() + 37);  // header 13, explicit nonce 8, tag 16
  pair.server.deliver(sealed);
  REQUIRE(pair.server.received.size() == 1);
  CHECK(pair.server.received[0] == largest);
}

TEST_CASE("starting twice is starting once") {
  endpoint_pair pair;
  pair.start();
  pair.client.dtls->start(virtual_time::now(), dtls::role::server);
  pair.carry();
  CHECK(pair.connected());
}

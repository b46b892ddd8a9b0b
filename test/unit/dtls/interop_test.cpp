// Our records against those of OpenSSL itself.
#include "unit/dtls/raw_peer.hpp"

#include <doctest/doctest.h>

using namespace asiortc;
using namespace asiortc::test;
using crypto::key_type;
using dtls::state;

namespace {

struct combination {
  dtls::role ours;
  key_type key;
  const char* suite;
};

std::vector<combination> all_combinations() {
  std::vector<combination> all;
  for (const auto role : {dtls::role::client, dtls::role::server}) {
    for (const char* suite : {"ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384",
                              "ECDHE-ECDSA-CHACHA20-POLY1305"}) {
      all.push_back({role, key_type::ecdsa_p256, suite});
    }
    for (const char* suite : {"ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES256-GCM-SHA384",
                              "ECDHE-RSA-CHACHA20-POLY1305"}) {
      all.push_back({role, key_type::rsa_2048, suite});
    }
  }
  return all;
}

/// An endpoint of ours and OpenSSL, connected with one suite.
struct connected {
  explicit connected(const combination& chosen)
      : peer(
            chosen.ours == dtls::role::client ? dtls::role::server : dtls::role::client,
            [&](SSL_CTX* context) {
              ask_for_certificate(context);
              REQUIRE(SSL_CTX_set_cipher_list(context, chosen.suite) == 1);
            },
            *shared_identity(chosen.key)) {
    const auto identity = shared_identity(chosen.key);
    ours.dtls = dtls::make_openssl_endpoint(settings_for(identity, *identity));
    ours.dtls->start(virtual_time::now(), chosen.ours);
    ours.take_events();
    peer.carry(ours);
    REQUIRE(ours.state() == state::connected);
    REQUIRE(peer.connected());
    CHECK(std::string(SSL_get_cipher_name(peer.ssl())) == chosen.suite);
  }

  side ours;
  raw_peer peer;
};

}  // namespace

TEST_CASE("records of each suite go both ways between ours and OpenSSL, in either role") {
  for (const auto& chosen : all_combinations()) {
    CAPTURE(chosen.suite);
    connected pair(chosen);
    for (int i = 0; i < 200; ++i) {
      const std::string text(static_cast<std::size_t>(1 + i * 6), static_cast<char>('a' + i % 26));
      CHECK(pair.peer.open(pair.ours.seal(text)) == text);
      pair.ours.deliver(pair.peer.seal(text));
      REQUIRE(pair.ours.received.size() == static_cast<std::size_t>(i + 1));
      CHECK(pair.ours.received.back() == text);
    }
    CHECK(pair.ours.dtls->dropped() == 0);
  }
}

TEST_CASE("OpenSSL exports the same keying material as ours, and neither under TLS's own labels") {
  for (const auto& chosen : all_combinations()) {
    CAPTURE(chosen.suite);
    connected pair(chosen);
    const std::string label = "EXTRACTOR-dtls_srtp";
    for (const std::size_t size : {1U, 60U, 1024U}) {
      base::bytes expected(size);
      REQUIRE(SSL_export_keying_material(pair.peer.ssl(), expected.data(), size, label.data(),
                                         label.size(), nullptr, 0, 0) == 1);
      CHECK(pair.ours.dtls->export_keying_material(label, size).value() == expected);
    }
    for (const char* reserved : {"client finished", "server finished", "master secret",
                                 "key expansion", "extended master secret"}) {
      const auto refused = pair.ours.dtls->export_keying_material(reserved, 16);
      REQUIRE_FALSE(refused.has_value());
      CHECK(refused.error().code == errc::operation_error);
    }
  }
}

TEST_CASE("OpenSSL's close_notify closes ours, which answers it; and the other way round") {
  for (const auto& chosen : all_combinations()) {
    CAPTURE(chosen.suite);
    connected closed_by_peer(chosen);
    CHECK(SSL_shutdown(closed_by_peer.peer.ssl()) == 0);
    closed_by_peer.ours.deliver(closed_by_peer.peer.poll().at(0));
    CHECK(closed_by_peer.ours.state() == state::closed);
    CHECK(closed_by_peer.ours.reason() == errc::remote_closed);
    CHECK(closed_by_peer.peer.open(closed_by_peer.ours.poll().at(0)).empty());
    CHECK(SSL_get_shutdown(closed_by_peer.peer.ssl()) ==
          (SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN));

    connected closed_by_us(chosen);
    closed_by_us.ours.dtls->close(virtual_time::now());
    CHECK(closed_by_us.peer.open(closed_by_us.ours.poll().at(0)).empty());
    CHECK(SSL_get_shutdown(closed_by_us.peer.ssl()) == SSL_RECEIVED_SHUTDOWN);
  }
}

TEST_CASE("our records go on where OpenSSL stopped: their numbers, and their explicit nonces") {
  endpoint_pair pair;
  pair.start();
  pair.carry();
  for (const bool from_client : {true, false}) {
    std::uint64_t number = 0;
    std::uint64_t nonce = 0;
    for (const auto& packet : pair.carried) {
      if (packet.from_client != from_client) continue;
      base::byte_span rest = packet.bytes;
      while (const auto record = dtls::take_record(rest)) {
        if (record->epoch != 1) continue;
        CHECK(record->type == dtls::content_type::handshake);
        number = record->sequence;
        nonce = base::byte_reader(record->body).u64();
      }
    }
    side& sender = from_client ? pair.client : pair.server;
    for (std::uint64_t i = 1; i <= 3; ++i) {
      const auto sealed = sender.seal("data");
      base::byte_span rest = sealed;
      const auto record = dtls::take_record(rest);
      REQUIRE(record);
      CHECK(record->epoch == 1);
      CHECK(record->sequence == number + i);
      CHECK(base::byte_reader(record->body).u64() == nonce + i);
    }
  }
}

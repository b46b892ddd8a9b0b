#include "unit/dtls/raw_peer.hpp"

#include <doctest/doctest.h>
#include <openssl/srtp.h>

using namespace asiortc;
using namespace asiortc::test;
using dtls::state;

namespace {

side endpoint_against(dtls::role role) {
  side made;
  made.dtls = dtls::make_openssl_endpoint(settings_for(shared_identity(), *shared_identity()));
  made.dtls->start(virtual_time::now(), role);
  made.take_events();
  return made;
}

int make_cookie(SSL*, unsigned char* cookie, unsigned int* size) {
  std::fill_n(cookie, 20, std::uint8_t{7});
  *size = 20;
  return 1;
}

int check_cookie(SSL*, const unsigned char* cookie, unsigned int size) {
  return size == 20 && cookie[0] == 7 ? 1 : 0;
}

/// A list of protocol names that makes the ClientHello as large as post-quantum key shares do.
void ask_for_many_protocols(SSL_CTX* context) {
  base::bytes names;
  while (names.size() < 3000) {
    names.push_back(100);
    names.insert(names.end(), 100, 'x');
  }
  REQUIRE(SSL_CTX_set_alpn_protos(context, names.data(), static_cast<unsigned>(names.size())) == 0);
}

void show_certificate(SSL_CTX*) {}

}  // namespace

TEST_CASE("a peer without use_srtp is accepted in either role") {
  for (const auto role : {dtls::role::client, dtls::role::server}) {
    const bool is_client = role == dtls::role::client;
    side ours = endpoint_against(role);
    raw_peer peer(is_client ? dtls::role::server : dtls::role::client,
                  is_client ? ask_for_certificate : show_certificate);
    peer.carry(ours);
    CHECK(ours.state() == state::connected);
    CHECK(peer.connected());
    CHECK(ours.dtls->srtp_profile() == 0);
  }
}

TEST_CASE("the older SRTP profile is negotiated with a peer that has no other") {
  side ours = endpoint_against(dtls::role::server);
  raw_peer peer(dtls::role::client, [](SSL_CTX* context) {
    REQUIRE(SSL_CTX_set_tlsext_use_srtp(context, "SRTP_AES128_CM_SHA1_80") == 0);
  });
  peer.carry(ours);
  CHECK(ours.dtls->srtp_profile() == 0x0001);
}

TEST_CASE("a server that asks for a cookie gets it") {
  side ours = endpoint_against(dtls::role::client);
  raw_peer peer(dtls::role::server, [](SSL_CTX* context) {
    ask_for_certificate(context);
    SSL_CTX_set_options(context, SSL_OP_COOKIE_EXCHANGE);
    SSL_CTX_set_cookie_generate_cb(context, make_cookie);
    SSL_CTX_set_cookie_verify_cb(context, check_cookie);
  });
  peer.carry(ours);
  CHECK(ours.state() == state::connected);
  CHECK(peer.connected());
}

TEST_CASE("a ClientHello in several fragments works, also in the wrong order") {
  for (const bool reversed : {false, true}) {
    side ours = endpoint_against(dtls::role::server);
    raw_peer peer(dtls::role::client, ask_for_many_protocols);
    auto hello = peer.poll();
    REQUIRE(hello.size() >= 3);
    if (reversed) std::reverse(hello.begin(), hello.end());
    for (const auto& fragment : hello) ours.deliver(fragment);
    peer.carry(ours);
    CHECK(ours.state() == state::connected);
    CHECK(peer.connected());
  }
}

TEST_CASE("a client without a certificate is refused") {
  side ours = endpoint_against(dtls::role::server);
  raw_peer peer(dtls::role::client, [](SSL_CTX* context) {
    SSL_CTX_set_cert_cb(
        context,
        [](SSL* ssl, void*) {
          SSL_certs_clear(ssl);
          return 1;
        },
        nullptr);
  });
  peer.carry(ours);
  CHECK(ours.state() == state::failed);
  CHECK(ours.reason() == errc::dtls_failed);
}

TEST_CASE("a peer that speaks only DTLS 1.0 is refused") {
  side ours = endpoint_against(dtls::role::server);
  raw_peer peer(dtls::role::client, [](SSL_CTX* context) {
    SSL_CTX_set_security_level(context, 0);
    SSL_CTX_set_min_proto_version(context, DTLS1_VERSION);
    SSL_CTX_set_max_proto_version(context, DTLS1_VERSION);
  });
  peer.carry(ours);
  CHECK(ours.state() == state::failed);
  CHECK_FALSE(peer.connected());
}

TEST_CASE("a handshake uses the extended master secret, no ticket and AES-128-GCM") {
  side ours = endpoint_against(dtls::role::server);
  raw_peer peer(dtls::role::client, show_certificate);
  peer.carry(ours);
  REQUIRE(peer.connected());
  CHECK(SSL_get_extms_support(peer.ssl()) == 1);
  CHECK(SSL_SESSION_has_ticket(SSL_get_session(peer.ssl())) == 0);
  CHECK(std::string(SSL_get_cipher_name(peer.ssl())) == "ECDHE-ECDSA-AES128-GCM-SHA256");
}

TEST_CASE("renegotiation is refused, and data goes on") {
  side ours = endpoint_against(dtls::role::server);
  raw_peer peer(dtls::role::client, show_certificate);
  peer.carry(ours);
  REQUIRE(peer.connected());
  REQUIRE(SSL_renegotiate(peer.ssl()) == 1);
  (void)SSL_do_handshake(peer.ssl());
  for (const auto& packet : peer.poll()) ours.deliver(packet);
  CHECK(ours.state() == state::connected);
  CHECK_FALSE(ours.seal("still here").empty());
}

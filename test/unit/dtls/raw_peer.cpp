#include "unit/dtls/raw_peer.hpp"

#include <doctest/doctest.h>

namespace asiortc::test {

void ask_for_certificate(SSL_CTX* context) {
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, [](int, X509_STORE_CTX*) { return 1; });
}

raw_peer::raw_peer(dtls::role role, const std::function<void(SSL_CTX*)>& prepare,
                   const crypto::identity& identity)
    : context_(SSL_CTX_new(DTLS_method())) {
  SSL_CTX_use_certificate(context_.get(), identity.certificate());
  SSL_CTX_use_PrivateKey(context_.get(), identity.key());
  SSL_CTX_set_options(context_.get(), SSL_OP_NO_QUERY_MTU);
  prepare(context_.get());
  ssl_.reset(SSL_new(context_.get()));
  BIO* bio = bio_.make_bio();
  SSL_set_bio(ssl_.get(), bio, bio);
  SSL_set_mtu(ssl_.get(), 1200);
  if (role == dtls::role::client) {
    SSL_set_connect_state(ssl_.get());
  } else {
    SSL_set_accept_state(ssl_.get());
  }
  deliver({});
}

void raw_peer::deliver(base::byte_span datagram) {
  bio_.give(datagram);
  (void)SSL_do_handshake(ssl_.get());
  ERR_clear_error();
}

std::vector<base::bytes> raw_peer::poll() {
  base::packet_batch out;
  bio_.drain(out);
  std::vector<base::bytes> packets;
  for (const auto& entry : out.entries()) {
    const auto view = out.view(entry);
    packets.emplace_back(view.begin(), view.end());
  }
  return packets;
}

std::vector<base::bytes> raw_peer::repeat() {
  virtual_time::advance(std::chrono::minutes(1));  // OpenSSL waits no longer than this
  REQUIRE(DTLSv1_handle_timeout(ssl_.get()) == 1);
  return poll();
}

base::bytes raw_peer::seal(std::string_view plain) {
  REQUIRE(SSL_write(ssl_.get(), plain.data(), static_cast<int>(plain.size())) > 0);
  return poll().at(0);
}

std::string raw_peer::open(base::byte_span datagram) {
  if (!datagram.empty()) bio_.give(datagram);
  std::string plain(2000, '\0');
  const int size = SSL_read(ssl_.get(), plain.data(), static_cast<int>(plain.size()));
  ERR_clear_error();
  plain.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  return plain;
}

void raw_peer::carry(side& other) {
  bool more = true;
  while (more) {
    const auto mine = poll();
    for (const auto& packet : mine) other.deliver(packet);
    const auto theirs = other.poll();
    for (const auto& packet : theirs) deliver(packet);
    more = !mine.empty() || !theirs.empty();
  }
}

}  // namespace asiortc::test
